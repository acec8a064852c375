"""Scanned pages are recognised with boxes, whichever way they lie; only the pages that need it; and garbage text layers are seen."""
# ruff: noqa: E501

import stat
from pathlib import Path

import numpy as np
import pymupdf
import pytest
from unabridged.errors import DocumentEmpty, DocumentUnsupported, UsageError
from unabridged.ingest import ocr_rapid, ocr_tesseract
from unabridged.ingest.document import Box, Document, ProblemKind
from unabridged.ingest.ocr import Picture, Recognised, Recogniser, RecognitionFailed
from unabridged.ingest.ocr_orientation import upright
from unabridged.ingest.page_turn import TURNS, turn_of, turned, turned_back
from unabridged.ingest.pdf_ocr import ranges
from unabridged.ingest.pdf_page import Run
from unabridged.ingest.pdf_quality import is_garbled
from unabridged.ingest.reading import ingest

ENGLISH = "The tenant shall pay the rent on the first day of each month without any deduction whatsoever. " * 3
CHINESE = "甲方应当于本合同签订后十日内支付全部货款，逾期的按日万分之五支付违约金。" * 4
SENTENCE = "Payment is due on the tenth day of each month."
SECOND = "The landlord repairs the roof and the outer walls."

needs_rapid = pytest.mark.skipif(not ocr_rapid.is_available(), reason="the extra `ocr` is not installed")
needs_tesseract = pytest.mark.skipif("eng" not in ocr_tesseract.languages(), reason="Tesseract with English is not installed")


def scan(folder: Path, turn: int = 0) -> Path:
    """A page of text, and a page that is a picture of text, lying so that it has to be turned clockwise to be read."""
    drawn = pymupdf.open()
    page = drawn.new_page(width=400, height=160)
    page.insert_text((30, 60), SENTENCE, fontsize=14)
    page.insert_text((30, 110), SECOND, fontsize=14)
    page.set_rotation((360 - turn) % 360)
    picture = page.get_pixmap(dpi=200)
    picture.save(folder / "picture.png")
    width, height = page.rect.width, page.rect.height
    pdf = pymupdf.open()
    pdf.new_page(width=400, height=120).insert_text((30, 60), "This page has a text layer.")
    pdf.new_page(width=width, height=height).insert_image(pymupdf.Rect(0, 0, width, height), pixmap=picture)
    pdf.save(folder / "scan.pdf")
    return folder / "scan.pdf"


def shown(document: Document, sentence: str) -> Box:
    """The box of the line that says the sentence."""
    return next(line.box for line in document.lines if document.text[line.start : line.end] == sentence)


def test_without_recognition_a_scanned_page_is_reported_by_number(tmp_path: Path) -> None:
    document = ingest(scan(tmp_path), options={"ocr": "off"})
    assert document.text == "This page has a text layer."
    assert [(p.kind, p.where) for p in document.problems] == [(ProblemKind.EMPTY_PAGE, "page 2")]
    assert "ocr" in document.problems[0].hint


@needs_rapid
def test_a_scanned_page_is_recognised_with_boxes_and_the_other_page_is_not_touched(tmp_path: Path) -> None:
    document = ingest(scan(tmp_path))
    assert document.text == f"This page has a text layer.\n\n{SENTENCE} {SECOND}"
    assert [page.ocr for page in document.pages] == [False, True]
    assert [(p.kind, p.where) for p in document.problems] == [(ProblemKind.OCR_USED, "page 2")]
    assert 0.8 < float(document.details["OCR confidence"]) <= 1
    assert (document.details["OCR"], document.details["OCR pages"]) == ("RapidOCR", "2")
    box = shown(document, SENTENCE)
    assert (20 < box.x0 < 40, 40 < box.y0 < 60, box.y1 < 75) == (True, True, True)


@needs_rapid
def test_a_page_that_lies_upside_down_is_read_from_its_beginning(tmp_path: Path) -> None:
    document = ingest(scan(tmp_path, 180))
    assert document.text.endswith(f"{SENTENCE} {SECOND}")
    assert shown(document, SENTENCE).y0 > shown(document, SECOND).y0 > 0  # where they are on the page as it lies


@needs_rapid
def test_a_page_that_lies_on_its_side_is_read_from_its_beginning(tmp_path: Path) -> None:
    document = ingest(scan(tmp_path, 90))
    assert document.text.endswith(f"{SENTENCE} {SECOND}")
    first, second = shown(document, SENTENCE), shown(document, SECOND)
    assert first.y1 - first.y0 > 3 * (first.x1 - first.x0)
    assert first.x0 < second.x0


@needs_tesseract
@pytest.mark.parametrize("turn", [0, 180])
def test_tesseract_reads_where_rapidocr_is_not_wanted(tmp_path: Path, turn: int) -> None:
    document = ingest(scan(tmp_path, turn), options={"ocr_program": "tesseract"})
    assert document.text.endswith(f"{SENTENCE} {SECOND}")
    assert document.details["OCR"].startswith("Tesseract (")
    assert 0.5 < float(document.details["OCR confidence"]) <= 1
    assert (shown(document, SENTENCE).y0 < shown(document, SECOND).y0) == (turn == 0)


def row(*fields: object) -> str:
    return "\t".join(map(str, fields))


TABLE = "\n".join(
    [
        row("level", "page_num", "block_num", "par_num", "line_num", "word_num", "left", "top", "width", "height", "conf", "text"),
        row(4, 1, 1, 1, 1, 0, 100, 200, 400, 40, -1, ""),
        row(5, 1, 1, 1, 1, 1, 100, 200, 80, 40, 90.5, "第一条"),
        row(5, 1, 1, 1, 1, 2, 180, 200, 80, 40, 80, "租金"),
        row(5, 1, 1, 1, 1, 3, 270, 210, 100, 30, 60, "(Rent)"),
        row(5, 1, 1, 1, 2, 1, 100, 260, 100, 30, 96, "is"),
        row(5, 1, 1, 1, 2, 2, 220, 260, 100, 30, 96, "due"),
    ]
)


def tesseract(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of that name which does what the test says."""
    program = folder / "tesseract"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")
    ocr_tesseract.languages.cache_clear()


def test_tesseracts_words_become_lines_with_boxes_in_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "table").write_text(TABLE)
    listed = 'if [ "$1" = --list-langs ]; then printf "List of\\neng\\nchi_sim\\nosd\\n"'
    tesseract(tmp_path, f'{listed}; else echo "$@" > {tmp_path}/arguments; cat > /dev/null; cat {tmp_path}/table; fi', monkeypatch)
    recogniser = ocr_tesseract.load()
    assert recogniser.name == "Tesseract (chi_sim+eng)"
    read = recogniser.read(np.zeros((20, 30, 3), np.uint8))
    assert [run.text for run in read.runs] == ["第一条租金 (Rent)", "is due"]
    assert read.runs[0].box == Box(36, 72, 133.2, 86.4)
    assert read.confidence == pytest.approx((90.5 * 3 + 80 * 2 + 60 * 6 + 96 * 5) / 16 / 100)
    assert "-l chi_sim+eng" in (tmp_path / "arguments").read_text()
    ocr_tesseract.languages.cache_clear()


def test_a_chinese_page_is_read_in_chinese_alone_where_that_is_surer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for languages, words, sure in (("chi_sim+eng", "话说天下7CbA", 60), ("chi_sim", "话说天下大势", 90)):
        (tmp_path / languages).write_text(row(5, 1, 1, 1, 1, 1, 100, 200, 80, 40, sure, words))
    listed = 'if [ "$1" = --list-langs ]; then printf "List of\\neng\\nchi_sim\\n"'
    tesseract(tmp_path, f'{listed}; else cat > /dev/null; cat "{tmp_path}/$4"; fi', monkeypatch)
    assert [run.text for run in ocr_tesseract.load().read(np.zeros((20, 30, 3), np.uint8)).runs] == ["话说天下大势"]
    ocr_tesseract.languages.cache_clear()


def test_tesseract_that_fails_is_reported_and_not_taken_for_an_empty_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tesseract(tmp_path, 'if [ "$1" = --list-langs ]; then echo eng; else exit 1; fi', monkeypatch)
    with pytest.raises(RecognitionFailed):
        ocr_tesseract.load().read(np.zeros((20, 30, 3), np.uint8))
    document = ingest(scan(tmp_path), options={"ocr_program": "tesseract"})
    assert [(p.kind, p.where) for p in document.problems] == [(ProblemKind.EMPTY_PAGE, "page 2")]
    ocr_tesseract.languages.cache_clear()


def test_tesseract_without_chinese_or_english_is_no_recogniser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tesseract(tmp_path, "echo fra", monkeypatch)
    assert ocr_tesseract.languages() == ""
    ocr_tesseract.languages.cache_clear()


class Page:
    """A recogniser that reads a page well the one way it lies, and makes out little any other way."""

    def __init__(self, lies: int, *, sideways: bool = False) -> None:
        self.lies, self.sideways, self.looks = lies, sideways, 0

    def __call__(self, picture: Picture) -> Recognised:
        self.looks += 1
        marked = next(turn for turn in TURNS if np.rot90(picture, turn // 90)[0, 0, 0] == 1)  # the corner that was top left at first
        if marked == self.lies:
            return Recognised((Run("a line that is read well", Box(10, 10, 60, 16), 6),), 0.97)
        tall = self.sideways and (marked - self.lies) % 180
        return Recognised((Run("a l1ne thot 1s", Box(10, 10, 16, 60) if tall else Box(10, 10, 60, 16), 6),), 0.5)


def look(page: Page) -> Run:
    picture = np.zeros((200, 300, 3), np.uint8)
    picture[0, 0, 0] = 1
    return upright(Recogniser("test", page)).read(picture).runs[0]


def test_an_upright_page_is_looked_at_once() -> None:
    page = Page(0)
    assert look(page).turn == 0
    assert page.looks == 1


@pytest.mark.parametrize(("lies", "sideways"), [(180, False), (90, True), (270, True), (90, False)])
def test_a_page_in_doubt_is_read_the_way_it_says_most(lies: int, sideways: bool) -> None:
    found = look(Page(lies, sideways=sideways))
    assert (found.turn, found.text) == (lies, "a line that is read well")


@pytest.mark.parametrize("turn", TURNS)
def test_turning_a_box_and_back(turn: int) -> None:
    box = Box(10, 20, 40, 60)
    once = turned(box, turn, 300, 200)
    width, height = (200, 300) if turn in (90, 270) else (300, 200)
    assert 0 <= once.x0 < once.x1 <= width
    assert 0 <= once.y0 < once.y1 <= height
    assert turned_back(once, turn, 300, 200) == box


def test_the_turn_of_a_direction() -> None:
    assert [turn_of(1, 0), turn_of(0, -1), turn_of(-1, 0), turn_of(0, 1), turn_of(0.7, 0.7)] == [0, 90, 180, 270, 45]


def test_a_recogniser_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        ingest(scan(tmp_path), options={"ocr_program": "crystal ball"})


@needs_rapid
def test_a_picture_is_a_page_to_recognise(tmp_path: Path) -> None:
    scan(tmp_path)
    document = ingest(tmp_path / "picture.png")
    assert SENTENCE in document.text
    blank = pymupdf.Pixmap(pymupdf.csRGB, pymupdf.IRect(0, 0, 60, 60))
    blank.clear_with(255)
    blank.save(tmp_path / "blank.png")
    with pytest.raises(DocumentEmpty):
        ingest(tmp_path / "blank.png")


@pytest.mark.skipif(ocr_rapid.is_available() or bool(ocr_tesseract.languages()), reason="text recognition is installed")
def test_a_picture_without_recognition(tmp_path: Path) -> None:
    scan(tmp_path)
    with pytest.raises(DocumentUnsupported):
        ingest(tmp_path / "picture.png")


@needs_rapid
def test_recognition_can_be_cancelled_between_pages(tmp_path: Path) -> None:
    seen: list[int] = []

    class Cancelled(Exception):
        pass

    def cancel(done: int, total: int) -> None:
        seen.append(done)
        raise Cancelled

    with pytest.raises(Cancelled):
        ingest(scan(tmp_path), progress=cancel)
    assert seen == [1]


@pytest.mark.parametrize(
    "text", [ENGLISH, CHINESE, "12.5 14.0 13 % 1,250 " * 40, "", "§ 4(2)", "Größe naïve façade " * 30, "Ελληνικά κείμενα " * 30]
)
def test_what_people_write_is_no_garbage(text: str) -> None:
    assert not is_garbled(text)


@pytest.mark.parametrize(
    "text",
    [
        "".join(chr(0xE000 + ord(c) % 200) for c in ENGLISH),  # private-use signs
        "\ufffd" * 300,
        ENGLISH.translate(
            {ord(c): ord("bcdfghjklmnpqrstvwxz"[n % 20]) for n, c in enumerate("abcdefghijklmnopqrstuvwxyz")}
        ),  # no vowels
        "".join(
            chr(0x4E00 + ord(c) * 7919 % 20000) if "\u4e00" <= c <= "\u9fff" else c for c in CHINESE
        ),  # rare characters at random
        "".join(chr(33 + ord(c) % 14) for c in ENGLISH),  # signs instead of letters
    ],
)
def test_what_broken_fonts_give_is_garbage(text: str) -> None:
    assert is_garbled(text)


def test_page_ranges() -> None:
    assert ranges([3, 4, 5, 9, 11, 12]) == "3–5, 9, 11–12"

def fonted(folder: Path, mapping: bytes) -> Path:
    """A page whose font says of its letters what the mapping says, whatever they look like."""
    cmap = b"/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00> <FF> endcodespacerange 1 beginbfrange %s endbfrange endcmap" % mapping
    text = b"BT /A 14 Tf 20 60 Td (%s) Tj ET" % SENTENCE.encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 120]/Contents 4 0 R/Resources<</Font<</A 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream " % (len(text), text),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 6 0 R>>",
        b"<</Length %d>>stream\n%s\nendstream " % (len(cmap), cmap),
    ]
    body = b"".join(b"%d 0 obj%sendobj\n" % (number, content) for number, content in enumerate(objects, 1))
    (folder / "font.pdf").write_bytes(b"%PDF-1.4\n" + body + b"trailer<</Root 1 0 R/Size 7>>\n%%EOF\n")
    return folder / "font.pdf"


def test_a_broken_text_layer_is_reported_by_page(tmp_path: Path) -> None:
    assert ingest(fonted(tmp_path, b"<00> <FF> <0000>"), options={"ocr": "off"}).text == SENTENCE
    document = ingest(fonted(tmp_path, b"<00> <FF> <E000>"), options={"ocr": "off"})
    assert [(p.kind, p.where) for p in document.problems] == [(ProblemKind.GARBLED_TEXT, "page 1")]


@needs_rapid
def test_a_broken_text_layer_is_read_from_the_picture(tmp_path: Path) -> None:
    document = ingest(fonted(tmp_path, b"<00> <FF> <E000>"))
    assert document.text == SENTENCE
    assert [(p.kind, p.where) for p in document.problems] == [(ProblemKind.OCR_USED, "page 1")]
