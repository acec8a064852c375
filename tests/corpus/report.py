"""The corpus report: every real file read or refused, its words compared with the ground truth beside it.

Run as `python -m tests.corpus.report` (`make corpus-report`), it prints Markdown. Ground truth: docling's Markdown, pandoc's `.native`, CUAD's plain
text. Words are compared as multisets: recall is the share of the truth's words that were read, precision the share of the read words that are in the truth.
The same for markitdown and pymupdf4llm where they are installed. `--words`, `--items`, `--order`, `--laws`, `--survey` print one part
only, a word only the files that have it in their name, `--without=pymupdf4llm` leaves a slow reader out, `--no-ocr` surveys without text recognition. Nothing here is a test: it measures.
"""
# ruff: noqa: E501

import html
import re
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from importlib.util import find_spec
from pathlib import Path

from unabridged.errors import DocumentError
from unabridged.ingest.numerals import chinese_numeral
from unabridged.ingest.reading import ingest

from tests.corpus import items

DOCUMENTS = Path(__file__).resolve().parents[3] / "shared" / "documents"
_WORD = re.compile(r"[\u3400-\u9fff\uac00-\ud7a3\u3040-\u30ff]|[^\W_]+")
_SUFFIXES = [
    ".pdf",
    ".docx",
    ".pptx",
    ".xlsx",
    ".html",
    ".htm",
    ".epub",
    ".odt",
    ".rtf",
    ".doc",
    ".md",
    ".txt",
    ".csv",
    ".eml",
    ".xml",
    ".nxml",
    ".png",
    ".jpg",
    ".tif",
    ".tiff",
    ".jpeg",
]


_PARTS = {
    "--words": "Words, compared with the ground truth",
    "--items": "Tracked changes, comments, notes and numbers of Word files, item by item",
    "--order": "Reading order of papers and books, character error rate of scans",
    "--laws": "Articles of laws",
    "--survey": "Every file: read, or refused and why",
}
_PRINTED = ("Str", "Code", "CodeBlock", "InlineMath", "DisplayMath")
_NATIVE_BLOCKS = [
    "Para",
    "Plain",
    "Header",
    "Note",
    "CodeBlock",
    "Cell",
    "Row",
    "BlockQuote",
    "OrderedList",
    "BulletList",
    "DefinitionList",
    "Div",
    "Table",
    "LineBlock",
    "Figure",
    "Caption",
]
# Word's list numbers are computed by some readers and left out by others and by most ground truth: not compared.
_LIST_SIGN = re.compile(
    r"^[ \t>]*(?:#+[ \t]+)?(?:[-*•+][ \t]+|(?:\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5})[.)]|\d+(?:\.\d+)+\.?)[ \t]+)?", re.MULTILINE
)


# What docling's scans show on each page. docling's own files beside them hold what another program made of the pictures.
_SCANNED_SENTENCE = "Docling bundles PDF document conversion to JSON and Markdown in an easy self contained package\n"
# Why a file is below 0.99 here, or below another reader.
_REASONS = {
    "docx_checkboxes.docx": "the truth writes ticks as [x]; they are read as the signs that Word prints",
    "docx_lists.docx": "numbers before list items, which this comparison does not strip alike from both",
    "docx_rich_cells.docx": "H₂O and x² are one word here and two in the truth",
    "omml_func_log.docx": "the truth has formulas in LaTeX; they are read in one line",
    "omml_multi_equation_paragraph.docx": "the truth has formulas in LaTeX; they are read in one line",
    "table_with_equations.docx": "the truth has formulas in LaTeX; they are read in one line",
    "epub_purvis_poetry.epub": "descriptions of two logos: pictures are reported, their descriptions are no text",
    "formatting.html": "H₂O and x² are one word here and two in the truth",
    "wiki_duck.html": "the words not found are addresses of links (cite_note-…), which the truth's Markdown mixes into the text",
    "kvp_data_example.html": "the value of a form field, which the truth leaves out",
    "blocks.md": "Markdown stays as its author wrote it, so that quotations are exact: code fences count as words",
    "escaped_characters.md": "Markdown stays as its author wrote it: &amp; is not turned into &",
    "mixed_without_h1.md": "Markdown stays as its author wrote it: HTML in it, too",
    "text_document_02.odt": "the truth repeats merged cells in each row and column; a chart is not read",
    "text_document_03.odt": "numbers of lists inside the cells of tables are not read",
    "powerpoint_comments.pptx": "the truth writes the frame of comments in other words (author, time of day)",
    "pftaps057006474.txt": "the truth leaves out most of the patent; plain text is read whole",
    "xlsx_01.xlsx": "the truth repeats merged cells and names the kinds of charts",
    "xlsx_03_chartsheet.xlsx": "the truth names the kind of the chart",
    "right_to_left_02.pdf": "the file's own text layer holds presentation forms in visual order",
    "right_to_left_03.pdf": "the file's own text layer holds presentation forms in visual order",
    "2305.03393v1-pg9.pdf": "signs inside a figure",
    "amt_handbook_sample.pdf": "words inside a figure, which the truth leaves out",
    "definition_list.docx": "the truth's term and definition run together where this report reads them",
    "diagram.docx": "the description of a picture: pictures are reported, their descriptions are no text",
    "enumerated_headings.docx": "the truth leaves out the numbers that Word prints before headings",
    "link_in_notes.docx": "the number of a note, which the truth leaves out",
    "metadata_after_normal.docx": "the truth's lines of metadata run together where this report reads them",
    "sdt_in_footnote.docx": "the number of a note, which the truth leaves out",
    "track_changes_scrubbed_metadata.docx": "the truth holds the deleted words, too; the final view is read",
    "imageWithCaption.odt": "the truth gives the caption twice",
    "referenceToChapter.odt": "the words that a cross-reference shows, which the truth leaves out",
    "footnote.rtf": "the number of a note",
    "formatting.rtf": "the file's author, which is no part of its text",
    "formatting.epub": "metadata, which is no part of the text",
    "wasteland.epub": "metadata, which is no part of the text; the dedication, which the truth leaves out",
}


@dataclass(frozen=True, slots=True)
class Case:
    group: str
    path: Path
    truth: str


def words(text: str, *, lists: bool = True) -> Counter[str]:
    """Words in lower case, the numbers of list items only with `lists`, East Asian characters one by one; compatibility forms and ligatures made alike."""
    return Counter(_WORD.findall(unicodedata.normalize("NFKC", text if lists else _LIST_SIGN.sub("", text)).lower()))


def shares(truth: Counter[str], read: Counter[str]) -> tuple[float, float]:
    """Recall and precision; 1 where there is nothing to find or nothing was read."""
    common = sum((truth & read).values())
    return common / max(1, truth.total()) if truth else 1.0, common / max(1, read.total()) if read else 1.0


def markdown_words(text: str) -> str:
    """What docling's Markdown says, without its own signs."""
    text = re.sub(r"<!--.*?-->", " ", text, flags=re.DOTALL)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"\\([\\_*`#\[\](){}|<>.!+-])", r"\1", text)
    return html.unescape(re.sub(r"</?[a-z][^>]*>", " ", text))


def native_words(text: str) -> str:
    """What the inlines of a pandoc `.native` file print: Str, Code, CodeBlock and Math; blocks stand on lines of their own."""
    parts: list[str] = []
    text = re.sub(r'\b(Code|CodeBlock)\s*\(\s*"[^"]*"\s*,\s*\[[^\]]*\]\s*,\s*\[[^\]]*\]\s*\)', r"\1", text)
    for match in re.finditer(r'\b([A-Z][A-Za-z]+)\b(?:\s*("(?:[^"\\]|\\.)*"))?|"(?:[^"\\]|\\.)*"', text):
        name, quoted = match[1], match[2]
        if name in _PRINTED and quoted:
            parts.append(_unquoted(quoted))
        elif name in ("Space", "SoftBreak", "LineBreak"):
            parts.append(" ")
        elif name in _NATIVE_BLOCKS:
            parts.append("\n")
    return "".join(parts)


def _unquoted(quoted: str) -> str:
    escaped = re.sub(r"\\(\d+)(?:\\&)?", lambda m: chr(int(m[1])), quoted[1:-1])
    return escaped.replace('\\"', '"').replace("\\n", "\n").replace("\\&", "").replace("\\\\", "\\")


def cases() -> Iterator[Case]:
    ingestion = DOCUMENTS / "ingestion"
    for folder in sorted((ingestion / "docling").iterdir()):
        for source in sorted((folder / "sources").glob("*.*")):
            named = (folder / "groundtruth" / f"{source.name}.md", folder / "groundtruth" / f"{source.stem}.md")
            truth = next((path for path in named if path.exists()), None)
            if source.is_file() and truth is not None:
                yield Case(f"docling {folder.name}", source, markdown_words(truth.read_text("utf-8")))
    for source in sorted((ingestion / "docling" / "ocr" / "sources").glob("*.pdf")):
        yield Case("docling ocr", source, _SCANNED_SENTENCE * (4 if "multipage" in source.name else 1))
    yield Case("scan in English", ingestion / "ocrmypdf" / "linn.pdf", (ingestion / "ocrmypdf" / "linn.txt").read_text("utf-8"))
    for folder, group in (("docx", "pandoc docx"), ("odt/odt", "pandoc odt"), ("rtf", "pandoc rtf"), ("epub", "pandoc epub")):
        for source in sorted((ingestion / "pandoc" / folder).glob("*.*")):
            native = (ingestion / "pandoc" / folder.replace("odt/odt", "odt/native") / source.stem).with_suffix(".native")
            if source.suffix != ".native" and native.exists():
                yield Case(group, source, native_words(native.read_text("utf-8")))
    for source in sorted((DOCUMENTS / "contracts").glob("*.pdf")):
        yield Case("CUAD contracts", source, source.with_suffix(".txt").read_text("utf-8"))


def reading_order(truth: str, read: str) -> float:
    """Share of the truth's words that stand in the same order in what was read."""
    one, other = (_WORD.findall(unicodedata.normalize("NFKC", text).lower()) for text in (truth, read))
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) / max(1, len(one))


def character_error_rate(truth: str, read: str) -> float:
    """Levenshtein distance over the length of the truth, white space and Markdown signs aside."""
    one, other = ("".join(_WORD.findall(unicodedata.normalize("NFKC", text))) for text in (truth, read))
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        above, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (a != b))
    return row[-1] / max(1, len(one))


def order_and_ocr(out: Callable[[str], object], *, without: str = "") -> None:
    """Reading order of the papers and books, and character error rate of the scans, by reader."""
    tools = readers(without)
    out("| file | " + " | ".join(tools) + " |")
    out("| --- |" + " --- |" * len(tools))
    for case in cases():
        if case.group not in ("docling pdf", "docling ocr", "scan in English"):
            continue
        measure = reading_order if case.group == "docling pdf" else character_error_rate
        cells = []
        for read in tools.values():
            try:
                cells.append(f"{measure(case.truth, read(case.path)[0]):.3f}")
            except Exception as error:  # noqa: BLE001  (as above)
                cells.append(type(error).__name__)
        out(f"| {'order' if measure is reading_order else 'CER'} {case.path.name} | " + " | ".join(cells) + " |")


def ours(path: Path) -> tuple[str, str]:
    """The text, and what is kept apart from it (running heads and feet): that counts as found, and not as false."""
    document = ingest(path)
    return document.text, "\n".join(f.text for f in document.furniture)


def readers(without: str) -> dict[str, Callable[[Path], tuple[str, str]]]:
    found: dict[str, Callable[[Path], tuple[str, str]]] = {"unabridged": ours}
    if find_spec("markitdown") and without != "markitdown":
        from markitdown import MarkItDown

        converter = MarkItDown()
        found["markitdown"] = lambda path: (markdown_words(converter.convert(path).text_content), "")
    if find_spec("pymupdf4llm") and without != "pymupdf4llm":
        import pymupdf4llm

        found["pymupdf4llm"] = lambda path: (markdown_words(pymupdf4llm.to_markdown(str(path))), "")
    return found


def compare(out: Callable[[str], object], *, only: str = "", without: str = "") -> None:
    """Recall / precision by group and reader, then a line for every file below 0.99, with the reason."""
    tools = readers(without)
    losses: list[str] = []
    totals: dict[tuple[str, str], list[tuple[float, float]]] = {}
    seconds: Counter[tuple[str, str]] = Counter()
    for case in cases():
        if only and only not in case.group and only not in case.path.name:
            continue
        lists = case.path.suffix == ".pdf"  # there they are printed text
        truth = words(case.truth, lists=lists)
        scores = {}
        for tool, read in tools.items():
            if tool == "pymupdf4llm" and case.path.suffix != ".pdf":
                continue
            started = time.perf_counter()
            try:
                text, aside = read(case.path)
                recall, _ = shares(truth, words(f"{text}\n{aside}", lists=lists))
                scores[tool] = (recall, shares(truth, words(text, lists=lists))[1])
            except DocumentError:
                scores[tool] = (0.0, 1.0) if truth else (1.0, 1.0)
            except Exception:  # noqa: BLE001  (other people's readers fail in their own ways: that counts as nothing read)
                scores[tool] = (0.0, 1.0)
            seconds[case.group, tool] += time.perf_counter() - started
            totals.setdefault((case.group, tool), []).append(scores[tool])
        if min(scores["unabridged"]) < 0.99:
            cells = " | ".join("{:.3f} / {:.3f}".format(*scores[tool]) if tool in scores else "–" for tool in tools)
            losses.append(f"| {case.path.name} | {cells} | {_REASONS.get(case.path.name, '')} |")
    out("| files | group | " + " | ".join(f"{tool}: recall / precision / s" for tool in tools) + " |")
    out("| --- | --- |" + " --- |" * len(tools))
    for group in dict.fromkeys(group for group, _ in totals):
        cells = []
        for tool in tools:
            found = totals.get((group, tool), [])
            recall, precision = (sum(column) / len(found) for column in zip(*found, strict=True)) if found else (0.0, 0.0)
            cells.append(f"{recall:.3f} / {precision:.3f} / {seconds[group, tool]:.1f}" if found else "–")
        out(f"| {len(totals[group, 'unabridged'])} | {group} | " + " | ".join(cells) + " |")
    out("")
    out("| file below 0.99 | " + " | ".join(f"{tool}: recall / precision" for tool in tools) + " | why |")
    out("| --- |" + " --- |" * (len(tools) + 1))
    for loss in losses:
        out(loss)


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


def survey(out: Callable[[str], object], *, ocr: str = "auto") -> None:
    """Every file of the corpus, read or refused with the reason."""
    counts: Counter[str] = Counter()
    for path in sorted((DOCUMENTS / "ingestion").rglob("*")):
        if path.suffix.lower() not in _SUFFIXES or not path.is_file() or "groundtruth" in path.parts:
            continue
        started = time.perf_counter()
        try:
            document = ingest(path, options={"ocr": ocr})
            counts["read"] += 1
            problems = sorted({problem.kind.value for problem in document.problems})
            outcome = f"{len(document.text):,} characters" + (f"; {', '.join(problems)}" if problems else "")
        except DocumentError as error:
            counts[type(error).__name__] += 1
            outcome = f"{type(error).__name__}: {error.message}"
        out(f"| {path.relative_to(DOCUMENTS / 'ingestion')} | {outcome} | {time.perf_counter() - started:.1f} |")
    out("")
    out(", ".join(f"{kind}: {count}" for kind, count in counts.most_common()))


def main() -> None:
    arguments = sys.argv[1:]
    if not DOCUMENTS.is_dir():
        sys.exit("There is no ../shared/documents: nothing to report on.")
    only = next((argument for argument in arguments if not argument.startswith("--")), "")
    without = next((argument.removeprefix("--without=") for argument in arguments if argument.startswith("--without=")), "")
    chosen = {argument for argument in arguments if argument in _PARTS} or set(_PARTS)
    for part, title in _PARTS.items():
        if part not in chosen or (only and part != "--words"):
            continue
        print(f"\n## {title}\n", flush=True)
        match part:
            case "--words":
                compare(print, only=only, without=without)
            case "--items":
                items.report(print, DOCUMENTS / "ingestion" / "pandoc" / "docx", readers(without).get("markitdown"))
            case "--order":
                order_and_ocr(print, without=without)
            case "--laws":
                laws(print)
            case "--survey":
                survey(print, ocr="off" if "--no-ocr" in arguments else "auto")


if __name__ == "__main__":
    main()
