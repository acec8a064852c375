"""The ground truth beside the files of the corpus, and how words of it and of what was read are compared.

docling's Markdown, pandoc's `.native`, CUAD's plain text. Both sides go through the same normalisation, so that a reader is
judged by words and not by its signs for them: Markdown's marks, LaTeX's commands, ticks and list numbers.
"""

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.corpus.native import unquoted

DOCUMENTS = Path(__file__).resolve().parents[3] / "shared" / "documents"

_WORD = re.compile(r"[\u3400-\u9fff\uac00-\ud7a3\u3040-\u30ff]|[^\W_]+")
_PRINTED = ("Str", "Code", "CodeBlock", "InlineMath", "DisplayMath")
_NATIVE_BLOCKS = (
    "Para", "Plain", "Header", "Note", "CodeBlock", "Cell", "Row", "BlockQuote", "OrderedList", "BulletList", "DefinitionList",
    "Div", "Table", "LineBlock", "Figure", "Caption", "MetaInlines", "MetaString", "MetaList",
)  # fmt: skip
# Word's list numbers are computed by some readers and left out by others and by most ground truth: not compared.
_LIST_SIGN = re.compile(
    r"^[ \t>]*(?:#+[ \t]+)?(?:[-*•+][ \t]+|(?:\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5})[.)]|\d+(?:\.\d+)+\.?)[ \t]+)?", re.MULTILINE
)
_INNER = r"(?:[^\[\]]|\[[^\[\]]*\])*"  # brackets may hold brackets, and addresses parentheses
_LINK = re.compile(rf"!?\[({_INNER})\]\((?:[^()]|\([^()]*\))*\)")
_NOTE_LABEL = re.compile(r"\[\^\w+\]:?")
_SHIFTED = re.compile(r"([⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉]+)")
_COMMENT_FRAME = re.compile(r"\[Comment(?: by [^:\]]*?)?(?: on “[^”]*”)?: ")
_FUNCTIONS = r"\\(log|ln|exp|sin|cos|tan|lim|max|min)\b"  # names of commands that are printed
_TEX = re.compile(r"(\$\$?)(.+?)\1", re.DOTALL)
# What docling's scans show on each page. docling's own files beside them hold what another program made of the pictures.
_SCANNED_SENTENCE = "Docling bundles PDF document conversion to JSON and Markdown in an easy self contained package\n"


@dataclass(frozen=True, slots=True)
class Case:
    group: str
    path: Path
    truth: str
    options: dict[str, str] = field(default_factory=dict)  # for our reader


def words(text: str, *, lists: bool = True) -> Counter[str]:
    """Words in lower case, East Asian characters one by one, the numbers of list items only with `lists`.

    Compatibility forms and ligatures are made alike; a tick is an x, as Markdown writes it, H₂O three words, as tags make it.
    """
    return Counter(ordered_words(text if lists else _LIST_SIGN.sub("", text)))


def ordered_words(text: str) -> list[str]:
    text = _SHIFTED.sub(r" \1 ", re.sub(r"[☑☒]", " x ", _NOTE_LABEL.sub(" ", text)))
    return [word.lower() for word in _WORD.findall(unicodedata.normalize("NFKC", text))]


def shares(truth: Counter[str], read: Counter[str]) -> tuple[float, float]:
    """Recall and precision; 1 where there is nothing to find or nothing was read."""
    common = sum((truth & read).values())
    return common / max(1, truth.total()) if truth else 1.0, common / max(1, read.total()) if read else 1.0


def markdown_words(text: str) -> str:
    """What Markdown says, without its own signs, addresses, tags and LaTeX's names of commands."""
    text = re.sub(r"<!--.*?-->", " ", text, flags=re.DOTALL)
    text = re.sub(r"^[ \t]*(?:```|~~~)[\w+-]*[ \t]*$", " ", text, flags=re.MULTILINE)
    text = _TEX.sub(lambda match: _without_commands(match[2]), text)
    for _ in range(2):  # an image inside a link
        text = _LINK.sub(r"\1", text)
    text = re.sub(r"\\([\\_*`#\[\](){}|<>.!+-])", r"\1", text)
    return html.unescape(re.sub(r"</?[a-z][^>]*>", " ", text))


def unframed(text: str) -> str:
    """Our text without the words that say whose a comment is: the truth has none or others."""
    return _COMMENT_FRAME.sub(" ", text)


def _without_commands(formula: str) -> str:
    return re.sub(r"\\[A-Za-z]+", " ", re.sub(_FUNCTIONS, r"\1", formula))


def native_words(text: str) -> str:
    """What the inlines of a pandoc `.native` file print: Str, Code, CodeBlock and Math; blocks stand on lines of their own."""
    parts: list[str] = []
    text = re.sub(r"\]\s*,\s*\[\s*\[\s*(Para|Plain)", r"] Plain [[ \1", text)  # a term and its definitions
    text = re.sub(r'\b(Code|CodeBlock)\s*\(\s*"[^"]*"\s*,\s*\[[^\]]*\]\s*,\s*\[[^\]]*\]\s*\)', r"\1", text)
    for match in re.finditer(r'\b([A-Z][A-Za-z]+)\b(?:\s*("(?:[^"\\]|\\.)*"))?|"(?:[^"\\]|\\.)*"', text):
        name, quoted = match[1], match[2]
        if name in _PRINTED and quoted:
            said = unquoted(quoted)
            parts.append(_without_commands(said) if name.endswith("Math") else said)
        elif name in ("Space", "SoftBreak", "LineBreak"):
            parts.append(" ")
        elif name in _NATIVE_BLOCKS:
            parts.append("\n")
    return "".join(parts)


def cases() -> Iterator[Case]:
    ingestion = DOCUMENTS / "ingestion"
    for folder in sorted((ingestion / "docling").iterdir()):
        for source in sorted((folder / "sources").glob("*.*")):
            named = (folder / "groundtruth" / f"{source.name}.md", folder / "groundtruth" / f"{source.stem}.md")
            truth = next((path for path in named if path.exists()), None)
            if source.is_file() and truth is not None:
                as_pdf = " as PDF" if source.suffix == ".pdf" and folder.name != "pdf" else ""
                yield Case(f"docling {folder.name}{as_pdf}", source, markdown_words(truth.read_text("utf-8")))
    for source in sorted((ingestion / "docling" / "ocr" / "sources").glob("*.pdf")):
        yield Case("docling ocr", source, _SCANNED_SENTENCE * (4 if "multipage" in source.name else 1))
    yield Case("scan in English", ingestion / "ocrmypdf" / "linn.pdf", (ingestion / "ocrmypdf" / "linn.txt").read_text("utf-8"))
    for folder, group in (("docx", "pandoc docx"), ("odt/odt", "pandoc odt"), ("rtf", "pandoc rtf"), ("epub", "pandoc epub")):
        for source in sorted((ingestion / "pandoc" / folder).glob("*.*")):
            native = (ingestion / "pandoc" / folder.replace("odt/odt", "odt/native") / source.stem).with_suffix(".native")
            if source.suffix != ".native" and native.exists():
                tree = native.read_text("utf-8")
                # a truth that marks deletions as such is that of the marked-up view
                options = {"revisions": "marked"} if '["deletion"]' in re.sub(r"\s", "", tree) else {}
                yield Case(group, source, native_words(tree), options)
    for source in sorted((DOCUMENTS / "contracts").glob("*.pdf")):
        yield Case("CUAD contracts", source, source.with_suffix(".txt").read_text("utf-8"))
