"""The corpus report: every real file read or refused, its words compared with the ground truth beside it.

Run as `python -m tests.corpus.report` (`make corpus-report`), it prints Markdown. Words are compared as multisets: recall is
the share of the truth's words that were read, precision the share of the read words that are in the truth. The same for
markitdown and pymupdf4llm where they are installed. Every file below 0.99, or below another reader, is listed with words as
examples.
`--words`, `--items`, `--order`, `--laws`, `--survey` print one part only, a word only the files that have it in their name,
`--without=pymupdf4llm` leaves a slow reader out, `--no-ocr` surveys without text recognition. What was measured is kept in
build/corpus-report.jsonl (see `kept`), so a report that was stopped goes on. Nothing here is a test: it measures.
"""

import re
import sys
import time
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from functools import partial
from importlib.util import find_spec
from typing import Any

from unabridged.errors import DocumentError
from unabridged.ingest.numerals import chinese_numeral
from unabridged.ingest.reading import ingest

from tests.corpus import items
from tests.corpus.kept import ROOT, Kept, edition_of
from tests.corpus.reasons import REASONS
from tests.corpus.scans import chinese_page
from tests.corpus.survey import survey
from tests.corpus.truth import DOCUMENTS, Case, cases, markdown_words, ordered_words, shares, unframed, words

Text = tuple[str, str]  # the text, and what is kept apart from it
Tool = Callable[[Case], Text]

_PARTS = {
    "--words": "Words, compared with the ground truth",
    "--items": "Tracked changes, comments, notes and numbers of Word files, item by item",
    "--order": "Reading order of papers and books, character error rate of scans",
    "--laws": "Articles of laws",
    "--survey": "Every file: read, or refused and why",
}
_EXAMPLES = 6  # words named for a file
_ORDER, _SCANS = ("docling pdf",), ("docling ocr", "scan in English", "page in Chinese")


def ours(case: Case, *, program: str = "auto") -> Text:
    """The text; and what is kept apart: running heads and feet, titles and authors, the descriptions of pictures."""
    document = ingest(case.path, options={**case.options, "ocr_program": program})
    text = markdown_words(document.text) if document.media_type == "text/markdown" else document.text
    apart = [f.text for f in document.furniture] + [p.where for p in document.problems] + list(document.details.values())
    return text, "\n".join(apart)


def readers(without: str) -> dict[str, Tool]:
    found: dict[str, Tool] = {"unabridged": ours}
    if find_spec("markitdown") and without != "markitdown":
        from markitdown import MarkItDown

        converter = MarkItDown()
        found["markitdown"] = lambda case: (markdown_words(converter.convert(case.path).text_content), "")
    if find_spec("pymupdf4llm") and without != "pymupdf4llm":
        import pymupdf4llm

        found["pymupdf4llm"] = lambda case: (markdown_words(pymupdf4llm.to_markdown(str(case.path))), "")
    return found


def compare(out: Callable[[str], object], kept: Kept, *, only: str = "", without: str = "") -> None:
    """Recall / precision by group and reader, then a line for every file that is behind."""
    tools = readers(without)
    losses: list[str] = []
    rows: dict[str, list[dict[str, Any]]] = {}
    for case in cases():
        if only and only not in case.group and only not in case.path.name:
            continue
        row = {
            name: kept.value("words", edition_of(name), case.group, case.path.name, measure=partial(_scores, case, read))
            for name, read in tools.items()
            if name != "pymupdf4llm" or case.path.suffix == ".pdf"
        }
        rows.setdefault(case.group, []).append(row)
        recall, precision = row["unabridged"]["recall"], row["unabridged"]["precision"]
        behind = any(recall < other["recall"] or precision < other["precision"] for other in row.values())
        if min(recall, precision) < 0.99 or behind:
            losses.append(_loss(case, row, list(tools)))
    out("| files | group | " + " | ".join(f"{tool}: recall / precision / s" for tool in tools) + " |")
    out("| --- | --- |" + " --- |" * len(tools))
    for group, found in rows.items():
        cells = [_mean([row[tool] for row in found if tool in row]) for tool in tools]
        out(f"| {len(found)} | {group} | " + " | ".join(cells) + " |")
    out("")
    out("| file behind, or below 0.99 | " + " | ".join(tools) + " | not read | not in the truth | why |")
    out("| --- |" + " --- |" * (len(tools) + 3))
    for loss in losses:
        out(loss)


def _scores(case: Case, read: Tool) -> dict[str, Any]:
    lists = case.path.suffix == ".pdf"  # there their numbers are printed text
    truth = words(case.truth, lists=lists)
    started = time.perf_counter()
    try:
        text, apart = read(case)
    except DocumentError as error:
        text, apart = "", error.message
    except Exception as error:  # noqa: BLE001  (other people's readers fail in their own ways: that counts as nothing read)
        text, apart = "", type(error).__name__
    seconds = time.perf_counter() - started
    found, said = words(f"{text}\n{apart}", lists=lists), words(unframed(text), lists=lists)
    return {
        "recall": shares(truth, found)[0],
        "precision": shares(truth, said)[1],
        "seconds": seconds,
        "missing": [word for word, _ in (truth - found).most_common(_EXAMPLES)],
        "extra": [word for word, _ in (said - truth).most_common(_EXAMPLES)],
    }


def _mean(found: Sequence[dict[str, Any]]) -> str:
    if not found:
        return "–"
    recall, precision = (sum(row[name] for row in found) / len(found) for name in ("recall", "precision"))
    return f"{recall:.3f} / {precision:.3f} / {sum(row['seconds'] for row in found):.1f}"


def _loss(case: Case, row: dict[str, dict[str, Any]], tools: Sequence[str]) -> str:
    cells = [f"{row[tool]['recall']:.3f} / {row[tool]['precision']:.3f}" if tool in row else "–" for tool in tools]
    examples = [" ".join(row["unabridged"][name]) for name in ("missing", "extra")]
    return f"| {case.path.name} | " + " | ".join([*cells, *examples]) + f" | {REASONS.get(case.path.name, '')} |"


def reading_order(truth: str, read: str) -> float:
    """Share of the truth's words that stand in the same order in what was read."""
    one, other = ordered_words(truth), ordered_words(read)
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) / max(1, len(one))


def character_error_rate(truth: str, read: str) -> float:
    """Levenshtein distance over the length of the truth, white space and Markdown signs aside."""
    one, other = ("".join(ordered_words(text)) for text in (truth, read))
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        above, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (a != b))
    return row[-1] / max(1, len(one))


def order_and_ocr(out: Callable[[str], object], kept: Kept, *, without: str = "") -> None:
    """Reading order of the papers and books, and character error rate of the scans, by reader."""
    tools = {**readers(without), "unabridged by Tesseract": partial(ours, program="tesseract")}
    out("| file | " + " | ".join(tools) + " |")
    out("| --- |" + " --- |" * len(tools))
    for case in [*cases(), chinese_page(ROOT / "build")]:
        if case.group not in _ORDER + _SCANS:
            continue
        cells = []
        for name, read in tools.items():
            if case.group in _ORDER and "Tesseract" in name:
                cells.append("–")
                continue
            measure = partial(_measured, case, read)
            value = kept.value("order", edition_of(name), case.group, case.path.name, measure=measure)
            cells.append(value if isinstance(value, str) else f"{value:.3f}")
        out(f"| {'order' if case.group in _ORDER else 'CER'} {case.path.name} | " + " | ".join(cells) + " |")


def _measured(case: Case, read: Tool) -> float | str:
    try:
        text = read(case)[0]
    except Exception as error:  # noqa: BLE001  (as above)
        return type(error).__name__
    return (reading_order if case.group in _ORDER else character_error_rate)(case.truth, text)


def laws(out: Callable[[str], object]) -> None:
    """Articles found in the laws, each with a path of its own, against how many there are."""
    out("| law | articles | found in order |")
    out("| --- | --- | --- |")
    for pattern, articles in (("中华人民共和国刑事诉讼法*.docx", 308), ("*(2021-01-26).md", 655)):
        path = next((DOCUMENTS / "laws").glob(pattern))
        paths = dict.fromkeys(block.anchor.path for block in ingest(path).blocks)
        found = [match[1] for place in paths if (match := re.search(r"(第[^第 ]+条)$", place))]
        right = sum(one == f"第{chinese_numeral(number)}条" for number, one in enumerate(found, 1))
        out(f"| {path.name} | {articles} | {right} of {len(found)} |")


def main() -> None:
    arguments = sys.argv[1:]
    if not DOCUMENTS.is_dir():
        sys.exit("There is no ../shared/documents: nothing to report on.")
    only = next((argument for argument in arguments if not argument.startswith("--")), "")
    without = next((argument.removeprefix("--without=") for argument in arguments if argument.startswith("--without=")), "")
    chosen = {argument for argument in arguments if argument in _PARTS} or set(_PARTS)
    kept = Kept(ROOT / "build" / "corpus-report.jsonl")
    out = partial(print, flush=True)
    for part, title in _PARTS.items():
        if part not in chosen or (only and part != "--words"):
            continue
        out(f"\n## {title}\n")
        match part:
            case "--words":
                compare(out, kept, only=only, without=without)
            case "--items":
                other = readers(without).get("markitdown")
                items.report(out, DOCUMENTS / "ingestion" / "pandoc" / "docx", other)
            case "--order":
                order_and_ocr(out, kept, without=without)
            case "--laws":
                laws(out)
            case "--survey":
                survey(out, kept, ocr="off" if "--no-ocr" in arguments else "auto")


if __name__ == "__main__":
    main()
