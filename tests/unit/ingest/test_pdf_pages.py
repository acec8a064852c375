"""The pages of a PDF are the same whether one process reads them or several, whatever befalls these."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pymupdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unabridged.ingest import ocr_tesseract
from unabridged.ingest.document import Box, Problem, ProblemKind
from unabridged.ingest.limits import Limits
from unabridged.ingest.pdf_page import PageContent, Recognition, Run
from unabridged.ingest.pdf_page_wire import decode, encode
from unabridged.ingest.pdf_pages import read_pages
from unabridged.ingest.reader import Source
from unabridged.ingest.reading import ingest
from unabridged.ingest.workers import Workers

WORDS = "The tenant shall pay the rent on the first day of each month without any deduction whatsoever."
ONE_PROCESS = Limits(memory_bytes=2 << 30)  # too little for workers
SEVERAL = Workers(3, 1, Limits())

on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="there are no workers elsewhere")
where_there_are_workers = pytest.mark.skipif(Workers.of_this_machine(Limits()) is None, reason="one core, or little memory")
pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # pytest may have threads, and forks


def mixed(path: Path, length: int = 22, **saving: object) -> Path:
    """Labelled pages: text, a table, a link, a comment, fields, garbage, a picture, blank, turned and damaged ones."""
    with pymupdf.open() as pdf:
        for number in range(20):
            page = pdf.new_page()
            page.insert_text((72, 40), "Lease of Alder Mills")
            page.insert_textbox((72, 100, 500, 300), f"{number}.1 {WORDS} " * 3, fontsize=10)
        pdf[2].insert_link({"kind": pymupdf.LINK_URI, "from": pdf[2].search_for("rent")[0], "uri": "https://example.org/a"})
        pdf[3].add_text_annot((400, 80), "Too low? 太低？").set_info(title="Ms Alder")
        for number in (4, 5):
            widget = pymupdf.Widget()
            widget.field_name, widget.field_type = f"field {number}", pymupdf.PDF_WIDGET_TYPE_TEXT
            widget.field_value, widget.rect = f"Ms Birch {number}", pymupdf.Rect(72, 400, 300, 420)
            pdf[number].add_widget(widget)
        for y in (400, 430, 460):
            pdf[6].draw_line((72, y), (300, y))
        for x in (72, 180, 300):
            pdf[6].draw_line((x, 400), (x, 460))
        for x, y, word in ((80, 420, "Item"), (190, 420, "Fee"), (80, 450, "Oak"), (190, 450, "9")):
            pdf[6].insert_text((x, y), word)
        pdf[7].set_rotation(90)
        garbage = pdf[8]
        garbage.clean_contents()
        pdf.update_stream(garbage.get_contents()[0], b"BT /F0 12 Tf 72 500 Td <" + b"0001" * 40 + b"> Tj ET")
        pixels = pymupdf.Pixmap(pymupdf.csRGB, pymupdf.IRect(0, 0, 20, 20))
        pixels.clear_with(200)
        pdf.new_page(10).insert_image((0, 0, 595, 842), pixmap=pixels)
        pdf.new_page(11)
        for number in range(pdf.page_count, length):
            pdf.new_page().insert_textbox((72, 100, 500, 300), f"{number}.1 {WORDS} " * 3, fontsize=10)
        pdf.set_page_labels(
            [{"startpage": 0, "style": "r", "firstpagenum": 1}, {"startpage": 4, "style": "D", "firstpagenum": 9}]
        )
        pdf.update_object(pdf.page_xref(13), "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 99999 0 R/Annots[7]>>")
        pdf.update_object(pdf.page_xref(14), "<</Type/Pages/Kids[]/Count 1>>")  # so that the last page is not there
        pdf.save(path, **saving)
    return path


def pages(path: Path, workers: Workers | None, at_start: Callable[[], None] = lambda: None) -> list[PageContent]:
    """`at_start` happens in every worker that opens the file."""

    @contextmanager
    def opened() -> Iterator["pymupdf.Document"]:
        at_start()
        with pymupdf.open(path) as own:
            yield own

    with pymupdf.open(path) as pdf:
        return read_pages(pdf, Source(path, path.name, options={"ocr": "off"}), workers=workers, opened=opened, many=2)


@on_linux
def test_several_processes_read_the_same_pages_as_one(tmp_path: Path) -> None:
    path, opened = mixed(tmp_path / "file.pdf"), tmp_path / "opened"

    def mark() -> None:
        with opened.open("ab") as file:
            file.write(b"x")

    alone = pages(path, None)
    assert pages(path, SEVERAL, mark) == alone
    assert opened.read_bytes() == b"xxx"
    assert {page.problem.kind for page in alone if page.problem} >= {ProblemKind.DROPPED_OBJECT, ProblemKind.EMPTY_PAGE}


@on_linux
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGXCPU])
def test_pages_of_workers_that_were_killed_are_read_all_the_same(tmp_path: Path, sign: signal.Signals) -> None:
    path = mixed(tmp_path / "file.pdf")
    assert pages(path, SEVERAL, lambda: os.kill(os.getpid(), sign)) == pages(path, None)


@on_linux
def test_pages_of_workers_that_cannot_open_the_file_are_read_all_the_same(tmp_path: Path) -> None:
    path = mixed(tmp_path / "file.pdf")

    def fail() -> None:
        raise MemoryError

    assert pages(path, SEVERAL, fail) == pages(path, None)


@where_there_are_workers
@pytest.mark.parametrize("password", [None, "alder"])
def test_the_document_is_the_same(tmp_path: Path, password: str | None) -> None:
    saving = {"encryption": pymupdf.PDF_ENCRYPT_AES_256, "user_pw": password, "owner_pw": "oak"} if password else {}
    path = mixed(tmp_path / "file.pdf", 220, **saving)
    alone = ingest(path, password=password, options={"ocr": "off"}, limits=ONE_PROCESS)
    assert ingest(path, password=password, options={"ocr": "off"}) == alone
    assert len(alone.pages) == 220


@where_there_are_workers
@pytest.mark.skipif("eng" not in ocr_tesseract.languages(), reason="Tesseract with English is not installed")
def test_pictures_that_several_processes_recognise_are_read_as_by_one(tmp_path: Path) -> None:
    with pymupdf.open() as pdf, pymupdf.open() as drawn:
        for number in range(3):
            page = drawn.new_page(width=400, height=120)
            page.insert_text((30, 60), f"Payment {number} is due in May.", fontsize=14)
            pdf.new_page(width=400, height=120).insert_image(page.rect, pixmap=page.get_pixmap(dpi=200))
            pdf.new_page().insert_text((72, 72), f"Page {number} has a text layer.")
        pdf.save(tmp_path / "scan.pdf")
    options = {"ocr_program": "tesseract"}
    alone = ingest(tmp_path / "scan.pdf", options=options, limits=ONE_PROCESS)
    assert ingest(tmp_path / "scan.pdf", options=options) == alone
    assert "Payment 2 is due in May.\n\nPage 2 has a text layer." in alone.text
    assert alone.details["OCR pages"] == "1, 3, 5"


@where_there_are_workers
def test_progress_counts_every_page_and_a_cancelled_reading_leaves_no_worker(tmp_path: Path) -> None:
    with pymupdf.open() as pdf:
        for _ in range(400):
            pdf.new_page().insert_textbox((72, 100, 500, 700), WORDS * 20)
        pdf.save(tmp_path / "long.pdf")
    seen: list[int] = []
    ingest(tmp_path / "long.pdf", progress=lambda done, total: seen.append(done))
    assert seen == sorted(set(seen))
    assert seen[-1] == 400

    class Cancelled(Exception):
        pass

    running: set[int] = set()
    before = descendants()  # such as the browser of other tests

    def cancel(done: int, total: int) -> None:
        running.update(descendants() - before)
        raise Cancelled

    with pytest.raises(Cancelled):
        ingest(tmp_path / "long.pdf", progress=cancel)
    assert len(running) >= 3  # the reader and its workers
    deadline = time.monotonic() + 10  # they are killed; a busy machine takes its time over it
    while (left := running & descendants(everyone=True)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left


def descendants(*, everyone: bool = False) -> set[int]:
    """Numbers of this process's children and theirs that are not dead; of all processes with `everyone`."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = status.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state not in "ZX":
            parents[int(status.parent.name)] = int(parent)
    found = {process for process, parent in parents.items() if parent == os.getpid()}
    for _ in range(3):
        found |= {process for process, parent in parents.items() if parent in found}
    return set(parents) if everyone else found


numbers = st.floats(allow_nan=False)
boxes = st.builds(Box, numbers, numbers, numbers, numbers)
texts = st.text(st.characters())  # lone surrogates, too
contents = st.builds(
    PageContent,
    st.integers(),
    texts,
    numbers,
    numbers,
    st.lists(st.builds(Run, texts, boxes, numbers, st.booleans(), st.integers()), max_size=3).map(tuple),
    st.lists(texts, max_size=2).map(tuple),
    st.lists(texts, max_size=2).map(tuple),
    st.lists(boxes, max_size=2).map(tuple),
    numbers,
    st.booleans(),
    st.none() | st.builds(Recognition, texts, numbers),
    st.none() | st.builds(Problem, st.sampled_from(ProblemKind), texts, texts),
)


@given(contents)
def test_a_page_comes_back_from_a_worker_as_it_was(content: PageContent) -> None:
    assert decode(encode(content)) == content
