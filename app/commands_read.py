"""The commands that read documents into the window: ask and read."""

import argparse
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from unabridged.citations import Citation
from unabridged.console import Progress, add_file, counted, print_json
from unabridged.errors import UsageError
from unabridged.events import Answering, Event, TextDelta
from unabridged.home import open_home
from unabridged.receipts import Receipt
from unabridged.web.answering import WebUse
from unabridged.web.terminal import approving
from unabridged.workspace import Workspace


def ask(options: argparse.Namespace) -> int:
    """`ask FILE... QUESTION`: the answer streams to stdout, then its sources and the receipt; or one JSON object."""
    files, question = _split(options.words)
    progress = Progress(sys.stderr)
    started = time.perf_counter()

    def say(event: Event) -> None:
        if isinstance(event, TextDelta) and not options.json:
            progress.clear()
            sys.stdout.write(event.text)
            sys.stdout.flush()
        elif isinstance(event, Answering) and not options.json:
            sys.stdout.write("\n\nWith the web:\n\n")

    with Workspace(open_home(), model=options.model) as workspace, _interruptible(progress):
        documents = [add_file(workspace, file, progress, again=options.fresh).id for file in files]
        ingest_s = time.perf_counter() - started
        web = None
        if options.web or options.query:
            web = WebUse(query=options.query, allow=workspace.settings.web == "allow", approve=approving(progress))
        work = workspace.ask(documents, question, web=web, fresh=options.fresh, started=started, ingest_s=ingest_s)
        answer = progress.follow(work, say)
    if options.json:
        print_json(answer.to_json())
    else:
        sys.stdout.write(f"\n\n{_sources(answer.citations)}{_receipt(answer.receipt)}Model: {answer.model}\n")
    return 0


def read(options: argparse.Namespace) -> int:
    """`read FILE...`: ingest and prefill; what was read stays on disk, also when it is interrupted."""
    progress = Progress(sys.stderr)
    started = time.perf_counter()
    with Workspace(open_home(), model=options.model) as workspace, _interruptible(progress):
        documents = [add_file(workspace, file, progress, again=options.fresh).id for file in options.files]
        ingested = time.perf_counter()
        receipt = progress.follow(workspace.read(documents, fresh=options.fresh))
    now = time.perf_counter()
    if options.json:
        seconds = {"ingest": ingested - started, "prefill": now - ingested, "total": now - started}
        print_json({"receipt": receipt.to_json(), "seconds": {name: round(value, 3) for name, value in seconds.items()}})
    else:
        sys.stdout.write(_receipt(receipt))
    return 0


def _split(words: Sequence[str]) -> tuple[list[Path], str]:
    """Files and question; the question is the last word, and no file."""
    *files, question = words
    if not files or Path(question).is_file():
        raise UsageError("The question is missing.", hint='Put it last, in quotes: unabridged ask FILE "Who signed it?"')
    if not question.strip():
        raise UsageError("The question has no text.", hint='Ask in words: unabridged ask FILE "Who signed it?"')
    return [Path(file) for file in files], question


@contextmanager
def _interruptible(progress: Progress) -> Generator[None]:
    """On Ctrl-C, say what is kept."""
    try:
        yield
    except KeyboardInterrupt:
        progress.clear()
        if progress.last and progress.last.done < progress.last.total:
            last = progress.last
            sys.stderr.write(
                f"\nStopped at {last.done:,} of {last.total:,} tokens. What was read is kept on disk: "
                "the same command goes on from there."
            )
        raise


def _sources(citations: Sequence[Citation]) -> str:
    if not citations:
        return ""
    return "Sources\n" + "".join(f"[{item.n}] {_where(item)}\n    {item.quote}\n" for item in citations) + "\n"


def _where(citation: Citation) -> str:
    page = ""
    if citation.page is not None:
        printed = citation.page_label if citation.page_label not in (None, "", str(citation.page)) else None
        page = f"page {citation.page}" + (f" (printed {printed})" if printed else "")
    web = f"web: {citation.url}, retrieved {citation.retrieved_at}" if citation.url else ""
    return ", ".join(part for part in (citation.document, page, citation.path, web) if part)


def _receipt(receipt: Receipt) -> str:
    lines = []
    for document in receipt.documents:
        line = f"Read {document.characters_read:,} of {document.characters:,} characters of {document.name}"
        if document.url:
            line += f" ({document.url})"
        if document.pages:
            line += f", {counted(document.pages, 'page')}"
        if document.pages_without_text:
            line += f", {document.pages_without_text:,} without text"
        if document.pages_ocr:
            line += f", {document.pages_ocr:,} by OCR"
        lines.append(line + ".\n")
    lines.append(
        f"Tokens: {receipt.prompt_tokens:,} in a window of {receipt.window_tokens:,}; "
        f"{receipt.reused_tokens:,} from before, {receipt.evaluated_tokens:,} evaluated, "
        f"{receipt.generated_tokens:,} generated, {receipt.evidence_tokens:,} for its quotations.\n"
    )
    return "".join(lines)
