"""A folder of saved pages as a search provider: nothing leaves the machine. Runs in the web child only.

Pages are ranked by how many of the query's words they hold, then by how often. Where a page came from stands in the comment
that browsers write when they save it, or in its canonical link; else it is the file's own address.
"""

import re
from pathlib import Path
from shutil import copyfile

from lxml import etree, html
from unabridged.errors import WebFailed
from unabridged.ingest.read_html import decode_html
from unabridged.web.providers import Result, Tell
from unabridged.web.words import search_words

MOST_FILES = 2000
LARGEST_BYTES = 16 << 20
SUFFIXES = {".html": "text/html", ".htm": "text/html", ".xhtml": "text/html", ".txt": "text/plain", ".pdf": "application/pdf"}
_SAVED_FROM = re.compile(r"<!-- saved from url=\(\d+\)(https?://\S{1,2000}) -->")
_SNIPPET = 200  # characters


class SavedPages:
    def __init__(self, folder: str) -> None:
        self._folder = Path(folder).expanduser()

    def search(self, query: str, *, limit: int, tell: Tell) -> list[Result]:
        if not self._folder.is_dir():
            raise WebFailed(f"There is no folder {self._folder}.", hint="Set web_folder to the folder of saved pages.")
        files = sorted(path for path in self._folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
        if len(files) > MOST_FILES:
            raise WebFailed(f"{self._folder} holds more than {MOST_FILES:,} pages.", hint="Name a smaller folder.")
        words = search_words(query)
        ranked = []
        for path in files:
            if path.stat().st_size > LARGEST_BYTES:
                continue
            title, url, text = _look(path)
            counts = [f"{title}\n{text}".casefold().count(word) for word in words]
            if any(counts):
                ranked.append((-sum(map(bool, counts)), -sum(counts), Result(title, url, _around(text, words), str(path))))
        return [result for *_, result in sorted(ranked, key=lambda item: item[:2])][:limit]


def copied(file: Path, into: Path) -> str:
    """Put a saved page where a fetched one would stand; returns its media type. Raises WebFailed."""
    if file.suffix.lower() not in SUFFIXES or file.stat().st_size > LARGEST_BYTES:
        raise WebFailed(f"{file.name} is no saved page.", hint="Saved pages are HTML, text or PDF.")
    copyfile(file, into)
    return SUFFIXES[file.suffix.lower()]


def _look(path: Path) -> tuple[str, str, str]:
    """Title, address and text of a saved page; a PDF is known by its name alone until it is read."""
    if path.suffix.lower() == ".pdf":
        return path.stem, path.absolute().as_uri(), path.stem.replace("_", " ").replace("-", " ")
    source, _ = decode_html(path.read_bytes())
    saved = _SAVED_FROM.search(source[:4096])
    url = saved[1] if saved else path.absolute().as_uri()
    if SUFFIXES[path.suffix.lower()] == "text/plain":
        return path.stem, url, source
    try:
        root = html.document_fromstring(source.replace("\0", ""), parser=html.HTMLParser(no_network=True))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return path.stem, url, ""
    canonical = root.xpath("string(//link[@rel='canonical']/@href)")
    if not saved and str(canonical).startswith(("http://", "https://")):
        url = str(canonical)
    for element in root.xpath("//script|//style"):
        element.drop_tree()
    return " ".join((root.findtext(".//title") or path.stem).split()), url, " ".join(root.text_content().split())


def _around(text: str, words: list[str]) -> str:
    places = [place for word in words if (place := text.casefold().find(word)) >= 0]
    start = max(0, min(places, default=0) - _SNIPPET // 2)
    return text[start : start + _SNIPPET]
