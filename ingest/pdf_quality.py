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
    signs = Counter({c: n for c, n in Counter(text).items() if not c.isspace()})  # a page has few different characters
    total = signs.total()
    if not total:
        return False
    bad = sum(n for c, n in signs.items() if _is_impossible(c))
    if bad > _BAD_SHARE * total or (bad and total < _MANY and bad > _SHORT_BAD_SHARE * total):
        return True
    letters = Counter({c: n for c, n in signs.items() if c.isalpha()})
    if letters.total() >= 8 and _has_controls(signs, len(text)):
        return True
    digits = sum(n for c, n in signs.items() if c.isdigit())
    if total >= _MANY and letters.total() + digits < 0.35 * total:
        return True
    return _is_no_chinese(letters) or _is_no_latin(letters, text)


def _is_impossible(character: str) -> bool:
    return character == "\ufffd" or unicodedata.category(character) in ("Co", "Cn", "Cc", "Cs")


def _has_controls(signs: Counter[str], length: int) -> bool:
    return sum(n for c, n in signs.items() if unicodedata.category(c) == "Cc") > 0.05 * length


def _is_no_chinese(letters: Counter[str]) -> bool:
    """Chinese text is mostly everyday characters; a shifted table of codes gives rare ones at random."""
    chinese = Counter({c: n for c, n in letters.items() if "\u4e00" <= c <= "\u9fff"})
    if chinese.total() < _MANY / 4 or chinese.total() < 0.5 * letters.total():
        return False
    rare = sum(n for c, n in chinese.items() if not is_everyday_chinese(c))
    return rare > _RARE_CHINESE_SHARE * chinese.total()


def _is_no_latin(letters: Counter[str], text: str) -> bool:
    """In European languages two to three of five letters are vowels, and words differ; a substituted alphabet has neither."""
    latin: Counter[str] = Counter()
    for c, n in letters.items():
        if unicodedata.name(c, "").startswith(("LATIN", "GREEK", "CYRILLIC")):
            latin[c.lower()] += n
    total = latin.total()
    if total < _MANY or total < 0.7 * letters.total():
        return False
    vowels = sum(n for c, n in latin.items() if unicodedata.normalize("NFD", c)[0] in _VOWELS or c in _VOWELS) / total
    if _VOWEL_SHARE[0] <= vowels <= _VOWEL_SHARE[1]:
        return False
    words = Counter(map(len, _WORD.findall(text)))
    longer = sum(count for length, count in words.items() if length > 3)
    return longer > 0.3 * words.total()  # tables of units and abbreviations have few vowels, too
