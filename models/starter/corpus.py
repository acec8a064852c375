"""Reads the training text and questions: zstandard-compressed JSON lines. Knows no tokens."""

import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FIELDS = ("lang", "source", "context", "question", "answer")  # as the records name them


@dataclass(frozen=True, slots=True)
class HumanQuestion:
    """A question that a person asked about `context`; `start` is -1 where the answer does not stand in it word for word."""

    language: str
    source: str
    context: str
    question: str
    answer: str
    start: int


def _records(path: Path) -> Iterator[dict[str, object]]:
    import zstandard

    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
        for line in io.TextIOWrapper(stream, encoding="utf-8"):
            yield json.loads(line)


def texts(folder: Path, language: str, *, characters: int | None = None, source: str | None = None) -> Iterator[str]:
    """The texts of "en" or "zh", or of one source; with `characters`, about that many: the head of every text."""
    records = (r for r in _records(folder / f"text_{language}.jsonl.zst") if source in (None, r.get("source")))
    if characters is None:
        yield from (str(record["text"]) for record in records)
        return
    lengths = [len(str(record["text"])) for record in records]
    head = _head(lengths, characters)
    for text in texts(folder, language, source=source):
        yield text[:head]


def _head(lengths: list[int], total: int) -> int:
    """The largest cut at which the heads of texts of these lengths add up to at most `total`."""
    low, high = 0, max(lengths, default=0)
    while low < high:
        middle = (low + high + 1) // 2
        if sum(min(length, middle) for length in lengths) <= total:
            low = middle
        else:
            high = middle - 1
    return low


def human_questions(folder: Path) -> Iterator[HumanQuestion]:
    for r in _records(folder / "qa.jsonl.zst"):
        if r["context"] and r["question"]:
            language, source, context, question, answer = (str(r[key] or "") for key in _FIELDS)
            yield HumanQuestion(language, source, context, question, answer, start=int(str(r["answer_start"])))


def is_held_out(context: str) -> bool:
    """Whether questions on this context are kept from training: a fifth of the contexts, the same on every machine."""
    return zlib.crc32(context.encode()) % 5 == 0


def is_for_development(context: str) -> bool:
    """Another fifth, kept from training too: thresholds and constants are set on it, and training is judged by it."""
    return zlib.crc32(context.encode()) % 5 == 1
