"""Every file of the corpus: read, or refused with the reason. One that hangs is stopped and said; a stopped survey goes on."""

import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from unabridged.errors import DocumentError
from unabridged.ingest.limits import Limits
from unabridged.ingest.reading import ingest

from tests.corpus.kept import Kept, edition_of
from tests.corpus.truth import DOCUMENTS

_SILENCE_S = 180.0  # for one step (a page, a part), OCR included
_SUFFIXES = (
    ".pdf", ".docx", ".pptx", ".xlsx", ".html", ".htm", ".epub", ".odt", ".rtf", ".doc", ".md", ".txt", ".csv", ".eml", ".xml",
    ".nxml", ".png", ".jpg", ".tif", ".tiff", ".jpeg",
)  # fmt: skip


def survey(out: Callable[[str], object], kept: Kept, *, ocr: str = "auto") -> None:
    out("| file | what became of it | s |")
    out("| --- | --- | --- |")
    counts: Counter[str] = Counter()
    seconds = 0.0
    for path in sorted((DOCUMENTS / "ingestion").rglob("*")):
        if path.suffix.lower() not in _SUFFIXES or not path.is_file() or "groundtruth" in path.parts:
            continue
        name = str(path.relative_to(DOCUMENTS / "ingestion"))

        measure = partial(_outcome, path, ocr)
        kind, outcome, took = kept.value("survey", ocr, edition_of("unabridged"), name, measure=measure)
        counts[kind] += 1
        seconds += took
        out(f"| {name} | {outcome} | {took} |")
    out("")
    out(f"{counts.total()} files in {seconds:,.0f} s: " + ", ".join(f"{kind}: {count}" for kind, count in counts.most_common()))


def _outcome(path: Path, ocr: str) -> tuple[str, str, float]:
    """The kind of what became of it, in words, and how many seconds it took."""
    started = time.perf_counter()
    try:
        document = ingest(path, options={"ocr": ocr}, limits=Limits(silence_s=_SILENCE_S))
        problems = sorted({problem.kind.value for problem in document.problems})
        kind, outcome = "read", f"{len(document.text):,} characters" + (f"; {', '.join(problems)}" if problems else "")
    except DocumentError as error:
        kind, outcome = type(error).__name__, f"{type(error).__name__}: {error.message}"
    return kind, outcome, round(time.perf_counter() - started, 1)
