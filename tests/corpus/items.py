"""What pandoc's `.native` files name one by one: tracked changes, comments, notes, numbered items, and the original view.

For every item: is it in what was read, as what it is? For markitdown, whose text has no kinds, it counts when its words are
there.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from unabridged.ingest.document import BlockKind, Document
from unabridged.ingest.numerals import letter_numeral, roman_numeral
from unabridged.ingest.reading import ingest

from tests.corpus.native import Node, nodes, parsed, words
from tests.corpus.truth import Case

_FRAMES = {"Period": "{}.", "OneParen": "{})", "TwoParens": "({})", "DefaultDelim": "{}."}
_COMMENT = re.compile(r"\[Comment(?: by (?P<who>.*?))?(?: on “.*?”)?: (?P<words>.*)\]", re.DOTALL)
_CHANGE = re.compile(r"\{([+-])(.*?)\1\}", re.DOTALL)


def pairs(folder: Path) -> Iterator[tuple[str, Path, Any]]:
    """Name, Word file and tree of every `.native` whose Word file is there."""
    for native in sorted(folder.glob("*.native")):
        stem = re.sub(r"_(all|accept|reject)$", "", native.stem)
        word = next((path for path in (folder / f"{stem}.docx", folder / "golden" / f"{stem}.docx") if path.exists()), None)
        if word is not None:
            yield native.stem, word, parsed(native.read_text("utf-8"))


def expected(name: str, tree: Any) -> dict[str, list[str]]:  # noqa: ANN401  (pandoc's tree)
    found: dict[str, list[str]] = {}
    for span in nodes(tree, "Span"):
        (_, classes, attributes), inside = span.arguments
        if "insertion" in classes or "deletion" in classes:
            found.setdefault("tracked changes", []).append(("+" if "insertion" in classes else "-") + words(inside))
        if "comment-start" in classes:
            who = ", ".join(filter(None, (dict(attributes).get("author"), dict(attributes).get("date", "")[:10])))
            found.setdefault("comments", []).append(f"{who}: {words(inside)}")
    found["notes"] = [words(list(note.arguments)) for note in nodes(tree, "Note")]
    found["numbered items"] = list(_items(tree))
    if name.endswith("_reject"):
        found["paragraphs of the original"] = [words(paragraph) for paragraph in nodes(tree, "Para")]
    return {what: items for what, items in found.items() if items}


def _items(value: Any) -> Iterator[str]:  # noqa: ANN401
    """Label and first paragraph of every list item, outer before inner."""
    if isinstance(value, Node) and value.name in ("OrderedList", "BulletList"):
        is_ordered = value.name == "OrderedList"
        (start, style, frame), items = value.arguments if is_ordered else ((1.0, None, None), value.arguments[0])
        for number, item in enumerate(items, int(start)):
            label, has_text = _label(number, style, frame), item[0].name in ("Para", "Plain")
            yield f"{label} {words(item[0])}" if has_text else label
            yield from _items(item[has_text:])
    elif isinstance(value, Node):
        yield from _items(list(value.arguments))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _items(part)


def _label(number: int, style: Node | None, frame: Node | None) -> str:
    if style is None or frame is None:
        return "•"
    letters, roman = letter_numeral(number), roman_numeral(number)
    forms = {"LowerAlpha": letters.lower(), "UpperAlpha": letters, "LowerRoman": roman.lower(), "UpperRoman": roman}
    return _FRAMES[frame.name].format(forms.get(style.name, str(number)))


def ours(what: str, path: Path) -> list[str]:
    view = {"tracked changes": "marked", "paragraphs of the original": "original"}.get(what, "final")
    document = ingest(path, options={"revisions": view})
    if what == "tracked changes":
        return [sign + " ".join(text.split()) for sign, text in _CHANGE.findall(document.text)]
    if what == "comments":
        matches = (_COMMENT.fullmatch(text) for text in _blocks(document, BlockKind.COMMENT))
        return [f"{match['who'] or ''}: {' '.join(match['words'].split())}" for match in matches if match]
    if what == "notes":
        return [" ".join(text.partition("] ")[2].split()) for text in _blocks(document, BlockKind.FOOTNOTE)]
    if what == "numbered items":
        items = (re.sub(r"\[\^\w+\]", "", " ".join(text.split())) for text in _blocks(document, BlockKind.LIST_ITEM))
        return [re.sub(r"^[^\w(]+ ", "• ", text) for text in items]
    return [" ".join(text.split()) for text in _blocks(document, BlockKind.PARAGRAPH)]


def _blocks(document: Document, kind: BlockKind) -> list[str]:
    return [document.text[block.start : block.end] for block in document.blocks if block.kind is kind]


def report(out: Callable[[str], object], folder: Path, other: Callable[[Case], tuple[str, str]] | None) -> None:
    """A line for every file and kind of item; `other` gives markitdown's text, and nothing apart from it."""
    out("| file | items | of | unabridged | markitdown | not found here |")
    out("| --- | --- | --- | --- | --- | --- |")
    totals: Counter[tuple[str, str]] = Counter()
    for name, path, tree in pairs(folder):
        for what, wanted in expected(name, tree).items():
            missing = list((Counter(wanted) - Counter(ours(what, path))).elements())
            text = " ".join(other(Case("", path, ""))[0].split()) if other else ""
            there = sum(item.lstrip("+-•").partition(": ")[2 if what == "comments" else 0].strip() in text for item in wanted)
            totals[what, "of"] += len(wanted)
            totals[what, "ours"] += len(wanted) - len(missing)
            totals[what, "other"] += there
            found = len(wanted) - len(missing)
            out(f"| {name} | {what} | {len(wanted)} | {found} | {there if other else '–'} | {'; '.join(missing)[:90]} |")
    for what in dict.fromkeys(what for what, _ in totals):
        of, found, there = (totals[what, column] for column in ("of", "ours", "other"))
        out(f"| all | {what} | {of} | {found} | {there if other else '–'} | |")
