"""Cards for tests, made after the published specifications without any code of the program."""

import base64
import io
import json
import struct
import zipfile
import zlib
from typing import Any

V1 = {
    "name": "Ada",
    "description": "{{char}} keeps the lighthouse of Skarv.",
    "personality": "dry, patient",
    "scenario": "A storm keeps {{user}} on the island.",
    "first_mes": "You are wet, {{user}}.",
    "mes_example": "<START>\n{{user}}: Is it far?\n{{char}}: Everything is far from here.",
}
BOOK = {
    "name": "Skarv",
    "scan_depth": 4,
    "token_budget": 500,
    "recursive_scanning": True,
    "extensions": {"origin": "test"},
    "entries": [
        {
            "keys": ["lamp", "light"],
            "content": "The lamp burns herring oil.",
            "extensions": {"depth": 4, "position": 4, "unknown": [1, None]},
            "enabled": True,
            "insertion_order": 10,
            "id": 1,
            "comment": "lamp",
        },
        {
            "keys": [],
            "content": "Skarv lies in the north.",
            "extensions": {},
            "enabled": True,
            "insertion_order": 1,
            "constant": True,
        },
    ],
}
V2 = {
    "spec": "chara_card_v2",
    "spec_version": "2.0",
    "data": {
        **V1,
        "creator_notes": "Made for a test.",
        "system_prompt": "Play {{char}}. {{original}}",
        "post_history_instructions": "Stay dry.",
        "alternate_greetings": ["The lamp is out.", "Who knocks?"],
        "character_book": BOOK,
        "tags": ["sea", "灯塔"],
        "creator": "nobody",
        "character_version": "1.2",
        "extensions": {
            "depth_prompt": {"prompt": "{{char}} never leaves the island.", "depth": 4, "role": "system"},
            "talkativeness": "0.8",
            "vendor/thing": {"deep": [1.5, {"x": None}], "text": "<script>alert(1)</script>"},
        },
    },
    "unknown_beside_data": True,
}
V3 = {
    "spec": "chara_card_v3",
    "spec_version": "3.0",
    "data": {
        **V2["data"],  # type: ignore[dict-item]
        "nickname": "Addie",
        "creator_notes_multilingual": {"de": "Für einen Test.", "zh": "测试用"},
        "source": ["ftp://nowhere"],
        "group_only_greetings": ["So many guests."],
        "creation_date": 1700000000,
        "assets": [
            {"type": "icon", "uri": "ccdefault:", "name": "main", "ext": "png"},
            {"type": "emotion", "uri": "embeded://assets/emotion/image/joy.webp", "name": "joy", "ext": "webp"},
            {"type": "background", "uri": "https://example.org/sea.png", "name": "sea", "ext": "png"},
        ],
        "unknown_field": {"kept": "yes"},
    },
}


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*texts: bytes, width: int = 2, height: int = 2) -> bytes:
    """A picture of a few pixels with whole chunks before its end."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    rows = chunk(b"IDAT", zlib.compress((b"\0" + b"\xff\x80\x00" * 2) * 2))
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + chunk(b"pHYs", b"\0\0\x0b\x13\0\0\x0b\x13\x01")
        + rows
        + b"".join(texts)
        + chunk(b"IEND", b"")
    )


def packed(card: object) -> bytes:
    return base64.b64encode(json.dumps(card, ensure_ascii=False).encode())


def text(keyword: str, value: bytes) -> bytes:
    return chunk(b"tEXt", keyword.encode() + b"\0" + value)


def compressed_text(keyword: str, value: bytes) -> bytes:
    return chunk(b"zTXt", keyword.encode() + b"\0\0" + zlib.compress(value, 9))


def international_text(keyword: str, value: bytes, *, compress: bool) -> bytes:
    body = zlib.compress(value, 9) if compress else value
    return chunk(b"iTXt", keyword.encode() + b"\0" + bytes([compress]) + b"\0en\0keyword\0" + body)


def charx(card: Any, files: dict[str, bytes] | None = None) -> bytes:  # noqa: ANN401  any JSON
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("card.json", json.dumps(card))
        for path, content in (files or {}).items():
            archive.writestr(path, content)
    return buffer.getvalue()
