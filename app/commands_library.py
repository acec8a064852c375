"""The commands about documents: inspect, find, library list, library remove."""

import argparse
import sys
from dataclasses import asdict
from typing import Any

from unabridged.console import Progress, add_file, counted, print_json
from unabridged.home import open_home
from unabridged.ingest.document import Document
from unabridged.workspace import Workspace


def inspect(options: argparse.Namespace) -> int:
    """`inspect FILE`: what the reader understood, and how many tokens it is to the model; nothing is read into the window."""
    progress = Progress(sys.stderr)
    with Workspace(open_home(), model=options.model) as workspace:
        document = add_file(workspace, options.file, progress)
        tokens = workspace.count_tokens(document)
    view = inspection(document, tokens=tokens)
    if options.text:
        view["text"] = document.text
    if options.json:
        print_json(view)
    else:
        sys.stdout.write(_described(view, document))
    return 0


def inspection(document: Document, *, tokens: int) -> dict[str, Any]:
    """The JSON object of inspect; `blocks` is their number, `start` of an outline entry a position in the text."""
    return {
        "name": document.name,
        "media_type": document.media_type,
        "characters": len(document.text),
        "pages": len(document.pages),
        "tokens": tokens,
        "blocks": len(document.blocks),
        "outline": [
            {
                "level": block.level,
                "title": " ".join(document.text[block.start : block.end].split()),
                "path": block.anchor.path,
                "page": block.anchor.page,
                "start": block.start,
            }
            for block in document.outline
        ],
        "problems": [{"kind": str(item.kind), "where": item.where, "hint": item.hint} for item in document.problems],
    }


def find(options: argparse.Namespace) -> int:
    """`find WORDS`: where the library has these very words."""
    with Workspace(open_home()) as workspace:
        found = workspace.library.find(options.words)
    if options.json:
        print_json({"words": options.words, "found": [asdict(place) for place in found]})
        return 0
    for place in found:
        where = ", ".join(part for part in (place.document, f"page {place.page}" if place.page else "", place.path) if part)
        snippet = " ".join(f"{place.before}«{place.words}»{place.after}".split())
        sys.stdout.write(f"{where}\n    …{snippet}…\n")
    sys.stdout.write(f"{len(found):,} found.\n")
    return 0


def list_documents(options: argparse.Namespace) -> int:
    with Workspace(open_home()) as workspace:
        entries = workspace.library.entries()
    if options.json:
        print_json({"documents": [asdict(entry) for entry in entries]})
        return 0
    for entry in entries:
        pages = f", {counted(entry.pages, 'page')}" if entry.pages else ""
        problems = f", {counted(entry.problems, 'problem')} (see inspect)" if entry.problems else ""
        sys.stdout.write(f"{entry.id[:12]}  {entry.name}  {entry.characters:,} characters{pages}{problems}\n")
    if not entries:
        sys.stdout.write("The library is empty. Add a file by asking about it: unabridged ask FILE QUESTION\n")
    return 0


def remove(options: argparse.Namespace) -> int:
    with Workspace(open_home()) as workspace:
        for entry in [workspace.library.resolve(name) for name in options.names]:
            workspace.library.remove(entry.id)
            sys.stdout.write(f"Removed {entry.name}.\n")
    return 0


def _described(view: dict[str, Any], document: Document) -> str:
    nouns = ["character", *(["page"] if view["pages"] else []), "token", "block"]
    lines = [
        f"{view['name']} ({view['media_type']})",
        ", ".join(counted(view[f"{noun}s"], noun) for noun in nouns),
    ]
    lines += [f"{name}: {value}" for name, value in document.details.items()]
    if view["outline"]:
        lines.append("Outline")
        for entry in view["outline"]:
            page = f"  (page {entry['page']})" if entry["page"] else ""
            lines.append(f"{'  ' * max(entry['level'], 1)}{entry['title']}{page}")
    if view["problems"]:
        lines.append("Problems")
        lines += [f"  {problem['kind']}: {problem['where']}. {problem['hint']}" for problem in view["problems"]]
    if "text" in view:
        lines += ["Text", view["text"]]
    return "\n".join(lines) + "\n"
