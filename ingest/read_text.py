"""Plain text and Markdown in any common encoding.

Normalisation: the bytes are decoded, a byte order mark is dropped, line ends become "\\n". Control characters that no text
needs (NUL among them) become U+FFFD and are reported. Nothing else is changed: hard-wrapped lines, indents and Markdown's own
signs stay, so that spans point into the text as the author left it. Blocks are found over it.
"""

import codecs
import re

from unabridged.errors import DocumentDamaged, DocumentEmpty, DocumentUnsupported, UsageError
from unabridged.ingest.clauses import number_of
from unabridged.ingest.document import BlockKind, Document, ProblemKind
from unabridged.ingest.draft import Draft, usable
from unabridged.ingest.encodings import Encoding, detect, is_binary
from unabridged.ingest.reader import Source

_MARKDOWN = (".md", ".markdown", ".mdown", ".qmd")
_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+|$)")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_BULLET = re.compile(r"[ \t]*([-*+•·●○■□◆▪–])[ \t]+\S")
_ROW = re.compile(r"[ \t]*\|.*\|[ \t]*$")


def read_text(source: Source) -> Document:
    """Raises DocumentUnsupported for binary content and UsageError for an encoding that does not exist."""
    data = source.path.read_bytes()
    if is_binary(data):
        raise DocumentUnsupported(
            f"{source.name} is not text: it holds binary data, whatever its name says.",
            hint="Attach a PDF, Word or text file.",
        )
    encoding = _chosen(source) or detect(data)
    text = _decoded(data, encoding, source)
    draft = Draft(text=usable(text))
    if not draft.text.strip():
        raise DocumentEmpty(f"{source.name} holds nothing but white space.", hint="Choose a file with text in it.")
    draft.details["encoding"] = encoding.name
    if not encoding.certain:
        draft.problem(
            ProblemKind.ENCODING,
            "the whole file",
            f"Its encoding is not stated; it was read as {encoding.name}. If characters look wrong, choose another encoding.",
        )
    replaced = draft.text.count("\ufffd") - text.count("\ufffd")
    if replaced:
        draft.problem(
            ProblemKind.ENCODING, "the whole file", f"{replaced:,} control characters were replaced by the sign \ufffd."
        )
    undecoded = text.count("\ufffd")
    if undecoded:
        draft.problem(
            ProblemKind.ENCODING,
            "the whole file",
            f"{undecoded:,} characters are not {encoding.name} and stand as \ufffd; choose another encoding.",
        )
    markdown = source.path.suffix.lower() in _MARKDOWN
    mark_blocks(draft, markdown=markdown)
    return draft.finish(media_type="text/markdown" if markdown else "text/plain", name=source.name)


def _chosen(source: Source) -> Encoding | None:
    name = source.options.get("encoding")
    if not name:
        return None
    try:
        codecs.lookup(name)
    except LookupError as error:
        raise UsageError(
            f"There is no encoding {name}.", hint="Use one like utf-8, gb18030, big5, shift_jis or cp1252."
        ) from error
    return Encoding(name, certain=True)


def _decoded(data: bytes, encoding: Encoding, source: Source) -> str:
    try:
        text = data.decode(encoding.name, "replace")
    except (LookupError, UnicodeError) as error:
        raise DocumentDamaged(
            f"{source.name} cannot be decoded as {encoding.name}.", hint="Choose another encoding."
        ) from error
    return text.removeprefix("\ufeff")


def mark_blocks(draft: Draft, *, markdown: bool) -> None:
    """Find the paragraphs of `draft.text`: at blank lines, at line ends where lines are not wrapped, where a clause begins."""
    lines = _line_spans(draft.text)
    wrapped = _is_wrapped(draft.text, lines)
    block: list[tuple[int, int]] = []
    fence = ""

    def flush() -> None:
        if block:
            _mark(draft, block[0][0], block[-1][1], markdown=markdown)
            block.clear()

    for start, end in lines:
        line = draft.text[start:end]
        marker = _FENCE.match(line) if markdown else None
        if marker and not fence:
            flush()
            fence = marker[1]
            block.append((start, end))
        elif fence:
            block.append((start, end))
            if marker and marker[1].startswith(fence):
                fence = ""
                flush()
        elif not line.strip():
            flush()
        elif (
            markdown
            and _UNDERLINE.match(line)
            and len(block) == 1
            and not _BULLET.match(line)
            and not _ROW.match(draft.text[block[0][0] : block[0][1]])
        ):
            draft.mark(BlockKind.HEADING, block[0][0], end, level=1 if "=" in line else 2)
            block.clear()
        else:
            if block and _begins_anew(draft.text, block[-1], (start, end), wrapped=wrapped or markdown, markdown=markdown):
                flush()
            block.append((start, end))
            if markdown and _HEADING.match(line):
                flush()
    flush()


def _line_spans(text: str) -> list[tuple[int, int]]:
    spans, start = [], 0
    while start <= len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        spans.append((start, end))
        start = end + 1
    return spans


def _is_wrapped(text: str, lines: list[tuple[int, int]]) -> bool:
    """Whether lines end where the page did rather than the paragraph: most long lines are of nearly one length."""
    lengths = sorted(end - start for start, end in lines if end - start > 30)
    if len(lengths) < 8:
        return False
    widest = lengths[int(len(lengths) * 0.95)]
    return widest <= 140 and sum(length > widest * 0.75 for length in lengths) > len(lengths) * 0.5


def _begins_anew(text: str, previous: tuple[int, int], present: tuple[int, int], *, wrapped: bool, markdown: bool) -> bool:
    line, before = text[present[0] : present[1]], text[previous[0] : previous[1]]
    if _ROW.match(line) and _ROW.match(before):
        return False
    if not wrapped or (markdown and (_HEADING.match(line) or _FENCE.match(line))):
        return True
    if _BULLET.match(line) or bool(_ROW.match(before)) != bool(_ROW.match(line)):
        return True
    indent, indent_before = len(line) - len(line.lstrip()), len(before) - len(before.lstrip())
    if indent > indent_before and not markdown:
        return True
    return number_of(line.lstrip()) is not None


def _mark(draft: Draft, start: int, end: int, *, markdown: bool) -> None:
    text = draft.text[start:end]
    start += len(text) - len(text.lstrip())
    end -= len(text) - len(text.rstrip())
    text = draft.text[start:end]
    heading = _HEADING.match(text) if markdown else None
    if heading:
        draft.mark(BlockKind.HEADING, start, end, level=len(heading[1]))
    elif _ROW.match(text.partition("\n")[0]) and "\n" in text:
        draft.mark(BlockKind.TABLE, start, end)
    elif _BULLET.match(text):
        draft.mark(BlockKind.LIST_ITEM, start, end, level=1)
    else:
        draft.mark(BlockKind.PARAGRAPH, start, end)
