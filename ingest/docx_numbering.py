"""The numbers that Word prints before list paragraphs and headings, which are in no text: "14.1", "第三条", "(iv)", "•".

Source: ECMA-376 part 1, §17.9 (numbering) and §17.18.59 (ST_NumberFormat). Counters live per abstract list, as in
Word: several lists over one abstract definition go on counting, an override with a start value begins anew.
"""

import re
from dataclasses import dataclass, field

from lxml import etree
from unabridged.ingest.numerals import chinese_numeral, letter_numeral, roman_numeral
from unabridged.ingest.ooxml import W

_STEMS, _BRANCHES = "甲乙丙丁戊己庚辛壬癸", "子丑寅卯辰巳午未申酉戌亥"
_FINANCIAL = str.maketrans("一二三四五六七八九十百千", "壹贰叁肆伍陆柒捌玖拾佰仟")
_CHINESE = {
    "chineseCounting", "chineseCountingThousand", "japaneseCounting", "taiwaneseCounting", "taiwaneseCountingThousand",
    "ideographDigital", "japaneseDigitalTenThousand", "taiwaneseDigital", "koreanDigital2",
}  # fmt: skip
_ORDINALS = [
    "Zeroth",
    "First",
    "Second",
    "Third",
    "Fourth",
    "Fifth",
    "Sixth",
    "Seventh",
    "Eighth",
    "Ninth",
    "Tenth",
    "Eleventh",
    "Twelfth",
]
_CARDINALS = [
    "Zero",
    "One",
    "Two",
    "Three",
    "Four",
    "Five",
    "Six",
    "Seven",
    "Eight",
    "Nine",
    "Ten",
    "Eleven",
    "Twelve",
    "Thirteen",
    "Fourteen",
    "Fifteen",
    "Sixteen",
    "Seventeen",
    "Eighteen",
    "Nineteen",
    "Twenty",
]
# Bullets are written in symbol fonts; their private-use characters mean these signs.
_BULLETS = {
    "\uf0b7": "•",
    "\uf0a7": "▪",
    "\uf0d8": "➢",
    "\uf0fc": "✓",
    "\uf0a8": "□",
    "\uf06f": "□",
    "\uf076": "❖",
    "\uf02d": "-",
    "o": "◦",
}


@dataclass(frozen=True, slots=True)
class Level:
    start: int
    format: str
    text: str  # "%1.%2"
    restart: int | None  # the level (from 1) after which it begins anew; 0: never; None: after any higher one
    legal: bool  # all numbers in digits, whatever their own level says
    style: str | None
    suffix: str  # between number and text: "\t", " " or ""


@dataclass(slots=True)
class _List:
    """A `w:num`: which abstract list it counts in, and what it changes there."""

    abstract: str
    starts: dict[int, int] = field(default_factory=dict)
    levels: dict[int, Level] = field(default_factory=dict)
    begun: set[int] = field(default_factory=set)  # levels whose overriding start value has been used


class Numbering:
    """Call `label` once for every numbered paragraph, in document order."""

    def __init__(self, root: etree._Element | None) -> None:
        self._abstracts: dict[str, dict[int, Level]] = {}
        self._lists: dict[str, _List] = {}
        self._counters: dict[str, dict[int, int]] = {}
        self._styles: dict[str, int] = {}
        if root is None:
            return
        links: dict[str, str] = {}  # numbering style → abstract list that defines it
        wanted: dict[str, str] = {}
        for element in root.findall(W + "abstractNum"):
            identity = element.get(W + "abstractNumId") or ""
            self._abstracts[identity] = {_whole(e.get(W + "ilvl")): _level(e) for e in element.findall(W + "lvl")}
            defines, uses = element.find(W + "styleLink"), element.find(W + "numStyleLink")
            if defines is not None:
                links[defines.get(W + "val") or ""] = identity
            if uses is not None:
                wanted[identity] = uses.get(W + "val") or ""
        for identity, style in wanted.items():
            self._abstracts[identity] = self._abstracts.get(links.get(style, ""), {}) or self._abstracts[identity]
        for element in root.findall(W + "num"):
            abstract = element.find(W + "abstractNumId")
            self._lists[element.get(W + "numId") or ""] = _read_list(
                element, "" if abstract is None else abstract.get(W + "val") or ""
            )

    def level_of_style(self, list_id: str, style: str) -> int | None:
        """The level (from 0) that a list gives to a paragraph style."""
        found = self._lists.get(list_id)
        levels = self._abstracts.get(found.abstract, {}) if found else {}
        return next((index for index, level in levels.items() if level.style == style), None)

    def label(self, list_id: str, level: int) -> tuple[str, str, bool] | None:
        """The printed number, what stands between it and the text, whether it counts (False for a bullet); None for none."""
        found = self._lists.get(list_id)
        if found is None:
            return None
        levels = {**self._abstracts.get(found.abstract, {}), **found.levels}
        present = levels.get(level)
        if present is None:
            return None
        counters = self._counters.setdefault(found.abstract, {})
        if level in found.starts and level not in found.begun:
            found.begun.add(level)
            counters[level] = found.starts[level]
        elif level in counters:
            counters[level] += 1
        else:
            counters[level] = present.start
        for above in range(level):
            counters.setdefault(above, levels[above].start if above in levels else 1)
        for below in [b for b in counters if b > level]:
            restart = levels[below].restart if below in levels else None
            if restart is None or level < restart:
                del counters[below]
        if present.format == "bullet":
            sign = _BULLETS.get(present.text, present.text)
            return ("•" if sign and 0xE000 <= ord(sign[0]) <= 0xF8FF else sign), present.suffix, False
        if present.format == "none" and "%" not in present.text.replace(f"%{level + 1}", ""):
            text = present.text.replace(f"%{level + 1}", "")
            return (text, present.suffix, False) if text.strip() else None

        def number(match: "re.Match[str]") -> str:
            index = int(match[1]) - 1
            style = levels[index].format if index in levels else "decimal"
            return written(counters.get(index, 1), "decimal" if (present.legal and index < level) or present.legal else style)

        text = re.sub(r"%([1-9])", number, present.text)
        return (text, present.suffix, True) if text.strip() else None


def written(value: int, style: str) -> str:
    """`value` in one of ECMA-376's number formats; formats that are not known here are written in digits."""
    if style in ("upperRoman", "lowerRoman"):
        return _cased(roman_numeral(value), style)
    if style in ("upperLetter", "lowerLetter"):
        return _cased(letter_numeral(value), style)
    if style in _CHINESE:
        return "".join("〇一二三四五六七八九"[int(c)] for c in str(value)) if "igital" in style else chinese_numeral(value)
    if style in ("chineseLegalSimplified", "ideographLegalTraditional", "japaneseLegal"):
        return chinese_numeral(value).translate(_FINANCIAL)
    if style == "decimalZero":
        return f"{value:02d}"
    if style in ("decimalEnclosedCircle", "decimalEnclosedCircleChinese") and 1 <= value <= 20:
        return chr(0x245F + value)
    if style == "decimalEnclosedParen" and 1 <= value <= 20:
        return chr(0x2473 + value)
    if style == "decimalEnclosedFullstop" and 1 <= value <= 20:
        return chr(0x2487 + value)
    if style in ("decimalFullWidth", "decimalFullWidth2"):
        return str(value).translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    if style == "ideographTraditional" and 1 <= value <= 10:
        return _STEMS[value - 1]
    if style == "ideographZodiac" and 1 <= value <= 12:
        return _BRANCHES[value - 1]
    if style == "ordinal":
        tail = "th" if 10 <= value % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
        return f"{value}{tail}"
    if style == "ordinalText" and value < len(_ORDINALS):
        return _ORDINALS[value]
    if style == "cardinalText" and value < len(_CARDINALS):
        return _CARDINALS[value]
    return "" if style == "none" else str(value)


def _cased(text: str, style: str) -> str:
    return text.lower() if style.startswith("lower") else text


def _read_list(element: etree._Element, abstract: str) -> _List:
    found = _List(abstract)
    for override in element.findall(W + "lvlOverride"):
        index = _whole(override.get(W + "ilvl"))
        start, level = override.find(W + "startOverride"), override.find(W + "lvl")
        if level is not None:
            found.levels[index] = _level(level)
        if start is not None:
            found.starts[index] = _whole(start.get(W + "val"))
    return found


def _level(element: etree._Element) -> Level:
    def value(name: str) -> str | None:
        child = element.find(W + name)
        return None if child is None else child.get(W + "val", "")

    restart = value("lvlRestart")
    style = value("numFmt") or "decimal"
    custom = element.find(f"{{*}}AlternateContent//{W}numFmt")
    if custom is not None and style == "decimal":
        style = custom.get(W + "val", "decimal")
    return Level(
        start=_whole(value("start"), 1),
        format=style,
        text=value("lvlText") or "",
        restart=None if restart is None else _whole(restart),
        legal=value("isLgl") not in (None, "0", "false"),
        style=value("pStyle"),
        suffix={"space": " ", "nothing": ""}.get(value("suff") or "tab", "\t"),
    )


def _whole(text: str | None, default: int = 0) -> int:
    try:
        return int(text) if text is not None else default
    except ValueError:
        return default
