"""How long files take to read, and what the reader's process needs: `python tests/benchmarks/ingest.py [FILE...]`.

The files are made here: a Word file of 130,000 characters, PDFs of 100, 600 and 2,000 pages of running text, one of 100,000
pages and one whose only page draws 100,000,000 lines. Further files can be named. PDFs are read by one process and by several,
one after the other. Seconds are those of the whole way, the start of the process included, and those of the processor in the
reader's processes, for a machine that is busy; memory is the most that these had together at one of ten moments a second, what
they share counted once. `--without-drawing` leaves the last file out, which takes minutes; `--ocr` recognises pictures.
"""

import os
import resource
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import docx
import pymupdf
from unabridged.errors import DocumentError
from unabridged.ingest.limits import Limits
from unabridged.ingest.reading import ingest

WORDS = "The tenant shall pay the rent on the first day of each month without any deduction whatsoever, and the landlord "
ONE_PROCESS = Limits(memory_bytes=2 << 30)  # too little for workers
STROKES = b"0 0 m 9 9 l S\n" * 100_000


def word_file(path: Path, *, characters: int) -> None:
    file = docx.Document()
    for number in range(characters // 400):
        file.add_paragraph(f"{number + 1}.1 Clause {number}", style="Heading 2")
        file.add_paragraph((WORDS * 4)[:385])
    file.save(str(path))


def book(path: Path, *, pages: int) -> None:
    with pymupdf.open() as pdf:
        for number in range(1, pages + 1):
            page = pdf.new_page()
            page.insert_text((72, 40), "Lease of Alder Mills", fontsize=9)
            page.insert_text((290, 810), str(number), fontsize=9)
            lines = [f"{number}.{line} {WORDS}"[:88] for line in range(48)]
            page.insert_text((72, 80), lines, fontsize=10)
        pdf.save(path, garbage=0, deflate=True)


def bare_pages(path: Path, *, pages: int) -> None:
    """Written by hand, object by object: adding so many pages one after the other takes very long."""
    kids = b" ".join(b"%d 0 R" % number for number in range(3, pages + 3))
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages, kids)]
    objects += [b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"] * pages
    body = b"".join(b"%d 0 obj%sendobj\n" % (number, content) for number, content in enumerate(objects, 1))
    path.write_bytes(b"%PDF-1.4\n" + body + b"trailer<</Root 1 0 R/Size %d>>\n%%%%EOF\n" % (len(objects) + 1))


def drawing(path: Path, *, strokes: int) -> None:
    packer = zlib.compressobj(9)
    content = b"".join(packer.compress(STROKES) for _ in range(strokes // 100_000)) + packer.flush()
    with pymupdf.open() as pdf:
        page = pdf.new_page()
        page.insert_text((72, 72), "x")
        xref = page.get_contents()[0]
        pdf.update_stream(xref, b" ", compress=False)
        pdf.xref_set_key(xref, "Filter", "/FlateDecode")
        pdf.update_stream(xref, content, compress=False, new=False)
        pdf.xref_set_key(xref, "Filter", "/FlateDecode")
        pdf.save(path)


def memory_mb() -> float:
    """What this process's children and theirs have resident, pages that they share divided among them (`proc_pid_smaps(5)`)."""
    found, kilobytes = [os.getpid()], 0
    for process in found:
        try:
            tasks = Path(f"/proc/{process}/task").glob("*/children")
            found += [int(child) for children in tasks for child in children.read_text().split()]
            rows = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines() if process != os.getpid() else []
        except OSError:  # it has ended
            continue
        kilobytes += sum(int(row.split()[1]) for row in rows if row.startswith("Pss:"))
    return kilobytes / 1024


def watch(most: list[float], ended: threading.Event) -> None:
    while not ended.wait(0.1):
        most[0] = max(most[0], memory_mb())


def measured(path: Path, limits: Limits) -> str:
    """What became of it, seconds, and MB of the reader's processes. In a process of its own, so that peaks are its own."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        most, ended = [0.0], threading.Event()
        threading.Thread(target=watch, args=(most, ended), daemon=True).start()
        started = time.perf_counter()
        try:
            document = ingest(path, options={"ocr": "auto" if "--ocr" in sys.argv else "off"}, limits=limits)
            outcome = f"{len(document.text):,} characters, {len(document.pages):,} pages"
        except DocumentError as error:
            outcome = f"{type(error).__name__}: {error.message}"
        seconds = time.perf_counter() - started
        ended.set()
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        row = f"{outcome} | {seconds:.1f} | {used.ru_utime + used.ru_stime:.1f} | {most[0]:.0f}"
        os.write(writing, row.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        row = pipe.read().decode()
    os.waitpid(child, 0)
    return row


def report(name: str, path: Path) -> None:
    for how, limits in (("one process", ONE_PROCESS), ("several", Limits()))[path.suffix != ".pdf" :]:
        print(f"| {name} | {how if path.suffix == '.pdf' else ''} | {measured(path, limits)} |", flush=True)


def main() -> None:
    made: dict[str, Callable[[Path], None]] = {
        "130,000 characters.docx": lambda path: word_file(path, characters=130_000),
        "100 pages.pdf": lambda path: book(path, pages=100),
        "600 pages.pdf": lambda path: book(path, pages=600),
        "2,000 pages.pdf": lambda path: book(path, pages=2_000),
        "100,000 pages.pdf": lambda path: bare_pages(path, pages=100_000),
        "100,000,000 lines.pdf": lambda path: drawing(path, strokes=100_000_000),
    }
    if "--without-drawing" in sys.argv:
        del made["100,000,000 lines.pdf"]
    print("| file | read by | what became of it | s | processor s | MB |\n| --- | --- | --- | --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, make in made.items():
            path = Path(folder) / name
            make(path)
            report(name, path)
    for file in (Path(argument) for argument in sys.argv[1:] if not argument.startswith("--")):
        report(file.name, file)


if __name__ == "__main__":
    main()
