"""What the database keeps of a document beside its text, as bytes: blocks, pages, lines, problems, anchors of passages."""

import json
import zlib

from unabridged.ingest.document import Anchor, Box, Document
from unabridged.ingest.wire import decode, dumps, encode


def pack(document: Document) -> bytes:
    content = encode(document)
    del content["text"], content["media_type"]
    return zlib.compress(dumps(content), level=3)


def unpack(layout: bytes, *, id: str, name: str, media_type: str, text: str) -> Document:
    content = json.loads(zlib.decompress(layout).decode("utf-8", "surrogatepass"))
    return decode({**content, "media_type": media_type, "text": text}, id=id, name=name)


def pack_anchor(anchor: Anchor) -> str:
    box = anchor.box and [anchor.box.x0, anchor.box.y0, anchor.box.x1, anchor.box.y1]
    return json.dumps([anchor.page, anchor.page_label, anchor.path, box], ensure_ascii=False)


def unpack_anchor(kept: str) -> Anchor:
    page, page_label, path, box = json.loads(kept)
    return Anchor(page, page_label, Box(*box) if box else None, path)
