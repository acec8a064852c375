"""Whether a page's text layer is what it shows: broken fonts give private-use signs, U+FFFD, or letters that spell nothing.

Judges text alone, never the picture of the page. Shares and rates are of the page; short pages are judged by their signs only.
"""

import re
import unicodedata
from collections import Counter

from unabridged.ingest.encodings import is_everyday_chinese

_MANY = 200  # letters from which statistics mean something
_BAD_SHARE = 0.15
_SHORT_BAD_SHARE = 0.3
_VOWELS = frozenset("aeiouyàáâãäåæèéêëìíîïòóôõöøùúûüýœαεηιουωаеёиоуыэюяіїє")
_RARE_CHINESE_SHARE = 0.4
_VOWEL_SHARE = (0.22, 0.62)
_WORD = re.compile(r"[^\W\d_]+")


def is_garbled(text: str) -> bool:
    """True where no reader could make sense of the text; False for pages without letters to judge (tables of figures)."""
    signs = [c for c in text if not c.isspace()]
    if not signs:
        return False
    bad = sum(_is_impossible(c) for c in signs)
    if bad > _BAD_SHARE * len(signs) or (bad and len(signs) < _MANY and bad > _SHORT_BAD_SHARE * len(signs)):
        return True
    letters = [c for c in signs if c.isalpha()]
    if len(letters) >= 8 and _has_controls(text):
        return True
    if len(signs) >= _MANY and len(letters) + sum(c.isdigit() for c in signs) < 0.35 * len(signs):
        return True
    return _is_no_chinese(letters) or _is_no_latin(letters, text)


def _is_impossible(character: str) -> bool:
    return character == "\ufffd" or unicodedata.category(character) in ("Co", "Cn", "Cc", "Cs")


def _has_controls(text: str) -> bool:
    return sum(unicodedata.category(c) == "Cc" for c in text if not c.isspace()) > 0.05 * len(text)


def _is_no_chinese(letters: list[str]) -> bool:
    """Chinese text is mostly everyday characters; a shifted table of codes gives rare ones at random."""
    chinese = [c for c in letters if "\u4e00" <= c <= "\u9fff"]
    if len(chinese) < _MANY / 4 or len(chinese) < 0.5 * len(letters):
        return False
    rare = sum(not is_everyday_chinese(c) for c in chinese)
    return rare > _RARE_CHINESE_SHARE * len(chinese)


def _is_no_latin(letters: list[str], text: str) -> bool:
    """In European languages two to three of five letters are vowels, and words differ; a substituted alphabet has neither."""
    latin = [c.lower() for c in letters if unicodedata.name(c, "").startswith(("LATIN", "GREEK", "CYRILLIC"))]
    if len(latin) < _MANY or len(latin) < 0.7 * len(letters):
        return False
    vowels = sum(unicodedata.normalize("NFD", c)[0] in _VOWELS or c in _VOWELS for c in latin) / len(latin)
    if _VOWEL_SHARE[0] <= vowels <= _VOWEL_SHARE[1]:
        return False
    words = Counter(map(len, _WORD.findall(text)))
    longer = sum(count for length, count in words.items() if length > 3)
    return longer > 0.3 * words.total()  # tables of units and abbreviations have few vowels, too
