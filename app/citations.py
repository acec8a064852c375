"""From a marker in an answer to a passage that is provably in the source. Knows spans and markers, not models.

Markers in a model's words are numbers of passages: [12], [3, 4], 【7】. Readers see footnote numbers, [1] for the passage cited
first, [2] for the next. A marker whose passage does not exist never reaches the reader.
"""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unabridged.errors import Failure
from unabridged.fencing import disarmed
from unabridged.ingest.document import Document, Page
from unabridged.marks import MARKER, ends_in_code
from unabridged.prompts import Numbered
from unabridged.sentences import sentence_spans

_UNFINISHED = re.compile(r"[ \t]*[\[【][\d\s,，、;]{0,60}$|[ \t]+$")


@dataclass(frozen=True, slots=True)
class Citation:
    """`quote` is `document.text[start:end]`. Pages count sheets from 1; `page_label` is what is printed on the sheet.

    `url` and `retrieved_at` (UTC, ISO 8601) are there for passages of web pages only.
    """

    n: int
    document_id: str
    document: str  # its name
    page: int | None
    page_label: str | None
    path: str
    start: int
    end: int
    quote: str
    url: str | None = None
    retrieved_at: str | None = None

    @property
    def shown(self) -> str:
        """The quote as it stands in an answer: of a page of the web, without what looks like a mark of ours."""
        return disarmed(self.quote) if self.url else self.quote

    def to_json(self) -> dict[str, Any]:
        """As scripts get it; where a page is from only for pages of the web."""
        fields = dataclasses.asdict(self)
        hidden = {"document_id"} if self.url else {"document_id", "url", "retrieved_at"}
        return {name: value for name, value in fields.items() if name not in hidden}


def place(n: int, numbered: Numbered, start: int, end: int) -> Citation:
    """The citation of `numbered.text[start:end]`, white space at its ends left out.

    Raises Failure when nothing is left, or when the words are not in the document at that span: a fault of this program.
    """
    words = numbered.text[start:end]
    start += len(words) - len(words.lstrip())
    quote = words.strip()
    begin = numbered.passage.start + start
    document = numbered.document
    if not quote or document.text[begin : begin + len(quote)] != quote:
        raise Failure(
            f"Span {start}:{end} of passage {numbered.number} is not a quotation.",
            hint="Please report this: it is a fault of Unabridged.",
        )
    page = _page_at(document, begin)
    anchor = numbered.passage.anchor
    return Citation(
        n=n,
        document_id=document.id,
        document=document.name,
        page=page.number if page else anchor.page,
        page_label=page.label if page else anchor.page_label,
        path=_path_at(document, begin) or anchor.path,
        start=begin,
        end=begin + len(quote),
        quote=quote,
        url=numbered.web.url if numbered.web else None,
        retrieved_at=numbered.web.retrieved_at if numbered.web else None,
    )


class MarkerFilter:
    """Turns a model's markers into footnote numbers while the text streams, and remembers which passage each stands for."""

    def __init__(self, passages: Mapping[int, Numbered]) -> None:
        self._passages = passages
        self._held = ""
        self.text = ""
        self.cited: dict[int, int] = {}  # passage number → footnote number, in order of appearance
        self.claims: dict[int, str] = {}  # passage number → the words before its first marker

    def feed(self, text: str) -> str:
        """The next text that can be shown: all but what may still become a marker."""
        pending = self._held + text
        unfinished = _UNFINISHED.search(pending)
        keep = unfinished.start() if unfinished else len(pending)
        self._held = pending[keep:]
        return self._show(pending[:keep])

    def finish(self) -> str:
        rest, self._held = self._held, ""
        return self._show(rest)

    def _show(self, text: str) -> str:
        shown = ""
        position = 0
        for match in MARKER.finditer(text):
            shown += text[position : match.start()]
            position = match.end()
            if ends_in_code(self.text + shown):
                shown += match.group()
                continue
            numbers = [int(number) for number in re.findall(r"\d+", match.group(1))]
            marks = "".join(f"[{self._footnote(number, self.text + shown)}]" for number in numbers if number in self._passages)
            shown = shown + marks if marks else shown.rstrip(" \t")
        shown += text[position:]
        self.text += shown
        return shown

    def _footnote(self, number: int, before: str) -> int:
        if number not in self.cited:
            self.cited[number] = len(self.cited) + 1
            self.claims[number] = _last_sentence(before)
        return self.cited[number]


def without_marks(text: str, unplaced: set[int]) -> str:
    """The text without the footnote numbers that could not be placed."""

    def kept(match: re.Match[str]) -> str:
        return match.group() if int(match.group(1)) not in unplaced or ends_in_code(text[: match.start()]) else ""

    return re.sub(r"[ \t]*\[(\d+)\]", kept, text)


def _last_sentence(text: str) -> str:
    """The words that a marker at the end of `text` stands for."""
    plain = re.sub(r"\[\d+\]", "", text).rstrip()
    spans = sentence_spans(plain, lines=True)
    return plain[slice(*spans[-1])] if spans else plain


def _page_at(document: Document, position: int) -> Page | None:
    return next((page for page in document.pages if page.start <= position < page.end), None)


def _path_at(document: Document, position: int) -> str:
    return next((block.anchor.path for block in document.blocks if block.start <= position < block.end), "")
