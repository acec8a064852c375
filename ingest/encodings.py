"""Which encoding a text file is in. Knows bytes only; what the text means is not asked.

Order: what the user says, a byte order mark, the pattern of zero bytes of UTF-16/32, valid UTF-8, then a choice among the
multi-byte East Asian encodings and Windows-1252 by how ordinary the decoded characters are, with charset-normalizer for the
rest. Everything from that last step on is a guess and is reported as one.
"""

import codecs
from dataclasses import dataclass

from charset_normalizer import from_bytes

_SAMPLE_BYTES = 200_000
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CANDIDATES = ("gb18030", "big5hkscs", "shift_jis", "euc_jp", "euc_kr")
# Beyond how many of the letters are East Asian a single-byte reading is excluded.
_EAST_ASIAN_SHARE = 0.3
# The characters that make up about a third of any text in the language; they tell apart encodings with the same byte ranges.
_COMMONEST = {
    "gb18030": "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里条应",
    "big5hkscs": "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡條應",
    "euc_kr": "이다의에는을를가고하한지로서사기도어시자대인그해정일리나라여",
    "shift_jis": "のにはをたがでとしれさるないもかすこ",
    "euc_jp": "のにはをたがでとしれさるないもかすこ",
}


@dataclass(frozen=True, slots=True)
class Encoding:
    name: str
    certain: bool


def is_binary(data: bytes) -> bool:
    """Whether these bytes are no text in any encoding: control characters that text does not have, and no Unicode pattern."""
    sample = data[:_SAMPLE_BYTES]
    if not sample or _mark(sample) or _zero_pattern(sample):
        return False
    controls = sum(sample.count(bytes([byte])) for byte in (*range(9), *range(14, 27), 28, 29, 30, 31, 127))
    return (sample.count(0) > 0 and controls > len(sample) * 0.002) or controls > len(sample) * 0.02


def detect(data: bytes) -> Encoding:
    """The encoding to decode `data` with; `certain` is False where it is a guess."""
    mark = _mark(data)
    if mark:
        return Encoding(mark, certain=True)
    wide = _zero_pattern(data)
    if wide:
        return Encoding(wide, certain=True)
    if _decodes(data, "utf-8"):
        return Encoding("utf-8", certain=True)
    return Encoding(_likeliest(data), certain=False)


def _mark(data: bytes) -> str:
    return next((name for mark, name in _MARKS if data.startswith(mark)), "")


def _zero_pattern(data: bytes) -> str:
    """UTF-32 or UTF-16 without a mark: zeros stand where the high halves of ASCII or line ends would be."""
    sample = data[: 4096 * 4]
    if len(sample) < 4 or 0 not in sample:
        return ""
    if len(data) % 4 == 0:
        for name in ("utf-32-le", "utf-32-be"):
            if _decodes(data, name):
                return name
    if len(data) % 2:
        return ""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    name = "utf-16-le" if odd > even else "utf-16-be"
    return name if _decodes(data, name) and _is_ordinary(sample.decode(name, "ignore")) else ""


def _is_ordinary(text: str) -> bool:
    """Whether nearly all characters are those of everyday writing; bytes taken in pairs by mistake give rare ones."""
    everyday = sum((c.isprintable() and _has_everyday_code(c)) or c in "\n\r\t" for c in text)
    return everyday > 0.9 * len(text)


def _has_everyday_code(character: str) -> bool:
    if character < "\u0600" or "\u2010" <= character <= "\u2030" or "\uac00" <= character <= "\ud7a3":
        return True
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return _by_row(character, "big5", 0xA1, 0xC6) > 0
    return True


def _decodes(data: bytes, name: str) -> bool:
    try:
        data.decode(name)
    except UnicodeDecodeError:
        return False
    return True


def _likeliest(data: bytes) -> str:
    scores = {name: score for name in _CANDIDATES if (score := _ordinariness(data, name)) is not None}
    best = max(scores, key=scores.__getitem__, default="")
    if best and scores[best] > _EAST_ASIAN_SHARE:
        return best
    guess = from_bytes(data[:_SAMPLE_BYTES]).best()
    if guess is not None and not guess.encoding.startswith(
        ("cp125", "iso8859", "latin", "mac", "cp4", "cp8", "ascii", "cp10", "cp11")
    ):
        return guess.encoding
    if guess is not None and guess.encoding in ("cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "iso8859_5", "mac_cyrillic"):
        return guess.encoding
    return "cp1252" if _decodes(data, "cp1252") else "latin-1"


def _ordinariness(data: bytes, name: str) -> float | None:
    """How much the non-ASCII characters look like text in the language of this encoding: about 2 for real text."""
    sample = data[:_SAMPLE_BYTES]
    try:
        text = codecs.getincrementaldecoder(name)().decode(sample, final=len(data) <= _SAMPLE_BYTES)
    except UnicodeDecodeError:
        return None
    foreign = [c for c in text if c > "\x7f"]
    if not foreign:
        return None
    commonest = sum(c in _COMMONEST[name] for c in foreign)
    return (sum(_everyday(c, name) for c in foreign) + 3 * commonest) / len(foreign)


def _everyday(character: str, name: str) -> float:
    """1 for the commonest characters, less for rarer, negative for what no text in this encoding would hold."""
    code = ord(character)
    if 0xE000 <= code <= 0xF8FF:
        return -2
    if 0x3040 <= code <= 0x30FF:
        return 1 if name in ("shift_jis", "euc_jp") else 0.1
    if 0xFF61 <= code <= 0xFF9F:
        return -0.5
    if 0xAC00 <= code <= 0xD7A3:
        return _by_row(character, "euc_kr", 0xB0, 0xC8) if name == "euc_kr" else -1
    if 0x3000 <= code <= 0x301F or 0xFF01 <= code <= 0xFF5E or code in (0x2014, 0x2018, 0x2019, 0x201C, 0x201D, 0x2026, 0xB7):
        return 1
    if 0x4E00 <= code <= 0x9FFF:
        if name == "gb18030":
            return _by_row(character, "gb2312", 0xB0, 0xD7)
        if name == "big5hkscs":
            return _by_row(character, "big5", 0xA4, 0xC6)
        if name in ("shift_jis", "euc_jp"):
            return 0.8 * _by_row(character, "euc_jp", 0xB0, 0xCF)
        return 0.2
    return -0.2


def is_everyday_chinese(character: str) -> bool:
    """Whether a Chinese character is among the 3,800 or 5,400 that the mainland's or Taiwan's standard puts first."""
    return _by_row(character, "gb2312", 0xB0, 0xD7) > 0 or _by_row(character, "big5", 0xA4, 0xC6) > 0


def _by_row(character: str, table: str, first: int, last: int) -> float:
    """1 where the character stands in the rows that its national standard gives to everyday characters, 0 elsewhere."""
    try:
        lead = character.encode(table)[0]
    except UnicodeEncodeError:
        return -0.5
    return 1.0 if first <= lead <= last else -0.2
