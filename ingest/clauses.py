"""Recognises how a clause, chapter or list item announces itself: 第三十条, ARTICLE 4, Section 4.2(b), 1.1, (iv), （一）.

Looks at the beginning of one block and knows nothing of the blocks around it; `outline` decides whether the number belongs
there. Ranks order what contains what: a smaller rank closes a larger one.
"""

import re
from dataclasses import dataclass

from unabridged.ingest.numerals import CHINESE, chinese_value, enclosed_value, letter_value, roman_value

RANK_TITLE, RANK_BOOK, RANK_PART, RANK_CHAPTER, RANK_SECTION, RANK_CLAUSE = 0, 10, 11, 20, 21, 30
RANK_ITEM = 100  # list items: their depth is found from the items around them


@dataclass(frozen=True, slots=True)
class Number:
    """`label` is how a person cites it; `style` tells lists apart; `values` are the possible readings of an item's number.

    `sure` is False where the same words could begin an ordinary sentence (第三十条规定的…): then only the sequence tells.
    `length` counts the code points of the number itself, without the white space after it.
    """

    rank: int
    style: str
    label: str
    values: tuple[tuple[str, int], ...]
    length: int
    heading: bool = False
    sure: bool = True

    @property
    def value(self) -> int:
        return self.values[0][1]

    def follows(self, other: "Number") -> bool:
        """Whether it is the next in the other's order: 4.3 after 4.2, Section 5 after Section 4."""
        before, after = (number.label.removesuffix(".0").rpartition(".")[0] for number in (other, self))
        return before == after and self.value == other.value + 1


_CHINESE_DIGITS = rf"[{CHINESE}0-9０-９]+"
_ZH = re.compile(rf"第[ \u3000]*({_CHINESE_DIGITS})[ \u3000]*(分编|编|篇|部分|部|卷|集|章|回|节|条)((?:之[{CHINESE}]+)?)")
_ZH_RANK = {
    "编": RANK_BOOK, "篇": RANK_BOOK, "部分": RANK_BOOK, "部": RANK_BOOK, "卷": RANK_BOOK, "集": RANK_BOOK,
    "分编": RANK_PART, "章": RANK_CHAPTER, "回": RANK_CHAPTER, "节": RANK_SECTION, "条": RANK_CLAUSE,
}  # fmt: skip
_CHINESE_HEADINGS = frozenset(
    ["附则", "总则", "分则", "附录", "目录", "目錄", "前言", "楔子", "后记", "序", "序言", "结语", "尾声"]
)
_ZH_ANNEX = re.compile(rf"附件[{CHINESE}0-9]*$")
_ENGLISH_HEADINGS = frozenset(
    """introduction|abstract|method|methods|materials and methods|results|results and discussion|discussion
    |conclusion|conclusions|references|acknowledgements|acknowledgments|bibliography
    |prologue|epilogue|preface|foreword|recitals|preamble
    |table of contents|contents|appendix""".replace("\n    ", "").split("|")
)
_SENTENCE_END = re.compile(r"[。；;，,：:！!？?…]$")

_EN_BOOK = re.compile(
    r"(PART|BOOK|VOLUME|TITLE|DIVISION|Part|Book|Volume|Title|Division)\s+([IVXLC]+|\d{1,3}|[A-Z]|One|Two|Three|Four|Five|Six)\b"
)
_EN_CHAPTER = re.compile(r"(CHAPTER|ARTICLE|Chapter|Article)\s+([IVXLC]+|\d{1,3}|[A-Z][a-z]+|[A-Z]{3,12})\b")
_EN_ANNEX = re.compile(
    r"(SCHEDULE|EXHIBIT|ANNEX|APPENDIX|Schedule|Exhibit|Annex|Appendix)\s+"
    r"([A-Z]{1,2}|[A-Z]?-?\d{1,3}(?:\.\d{1,2})*(?:\([a-z0-9]+\))*|[A-Z]-\d{1,2}|[IVX]+)(?![\w(])"
)
_EN_ROMAN = re.compile(r"([IVX]+)\.\s+[A-Z][A-Z0-9 ,&:/’'()-]{2,80}$")
_EN_SECTION = re.compile(r"(SECTION|Section|Sec\.|§|Clause|CLAUSE)\s*(\d{1,3}(?:\.\d{1,3}){0,4})((?:\([A-Za-z0-9]{1,4}\))*)")
_DECIMAL = re.compile(r"(\d{1,3}(?:\.\d{1,3}){1,5})[.)]?(?=\s)")
_SIMPLE = re.compile(r"(\d{1,3})(?:[.)](?=\s)|[.．、](?=\D))|([０-９]{1,3})[．、.]")
_BRACKET = re.compile(rf"[（(]\s*(?:([a-z]{{1,5}})|([A-Z]{{1,4}})|(\d{{1,3}})|([{CHINESE}]{{1,4}}))\s*[)）]")
_LETTER = re.compile(r"([a-z]|[A-Z]|[ivx]{2,5}|[IVX]{2,5})[.)](?=\s)")
_ZH_ITEM = re.compile(rf"([{CHINESE}]{{1,4}})、")
_WORDS = {word: n for n, word in enumerate(
    ["ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE", "TEN", "ELEVEN", "TWELVE", "THIRTEEN", "FOURTEEN", "FIFTEEN", "SIXTEEN", "SEVENTEEN", "EIGHTEEN", "NINETEEN", "TWENTY"], 1)}  # fmt: skip  # noqa: E501
_PARAGRAPH_OF_ARTICLE = re.compile(rf"(?<=条)第[{CHINESE}]+款$")
_HEADING_LIMIT = 120  # code points; a longer first line is running text


def clause_of(path: str) -> str:
    """The path without the paragraph of an article (款) at its end: what a passage does not divide without need."""
    return _PARAGRAPH_OF_ARTICLE.sub("", path)


def number_of(text: str) -> Number | None:
    """The number that `text` (a block, its leading white space removed) begins with, or None."""
    head = text[:400]
    line = head.partition("\n")[0].strip()
    return _chinese(head, line) or _english(head, line) or _item(head)


def general_heading(text: str) -> str:
    """The label of an unnumbered line that is a heading by its words alone (目录, 附则, Discussion), or ""."""
    if len(text) > 60 or "\n" in text.strip():
        return ""
    line = " ".join(text.split())
    if len(line) > 30:
        return ""
    joined = re.sub(r"[ \u3000]+", "", line)
    if joined in _CHINESE_HEADINGS or _ZH_ANNEX.match(joined):
        return joined
    return line.rstrip(".:") if line.rstrip(".:").lower() in _ENGLISH_HEADINGS else ""


def _chinese(head: str, line: str) -> Number | None:
    match = _ZH.match(head)
    if match is None:
        return None
    value = chinese_value(match[1])
    if value is None:
        return None
    unit, rest = match[2], head[match.end() :]
    rank = _ZH_RANK[unit]
    label = f"第{match[1]}{unit}{match[3]}"
    spaced = not rest or rest[0] in " \u3000\t\n：:【[(（."
    if rank == RANK_CLAUSE:
        title_only = len(line) <= 40 and not _SENTENCE_END.search(line) and "\n" not in text_after(head, line)
        return Number(
            rank,
            "条",
            label,
            ((unit + match[3], value),),
            match.end(),
            heading=title_only,
            sure=spaced and rest[:1] not in "(（",
        )
    heading = len(line) <= 60 and not line.endswith(("。", "；", "，") if spaced else ("。", "；", "，", "、"))
    if not heading:
        return None
    return Number(rank, unit, label, ((unit, value),), match.end(), heading=True, sure=spaced)


def text_after(head: str, line: str) -> str:
    return head.lstrip()[len(line) :].strip()


def _english(head: str, line: str) -> Number | None:
    for pattern, rank in ((_EN_BOOK, RANK_BOOK), (_EN_CHAPTER, RANK_CHAPTER), (_EN_ANNEX, RANK_BOOK)):
        match = pattern.match(head)
        if match is None:
            continue
        value = _word_value(match[2]) if pattern is not _EN_ANNEX else 1
        after = line[match.end() :]
        if value is None or len(line) > _HEADING_LIMIT or _runs_on(after):
            continue
        label = " ".join(match[0].split())
        return Number(rank, match[1].lower(), label, ((match[1].lower(), value),), match.end(), heading=True)
    match = _EN_ROMAN.match(line)
    if match is not None and line == head.strip() and (value := roman_value(match[1])):
        return Number(RANK_CHAPTER, "roman", match[1], (("roman", value),), match.end(1), heading=True, sure=False)
    match = _EN_SECTION.match(head)
    if match is not None and not _runs_on(head[match.end() :]):
        dots = match[2].count(".")
        word = "§" if match[1] == "§" else match[1].rstrip(".").capitalize() + ("." if match[1] == "Sec." else "")
        heading = (len(line) <= 80 and line == head.strip() and not line.endswith((".", ";", ","))) or line == match[0].rstrip(
            ". "
        )
        label = f"{word} {match[2]}{match[3]}"
        return Number(
            RANK_CLAUSE + dots, "section", label, (("section", int(match[2].split(".")[-1])),), match.end(), heading=heading
        )
    match = _DECIMAL.match(head)
    if match is not None and not _is_amount(head, match.end()):
        whole = match[1].removesuffix(".0") if match[1].count(".") == 1 else match[1]  # 4.0 is the clause around 4.1
        dots = whole.count(".")
        last = int(whole.split(".")[-1])
        heading = line == head.strip() and len(line) <= 80 and not line.endswith((".", ";", ",", "。", "；", "，", ":", "："))
        return Number(RANK_CLAUSE + dots, "decimal", match[1], (("decimal", last),), match.end(1), heading=heading)
    return None


def _runs_on(after: str) -> bool:
    """Whether what follows a number makes it part of a sentence: "Section 4.2 of this Agreement", "Article V, the"."""
    if re.match(r"\s*[,;)]", after):
        return True
    following = re.match(r"[.:]?\s*([A-Za-z]+)", after)
    return following is not None and following[1][0].islower()


def _is_amount(head: str, end: int) -> bool:
    """ "10.5 million", "1.5 per cent": a quantity, not a clause."""
    following = re.match(r"[.)]?\s*([^\s\d]*)", head[end:])
    word = following[1] if following else ""
    return bool(word) and (word[0].islower() or word[0] in "%$€£¥<>=+-–—万亿元")


def _word_value(word: str) -> int | None:
    if word.isdecimal():
        return int(word)
    return _WORDS.get(word.upper()) or roman_value(word) or (letter_value(word) if len(word) == 1 else None)


def _item(head: str) -> Number | None:
    match = _BRACKET.match(head)
    if match is not None:
        if match[3]:
            return _numbered(f"({match[3]})", (("(1)", int(match[3])),), match.end())
        if match[4]:
            value = chinese_value(match[4])
            return _numbered(f"（{match[4]}）", (("（一）", value),), match.end()) if value else None
        word = match[1] or match[2]
        return _lettered(word, f"({word})", "({})", match.end())
    match = _SIMPLE.match(head)
    if match is not None:
        digits = match[1] or match[2]
        return _numbered(f"{int(digits)}.", (("1.", int(digits)),), match.end())
    match = _ZH_ITEM.match(head)
    if match is not None:
        value = chinese_value(match[1])
        return _numbered(f"{match[1]}、", (("一、", value),), match.end()) if value else None
    enclosed = enclosed_value(head[:1]) if head else None
    if enclosed is not None:
        style = "①" if ord(head[0]) < 0x2474 else "⑴" if ord(head[0]) < 0x2488 else "⒈"
        return _numbered(head[0], ((style, enclosed),), 1)
    match = _LETTER.match(head)
    if match is not None:
        return _lettered(match[1], match[0], "{}" + match[0][-1], match.end())
    return None


def _numbered(label: str, values: tuple[tuple[str, int], ...], length: int) -> Number:
    return Number(RANK_ITEM, values[0][0], label, values, length)


def _lettered(word: str, label: str, frame: str, length: int) -> Number | None:
    """(i) may be the ninth letter or the first Roman numeral: both readings are kept."""
    upper = word.isupper()
    readings: list[tuple[str, int]] = []
    for value, sign in ((roman_value(word), "i"), (letter_value(word), "a")):
        if value is not None:
            readings.append((frame.format(sign.upper() if upper else sign), value))
    return Number(RANK_ITEM, readings[0][0], label, tuple(readings), length) if readings else None
