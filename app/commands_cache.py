"""The commands about readings that are kept on disk: cache list, cache clear, cache verify."""

import argparse
import sys
import time
from dataclasses import asdict

from unabridged.console import print_json
from unabridged.home import open_home
from unabridged.models import stored_readings
from unabridged.models.segment_cache import SegmentCache


def list_readings(options: argparse.Namespace) -> int:
    cache = SegmentCache(open_home().segments)
    readings = stored_readings.list_readings(cache)
    if options.json:
        print_json({"readings": [asdict(reading) for reading in readings], "total_bytes": cache.total_bytes()})
        return 0
    for reading in readings:
        used = time.strftime("%Y-%m-%d %H:%M", time.localtime(reading.last_used))
        part = "" if reading.tokens_stored_share == 1 else f", {reading.tokens_stored_share:.0%} still there"
        sys.stdout.write(
            f"{used}  {reading.tokens:>10,} tokens{part}  {_megabytes(reading.size_bytes):>12}  {reading.model}\n"
        )
    sys.stdout.write(f"{_megabytes(cache.total_bytes())} on disk. What is cleared is read again when it is needed.\n")
    return 0


def clear(options: argparse.Namespace) -> int:
    freed = SegmentCache(open_home().segments).clear()
    sys.stdout.write(f"{_megabytes(freed)} freed. Documents and conversations are untouched.\n")
    return 0


def verify(options: argparse.Namespace) -> int:
    from unabridged.models.segments import is_whole

    result = SegmentCache(open_home().segments).verify(is_whole)
    if options.json:
        print_json(asdict(result))
    else:
        sys.stdout.write(
            f"{result.checked:,} segments checked, {result.damaged:,} damaged and removed (they are read again when needed), "
            f"{_megabytes(result.size_bytes)} kept.\n"
        )
    return 0


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.1f} MB"
