"""Documents → token ids of one reading, whole or not at all. Knows the order and the count; a prompt style gives the words.

Every passage is tokenised by itself and the ids are joined, so the ids of a passage never depend on its neighbours.
Joined, the passages of a document are its text, character for character (a chat prompt bends brackets that look like its own
marks); nothing here can shorten one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from unabridged.errors import DocumentEmpty, DoesNotFit, UsageError
from unabridged.ingest.document import Document, Passage
from unabridged.models.engine import DocumentSpan, Engine, Tokens
from unabridged.prompts import Numbered, Prompt


@dataclass(frozen=True, slots=True)
class Share:
    """What one document has in the prompt, counted over the passages that stand there."""

    document: Document
    characters: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Context:
    tokens: Tokens
    passages: tuple[Numbered, ...]
    shares: tuple[Share, ...]
    longest_passage: int  # tokens
    spans: tuple[DocumentSpan, ...]  # where each document's passages stand among the tokens


def build(engine: Engine, prompt: Prompt, books: Sequence[tuple[Document, Sequence[Passage]]]) -> Context:
    """The reading of these documents in this order. Raises UsageError for none or one twice, DocumentEmpty."""
    if not books:
        raise UsageError("There is no document to read.", hint="Name at least one file.")
    _refuse_repeated([document for document, _ in books])
    passages = _number(books)
    parts = prompt.parts(engine, passages)
    tokens = dict.fromkeys((document.id for document, _ in books), 0)
    characters = dict(tokens)
    spans: dict[str, DocumentSpan] = {}
    at = 0
    for part in parts:
        if part.passage is not None:
            owner = part.passage.document.id
            tokens[owner] += len(part.tokens)
            characters[owner] += len(part.passage.text)
            spans[owner] = DocumentSpan(owner, spans[owner].start if owner in spans else at, at + len(part.tokens))
        at += len(part.tokens)
    return Context(
        tokens=np.concatenate([part.tokens for part in parts]).astype(np.int32, copy=False),
        passages=tuple(passages),
        shares=tuple(Share(document, characters[document.id], tokens[document.id]) for document, _ in books),
        longest_passage=max(len(part.tokens) for part in parts if part.passage is not None),
        spans=tuple(spans.values()),
    )


def fit(engine: Engine, context: Context, *, reserve: int, history_tokens: int = 0) -> int:
    """The window for the context with `reserve` tokens after it, `history_tokens` of them kept for earlier turns.

    Raises DoesNotFit, with the choices that would make it fit.
    """
    needed = len(context.tokens) + reserve
    window = engine.window_for(needed)
    if needed > window:
        ways = choices(context.shares, needed=needed, window=window, history_tokens=history_tokens)
        raise DoesNotFit(needed_tokens=needed, window_tokens=window, choices=ways)
    return window


def choices(shares: Sequence[Share], *, needed: int, window: int, history_tokens: int = 0) -> list[str]:
    """Ways to make it fit, the one that gives up least first: earlier turns, then the smallest document that is enough."""
    over = needed - window
    ways: list[str] = []
    if history_tokens >= over:
        ways.append(f"let earlier turns ({history_tokens:,} tokens) be forgotten, or carry a summary of them in a fresh branch")
    if len(shares) > 1:
        by_size = sorted(shares, key=lambda share: share.tokens)
        enough = [share for share in by_size if share.tokens >= over]
        ways += [f"leave out {share.document.name}, which saves {share.tokens:,} tokens" for share in enough[:3]]
        if not enough:
            largest = by_size[-1]
            ways.append(f"leave out {largest.document.name} ({largest.tokens:,} tokens) and more: {over:,} must go")
    ways.append(f"take a model or settings with a window of at least {needed:,} tokens (unabridged models list)")
    if len(shares) == 1:
        ways.append("split the file into parts and ask each of them")
    return ways


def _number(books: Sequence[tuple[Document, Sequence[Passage]]]) -> list[Numbered]:
    numbered: list[Numbered] = []
    for document, passages in books:
        if not document.text.strip():
            raise DocumentEmpty(f"{document.name} holds no text.", hint="A scan needs OCR first (unabridged doctor).")
        for passage in passages:
            numbered.append(Numbered(len(numbered) + 1, document, passage))
    return numbered


def _refuse_repeated(documents: Sequence[Document]) -> None:
    seen: dict[str, str] = {}
    for document in documents:
        if document.id in seen:
            raise UsageError(f"{document.name} is there twice (as {seen[document.id]}).", hint="Name each document once.")
        seen[document.id] = document.name
