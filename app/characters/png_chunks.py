"""PNG files as a row of chunks, and the texts in them. Decodes no picture.

Format: W3C PNG (third edition), sections 5 and 11.3.3.
"""

import itertools
import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from unabridged.errors import DocumentDamaged, DocumentTooCostly

SIGNATURE = b"\x89PNG\r\n\x1a\n"
TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")
LARGEST_TEXT_BYTES = 12 << 20  # unpacked: a card of 8 MiB in base64, and some room
MOST_CHUNKS = 50_000
LARGEST_SIDE = 16384  # pixels


class Chunk(NamedTuple):
    kind: bytes
    data: bytes


def split(png: bytes, name: str) -> list[Chunk]:
    """All chunks, checked. `name` is the file's, for messages. Raises DocumentDamaged, DocumentTooCostly."""
    chunks = list(itertools.islice(_chunks(png, name), MOST_CHUNKS + 1))
    if len(chunks) > MOST_CHUNKS:
        raise DocumentTooCostly(f"{name} is cut into more than {MOST_CHUNKS:,} parts.", hint="Save the picture anew.")
    if not chunks or chunks[0].kind != b"IHDR" or len(chunks[0].data) != 13 or chunks[-1].kind != b"IEND":
        raise _damaged(name)
    width, height = struct.unpack(">II", chunks[0].data[:8])
    if not 0 < width <= LARGEST_SIDE or not 0 < height <= LARGEST_SIDE:
        raise DocumentTooCostly(
            f"The picture {name} claims {width:,} × {height:,} pixels.",
            hint=f"Save it with at most {LARGEST_SIDE:,} on a side.",
        )
    return chunks


def join(chunks: Sequence[Chunk]) -> bytes:
    parts = [SIGNATURE]
    for kind, data in chunks:
        parts += [struct.pack(">I", len(data)), kind, data, struct.pack(">I", zlib.crc32(kind + data))]
    return b"".join(parts)


def text_of(chunk: Chunk, name: str) -> tuple[str, bytes] | None:
    """Keyword and text (bytes as they stand, unpacked) of a text chunk; None for other chunks. Raises as `split` does."""
    if chunk.kind not in TEXT_CHUNKS:
        return None
    keyword, _, rest = chunk.data.partition(b"\0")
    packed = chunk.kind == b"zTXt"
    if packed:
        rest = rest[1:]
    elif chunk.kind == b"iTXt":
        packed = rest[:1] == b"\1"
        parts = rest[2:].split(b"\0", 2)  # language, translated keyword, text
        rest = parts[2] if len(parts) == 3 else b""
    return keyword.decode("latin-1"), _unpacked(rest, name) if packed else rest


def text_chunk(keyword: str, text: bytes) -> Chunk:
    return Chunk(b"tEXt", keyword.encode("latin-1") + b"\0" + text)


def plain_picture(side: int = 64, grey: int = 0x80) -> bytes:
    """A picture for a card that has none."""
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + bytes([grey]) * side) * side)
    return join([Chunk(b"IHDR", header), Chunk(b"IDAT", rows), Chunk(b"IEND", b"")])


def _chunks(png: bytes, name: str) -> Iterator[Chunk]:
    if not png.startswith(SIGNATURE):
        raise _damaged(name)
    view, position, kind = memoryview(png), len(SIGNATURE), b""
    while kind != b"IEND":
        if position + 12 > len(png):
            raise _damaged(name)
        length = int.from_bytes(view[position : position + 4])
        end = position + 12 + length
        if end > len(png):
            raise _damaged(name)
        kind, data = bytes(view[position + 4 : position + 8]), bytes(view[position + 8 : end - 4])
        if zlib.crc32(view[position + 4 : end - 4]) != int.from_bytes(view[end - 4 : end]):
            raise _damaged(name)
        yield Chunk(kind, data)
        position = end


def _unpacked(data: bytes, name: str) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(data, LARGEST_TEXT_BYTES + 1)
    except zlib.error as error:
        raise _damaged(name) from error
    if len(text) > LARGEST_TEXT_BYTES:
        raise DocumentTooCostly(
            f"A text inside {name} unpacks to more than {LARGEST_TEXT_BYTES >> 20} MB.",
            hint="It may be a zip bomb; fetch another copy.",
        )
    if not unpacker.eof:
        raise _damaged(name)
    return text


def _damaged(name: str) -> DocumentDamaged:
    return DocumentDamaged(
        f"The picture {name} is damaged or cut short.", hint="Fetch it again; screenshots of cards hold no card."
    )
