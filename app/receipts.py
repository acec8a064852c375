"""The reading receipt: what was read, counted from what was put into the prompt and from what the engine says it did."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from unabridged.context import Context
from unabridged.ingest.document import Document
from unabridged.models.engine import Choice, Generation, Quotation, Reading
from unabridged.prompts import Numbered


@dataclass(frozen=True, slots=True)
class DocumentReceipt:
    """`url` is there for a page of the web: of a long one the beginning is read, as far as there is room."""

    name: str
    characters: int
    characters_read: int
    pages: int
    pages_without_text: int
    pages_ocr: int
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """Tokens. The prompt is the reading and all that was asked of it: reused from before, or evaluated. `evidence` are those
    evaluated after the answer, to find the words that bear it."""

    documents: tuple[DocumentReceipt, ...]
    window_tokens: int
    prompt_tokens: int
    reused_tokens: int
    evaluated_tokens: int
    generated_tokens: int
    evidence_tokens: int = 0
    memories: int = 0
    memories_left_out: int = 0  # for want of room: more than the setting memory_tokens allows

    def to_json(self) -> dict[str, Any]:
        """As scripts get it; memories are counted only where there are any, and only pages of the web have a url."""
        whole = dataclasses.asdict(self)
        for document in whole["documents"]:
            if document["url"] is None:
                del document["url"]
        return whole if self.memories or self.memories_left_out else {k: v for k, v in whole.items() if "memories" not in k}


class Tally:
    """Adds up what the engine reports while one question is answered."""

    def __init__(self, context: Context, reading: Reading, *, from_web: Sequence[Numbered] = ()) -> None:
        """`from_web` are the passages of web pages that stand in the prompt, after the reading."""
        self._context = context
        self._from_web = from_web
        self._window = reading.window
        self._prompt = reading.tokens
        self._reused = reading.reused
        self._evaluated = reading.evaluated
        self._generated = 0
        self._evidence = 0
        self._unanswered = 0

    def asked(self, prompt_tokens: int) -> None:
        self._prompt += prompt_tokens
        self._unanswered = prompt_tokens

    def add(self, step: Generation | Choice | Quotation) -> None:
        """The first step after asking is the answer; those that follow it look for its evidence."""
        if self._unanswered:
            self._evaluated += step.evaluated
            self._reused += max(0, self._unanswered - step.evaluated)
            self._unanswered = 0
        else:
            self._evidence += step.evaluated
        if isinstance(step, Generation):
            self._generated += len(step.tokens)

    def receipt(self) -> Receipt:
        return Receipt(
            documents=(*document_receipts(self._context), *page_receipts(self._from_web)),
            window_tokens=self._window,
            prompt_tokens=self._prompt,
            reused_tokens=self._reused,
            evaluated_tokens=self._evaluated,
            generated_tokens=self._generated,
            evidence_tokens=self._evidence,
        )


def document_receipts(context: Context) -> tuple[DocumentReceipt, ...]:
    """One for each document, `characters_read` added up over the passages that stand in the prompt."""
    return tuple(_receipt(share.document, share.characters) for share in context.shares)


def page_receipts(from_web: Sequence[Numbered]) -> tuple[DocumentReceipt, ...]:
    """One for each web page, counted over its passages in the prompt."""
    pages: dict[str, list[Numbered]] = {}
    for numbered in from_web:
        pages.setdefault(numbered.document.id, []).append(numbered)
    return tuple(
        _receipt(read[0].document, sum(len(numbered.text) for numbered in read), url=read[0].web.url if read[0].web else None)
        for read in pages.values()
    )


def _receipt(document: Document, characters_read: int, *, url: str | None = None) -> DocumentReceipt:
    return DocumentReceipt(
        name=document.name,
        characters=len(document.text),
        characters_read=characters_read,
        pages=len(document.pages),
        pages_without_text=sum(page.is_empty for page in document.pages),
        pages_ocr=sum(page.ocr for page in document.pages),
        url=url,
    )
