"""Character cards as files: JSON, PNG with the card in a text chunk, CHARX. What is read can be written again without loss.

PNG: `chara` holds version 1 or 2, `ccv3` version 3 and wins over it, `chara-ext-asset_:NAME` the file for the uri
`__asset:NAME`; all three in base64. The pixels and all other chunks stay as they are.
"""

import base64
import binascii
import copy
import itertools
import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

from unabridged.characters import charx
from unabridged.characters.card import Card
from unabridged.characters.hostile_json import read_object, write_object
from unabridged.characters.png_chunks import SIGNATURE, Chunk, join, plain_picture, split, text_chunk, text_of
from unabridged.errors import DocumentDamaged, DocumentMissing, DocumentTooCostly, DocumentUnsupported, UsageError

LARGEST_FILE_BYTES = 128 << 20
FORMATS = ("json", "png", "charx")
EMBEDDED, IN_PNG = "embeded://", "__asset:"  # spelled as in the specification
_ASSET = "chara-ext-asset_:"
_PICTURES = (
    (SIGNATURE, "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "image/webp"),
)


@dataclass(frozen=True, slots=True)
class CardFile:
    """`picture` is the PNG that carried the card, without it, or b"". `files` came along, each under the uri that names it."""

    card: Card
    picture: bytes = b""
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def avatar(self) -> tuple[str, bytes] | None:
        """Media type and bytes of the picture to show; None where there is none that a browser can show without risk."""
        icons = [asset for asset in self.card.assets if asset.kind == "icon"]
        icons.sort(key=lambda asset: asset.name != "main")
        for content in [self.files.get(asset.uri, b"") for asset in icons] + [self.picture]:
            if media_type := picture_type(content):
                return media_type, content
        return None


def picture_type(content: bytes) -> str | None:
    """By the first bytes; None for what is no raster picture (SVG can hold scripts)."""
    kind = next((kind for magic, kind in _PICTURES if content.startswith(magic)), None)
    return None if kind == "image/webp" and content[8:12] != b"WEBP" else kind


def load_card(path: Path) -> CardFile:
    """Raises DocumentMissing and what `read_card` raises."""
    return read_card(load_bytes(path), path.name)


def load_bytes(path: Path) -> bytes:
    """A file of no more than LARGEST_FILE_BYTES. Raises DocumentMissing, DocumentTooCostly."""
    try:
        size_bytes = path.stat().st_size
        if size_bytes > LARGEST_FILE_BYTES:
            raise _too_large(path.name, size_bytes)
        return path.read_bytes()
    except OSError as error:
        raise DocumentMissing(f"{path} cannot be opened ({error.strerror}).", hint="Check the path and its rights.") from error


def read_card(data: bytes, name: str) -> CardFile:
    """A card in any of the formats, told by content. Raises DocumentUnsupported, DocumentDamaged, DocumentTooCostly."""
    if len(data) > LARGEST_FILE_BYTES:
        raise _too_large(name, len(data))
    if data.startswith(SIGNATURE):
        return _from_png(data, name)
    start = data.find(b"PK\x03\x04")
    if start == 0 or (start > 0 and data.startswith(b"\xff\xd8\xff")):  # some programs put a picture before the archive
        card, files = charx.unpack(data, name)
        return CardFile(Card(read_object(card, name)), files={EMBEDDED + path: content for path, content in files.items()})
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return CardFile(Card(read_object(data, name)))
    raise DocumentUnsupported(f"{name} is no character card.", hint="Choose a PNG card, a JSON card or a CHARX file.")


def write_card(file: CardFile, form: str) -> bytes:
    """The bytes of a file in one of FORMATS. JSON holds the card alone, as its format has no room for files."""
    if form == "json":
        return write_object(file.card.raw)
    if form == "png":
        return _to_png(file)
    if form == "charx":
        return _to_charx(file)
    raise UsageError(f"There is no card format {form!r}.", hint=f"Choose one of {', '.join(FORMATS)}.")


def _from_png(data: bytes, name: str) -> CardFile:
    cards: dict[str, bytes] = {}
    files: dict[str, bytes] = {}
    kept: list[Chunk] = []
    room = LARGEST_FILE_BYTES
    for chunk in split(data, name):
        found = text_of(chunk, name)
        if found and (found[0] in ("chara", "ccv3") or found[0].startswith(_ASSET)):
            keyword, text = found
            room -= len(text)
            if room < 0:
                raise DocumentTooCostly(
                    f"The texts inside {name} are too large together.", hint="It may be a bomb; fetch another copy."
                )
            content = _decoded(text, name)
            if keyword in ("chara", "ccv3"):
                cards[keyword] = content
            else:
                files[IN_PNG + keyword.removeprefix(_ASSET)] = content
        else:
            kept.append(chunk)
    if not cards:
        raise DocumentUnsupported(
            f"The picture {name} carries no character card.",
            hint="Screenshots and re-saved pictures lose it; fetch the original file.",
        )
    return CardFile(Card(read_object(cards["ccv3" if "ccv3" in cards else "chara"], name)), join(kept), files)


def _to_png(file: CardFile) -> bytes:
    moved = _moved(file, EMBEDDED, IN_PNG)
    chunks = split(moved.picture or _png_icon(file) or plain_picture(), "the card's picture")
    cards = [("chara", moved.card if moved.card.version < 3 else moved.card.as_version(2))]
    if moved.card.version == 3:
        cards.append(("ccv3", moved.card))
    texts = [text_chunk(keyword, base64.b64encode(write_object(card.raw))) for keyword, card in cards]
    texts += [text_chunk(_ASSET + uri.removeprefix(IN_PNG), base64.b64encode(content)) for uri, content in moved.files.items()]
    return join([*chunks[:-1], *texts, chunks[-1]])


def _to_charx(file: CardFile) -> bytes:
    moved = _moved(file, IN_PNG, EMBEDDED)
    files = {uri.removeprefix(EMBEDDED): content for uri, content in moved.files.items()}
    card = moved.card
    if moved.picture:
        card, path = _with_picture(card, moved.picture, files)
        files[path] = moved.picture
    return charx.pack(write_object(card.raw), files)


def _with_picture(card: Card, picture: bytes, files: Collection[str]) -> tuple[Card, str]:
    """The PNG around the card becomes its main icon, unless the card lists another: then it is only kept."""
    path = _free("assets/icon/main.png", files)
    if any(asset.kind == "icon" and asset.name == "main" and asset.uri != "ccdefault:" for asset in card.assets):
        return card, path
    entry = {"type": "icon", "uri": EMBEDDED + path, "name": "main", "ext": "png"}
    others = [item for item in card.data.get("assets") or () if item.get("uri") != "ccdefault:"]
    return card.as_version(3).edited(assets=[entry, *others]), path


def _moved(file: CardFile, old: str, new: str) -> CardFile:
    """The files under the uris of another container, and the card's asset list with them."""
    renamed: dict[str, str] = {}
    for uri in file.files:
        if uri.startswith(old):
            name = uri.removeprefix(old)
            safe = _free(
                _as_keyword(name) if new == IN_PNG else _as_path(name), [n.removeprefix(new) for n in renamed.values()]
            )
            renamed[uri] = new + safe
    if not renamed:
        return file
    raw = copy.deepcopy(file.card.raw)
    for item in (raw.get("data") or raw).get("assets") or ():
        item["uri"] = renamed.get(item.get("uri"), item.get("uri"))
    return replace(file, card=Card(raw), files={renamed.get(uri, uri): content for uri, content in file.files.items()})


def _free(name: str, taken: Collection[str]) -> str:
    stem, dot, suffix = name.rpartition(".")
    names = (f"{stem}-{number}{dot}{suffix}" for number in itertools.count(2))
    return name if name not in taken else next(other for other in names if other not in taken)


def _as_keyword(name: str) -> str:
    """At most 79 signs of Latin-1 are allowed with what stands before it."""
    plain = re.sub(r"[^\x21-\x7e]", lambda match: f"%{ord(match.group()):x}", name)
    return plain if len(plain) < 60 else f"{binascii.crc32(name.encode()):08x}-{plain[-40:]}"


def _as_path(name: str) -> str:
    parts = [part for part in re.sub(r"[\x00-\x1f\\:]", "_", name).split("/") if part.strip(". ")]
    return "/".join(parts) if len(parts) > 1 else "/".join(["assets/other", *(parts or ["file"])])


def _png_icon(file: CardFile) -> bytes:
    avatar = file.avatar
    return avatar[1] if avatar and avatar[0] == "image/png" else b""


def _decoded(text: bytes, name: str) -> bytes:
    try:
        return base64.b64decode(re.sub(rb"\s+", b"", text), validate=True)
    except binascii.Error as error:
        raise DocumentDamaged(f"The card inside {name} is damaged (base64).", hint="Fetch the original file again.") from error


def _too_large(name: str, size_bytes: int) -> DocumentTooCostly:
    return DocumentTooCostly(
        f"{name} has {size_bytes / 2**20:,.0f} MB; cards up to {LARGEST_FILE_BYTES >> 20} MB are read.",
        hint="Remove some of its pictures.",
    )
