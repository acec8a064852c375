"""The commands about readings that are kept on disk: cache list, clear, pin, unpin, verify."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict

from unabridged.console import print_json
from unabridged.errors import HomeError, UsageError
from unabridged.home import Home, open_home
from unabridged.library import Library
from unabridged.models import stored_readings
from unabridged.models.segment_cache import SegmentCache
from unabridged.store import Store


def list_readings(options: argparse.Namespace) -> int:
    home = open_home()
    cache = SegmentCache(home.segments)
    documents, readings = stored_readings.list_documents(cache), stored_readings.list_readings(cache)
    names = _names(home)
    if options.json:
        named = [{"name": names.get(item.document), **asdict(item)} for item in documents]
        total = cache.total_bytes()
        print_json({"documents": named, "readings": [asdict(reading) for reading in readings], "total_bytes": total})
        return 0
    for item in documents:
        used = time.strftime("%Y-%m-%d %H:%M", time.localtime(item.last_used))
        name = names.get(item.document, f"(removed document {item.document[:12]})")
        pinned = "  pinned" if item.pinned else ""
        sys.stdout.write(f"{used}  {_megabytes(item.size_bytes):>12}  {name}  ({', '.join(item.models)}){pinned}\n")
    for reading in readings:
        if not reading.documents:  # read before documents were noted
            used = time.strftime("%Y-%m-%d %H:%M", time.localtime(reading.last_used))
            sys.stdout.write(f"{used}  {_megabytes(reading.size_bytes):>12}  {reading.tokens:,} tokens  ({reading.model})\n")
    sys.stdout.write(f"{_megabytes(cache.total_bytes())} on disk. What is cleared is read again when it is needed.\n")
    return 0


def clear(options: argparse.Namespace) -> int:
    """`cache clear [DOCUMENT]...`: what was read of these documents, or everything."""
    home = open_home()
    cache = SegmentCache(home.segments)
    freed = cache.clear(documents=_ids(home, options.documents)) if options.documents else cache.clear()
    sys.stdout.write(f"{_megabytes(freed)} freed. Documents and conversations are untouched.\n")
    return 0


def pin(options: argparse.Namespace) -> int:
    return _mark(options, SegmentCache.pin)


def unpin(options: argparse.Namespace) -> int:
    return _mark(options, SegmentCache.unpin)


def verify(options: argparse.Namespace) -> int:
    from unabridged.models.segments import is_whole

    result = SegmentCache(open_home().segments).verify(is_whole)
    if options.json:
        print_json(asdict(result))
    else:
        sys.stdout.write(
            f"{result.checked:,} segments checked, {result.damaged:,} damaged or of a former format and removed "
            "(they are read again when needed), "
            f"{_megabytes(result.size_bytes)} kept.\n"
        )
    return 0


def _mark(options: argparse.Namespace, mark: Callable[[SegmentCache, str], None]) -> int:
    home = open_home()
    cache = SegmentCache(home.segments)
    try:
        for document_id in _ids(home, options.documents):
            mark(cache, document_id)
    except OSError as error:
        raise HomeError(f"The mark cannot be kept: {error.strerror}.", hint="Check the rights of the home folder.") from error
    return 0


def _names(home: Home) -> dict[str, str]:
    store = Store(home.database)
    try:
        return {entry.id: entry.name for entry in Library(home, store).entries()}
    finally:
        store.close()


def _ids(home: Home, words: Sequence[str]) -> list[str]:
    """Ids of documents given by name, by id, or by its beginning; those that were removed may still have readings."""
    names = _names(home)
    known = {*names, *(item.document for item in stored_readings.list_documents(SegmentCache(home.segments)))}
    ids = []
    for word in words:
        found = [key for key in known if names.get(key) == word] or [
            key for key in known if len(word) >= 4 and key.startswith(word.lower())
        ]
        if len(found) != 1:
            many = "several documents" if found else "no document"
            raise UsageError(f"There is {many} called {word}.", hint="Give a name or an id that unabridged library list shows.")
        ids += found
    return ids


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.1f} MB"
