"""CHARX files: a zip archive with `card.json` and the files it names. Nothing is ever unpacked to disk.

Format: github.com/kwaroran/character-card-spec-v3, "CHARX". Names inside are only looked up and written back.
"""

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import PurePosixPath

from unabridged.errors import DocumentDamaged, DocumentTooCostly, DocumentUnsupported

CARD = "card.json"
MOST_MEMBERS = 4096
LARGEST_UNPACKED_BYTES = 256 << 20
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same card gives the same file


def unpack(data: bytes, name: str) -> tuple[bytes, dict[str, bytes]]:
    """The bytes of card.json, and all other files by path. Raises DocumentDamaged, DocumentTooCostly, DocumentUnsupported."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            _check(members, name)
            files = {member.filename: archive.read(member) for member in members}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise DocumentDamaged(f"{name} is damaged or cut short.", hint="Fetch or export it again.") from error
    if CARD not in files:
        raise DocumentUnsupported(
            f"{name} is a zip archive without a {CARD}.", hint="Choose a CHARX file, a PNG or a JSON card."
        )
    return files.pop(CARD), files


def pack(card: bytes, files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in {CARD: card, **files}.items():
            archive.writestr(zipfile.ZipInfo(path, _EPOCH), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _check(members: list[zipfile.ZipInfo], name: str) -> None:
    """Sizes as declared are binding: zipfile reads no further."""
    unpacked = sum(member.file_size for member in members)
    if unpacked > LARGEST_UNPACKED_BYTES or len(members) > MOST_MEMBERS:
        raise DocumentTooCostly(
            f"{name} would unpack to {unpacked / 2**20:,.0f} MB in {len(members):,} files.",
            hint="It may be a zip bomb; fetch another copy.",
        )
    if any(member.flag_bits & 1 for member in members):
        raise DocumentUnsupported(f"{name} is protected with a password.", hint="Save it without one.")
    names = [member.filename for member in members]
    if len(set(names)) < len(names) or any(_leaves(path) for path in names):
        raise DocumentDamaged(
            f"{name} holds files whose names lead out of it or stand there twice.",
            hint="It was made to mislead; fetch another copy.",
        )


def _leaves(path: str) -> bool:
    parts = PurePosixPath(path.replace("\\", "/"))
    return parts.is_absolute() or ".." in parts.parts or ":" in path.split("/")[0] or any(character < " " for character in path)
