"""What one file may cost. A reader that needs more is stopped and the file refused: DocumentTooCostly, never a cut text."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    size_bytes: int = 256 << 20  # the file itself
    unpacked_bytes: int = 768 << 20  # all members of a zip file together
    members: int = 50_000  # files in a zip file
    pages: int = 20_000
    characters: int = 40_000_000  # of text
    memory_bytes: int = 6 << 30  # address space of the reader's process
    cpu_s: int = 6 * 3600  # in all: recognising hundreds of scanned pages takes hours
    silence_s: float = 300.0  # without a word of progress
    answer_bytes: int = 1 << 30  # what the reader's process may send back
