"""Every file that cannot be read ends in an error of its own class, with one sentence and one hint."""

import os
import zipfile
from dataclasses import replace
from pathlib import Path

import docx
import pymupdf
import pytest
from unabridged.errors import (
    DocumentDamaged,
    DocumentEmpty,
    DocumentEncrypted,
    DocumentError,
    DocumentMissing,
    DocumentTooCostly,
    DocumentUnsupported,
    UsageError,
)
from unabridged.ingest.limits import Limits
from unabridged.ingest.reading import ingest

# What `%PDF-1.4` says with a page tree of no pages; MuPDF refuses to write such a file.
PDF_WITHOUT_PAGES = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
    b"trailer<</Root 1 0 R/Size 3>>\n%%EOF\n"
)


def refused(path: Path, kind: type[DocumentError], **options: object) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        ingest(path, **options)  # type: ignore[arg-type]
    assert type(caught.value) is kind, caught.value
    assert caught.value.exit_status == 3
    assert caught.value.message.strip()
    assert caught.value.hint.strip()
    assert "\n" not in caught.value.message + caught.value.hint
    return caught.value


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def pdf(path: Path, *, password: str = "") -> Path:
    document = pymupdf.open()
    document.new_page().insert_text((72, 72), "The quick brown fox jumps over the lazy dog.")
    protection = (
        {"encryption": pymupdf.PDF_ENCRYPT_AES_256, "user_pw": password, "owner_pw": "o" + password} if password else {}
    )
    document.save(path, **protection)
    return path


def test_a_missing_file(tmp_path: Path) -> None:
    refused(tmp_path / "nothing.txt", DocumentMissing)


def test_a_folder(tmp_path: Path) -> None:
    assert "folder" in refused(tmp_path, DocumentMissing).message


def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    refused(tmp_path / "pipe.txt", DocumentMissing)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = written(tmp_path / "secret.txt", b"text")
    path.chmod(0)
    refused(path, DocumentMissing)


@pytest.mark.parametrize("content", [b"", b" \n\t \r\n", "\u3000\n\u3000".encode(), b"\xef\xbb\xbf", b"\xff\xfe"])
def test_a_file_without_text(tmp_path: Path, content: bytes) -> None:
    refused(written(tmp_path / "empty.txt", content), DocumentEmpty)


def test_a_word_file_without_text(tmp_path: Path) -> None:
    docx.Document().save(tmp_path / "empty.docx")
    refused(tmp_path / "empty.docx", DocumentEmpty)


def test_a_pdf_without_pages(tmp_path: Path) -> None:
    refused(written(tmp_path / "none.pdf", PDF_WITHOUT_PAGES), DocumentDamaged)


def test_a_pdf_that_is_nothing_but_its_first_line(tmp_path: Path) -> None:
    refused(written(tmp_path / "broken.pdf", b"%PDF-1.7\n" + b"\x00\x01garbage" * 200), DocumentDamaged)


def test_a_protected_pdf_wants_its_password_and_opens_with_it(tmp_path: Path) -> None:
    path = pdf(tmp_path / "locked.pdf", password="sesame")
    refused(path, DocumentEncrypted)
    assert "does not open" in refused(path, DocumentEncrypted, password="wrong").message
    assert "quick brown fox" in ingest(path, password="sesame").text


def test_a_pdf_with_too_many_pages(tmp_path: Path) -> None:
    document = pymupdf.open()
    for _ in range(4):
        document.new_page().insert_text((72, 72), "text")
    document.save(tmp_path / "long.pdf")
    refused(tmp_path / "long.pdf", DocumentTooCostly, limits=Limits(pages=3))


def test_a_docx_that_is_no_zip(tmp_path: Path) -> None:
    refused(written(tmp_path / "fake.docx", b"just some words, not a zip archive"), DocumentDamaged)


def test_a_docx_cut_short(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_paragraph("words " * 5000)
    document.save(tmp_path / "whole.docx")
    data = (tmp_path / "whole.docx").read_bytes()
    refused(written(tmp_path / "cut.docx", data[: len(data) // 2]), DocumentDamaged)


def test_a_zip_without_a_document(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "files.docx", "w") as archive:
        archive.writestr("picture.png", b"not really")
    refused(tmp_path / "files.docx", DocumentUnsupported)


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.docx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"<a>" + b" " * (40 << 20))
    assert (tmp_path / "bomb.docx").stat().st_size < 100_000
    error = refused(tmp_path / "bomb.docx", DocumentTooCostly, limits=Limits(unpacked_bytes=20 << 20))
    assert "bomb" in error.hint


def test_xml_that_multiplies_itself(tmp_path: Path) -> None:
    levels = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    laughs = f'<!DOCTYPE w [<!ENTITY a0 "ha">{levels}]><w>&a9;</w>'
    with zipfile.ZipFile(tmp_path / "laughs.docx", "w") as archive:
        archive.writestr("word/document.xml", laughs)
    refused(tmp_path / "laughs.docx", DocumentDamaged)


@pytest.mark.parametrize("name", ["program.txt", "program.md", "program"])
def test_a_binary_by_another_name(tmp_path: Path, name: str) -> None:
    refused(written(tmp_path / name, b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 40), DocumentUnsupported)


def test_binary_data_without_a_known_beginning(tmp_path: Path) -> None:
    data = bytes((i * 197 + i // 7 * 31) % 256 for i in range(20_000))
    refused(written(tmp_path / "data.txt", data), DocumentUnsupported)


def test_an_old_word_file(tmp_path: Path) -> None:
    refused(written(tmp_path / "old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4000)), DocumentUnsupported)


def test_a_word_file_with_a_password(tmp_path: Path) -> None:
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(600)
    refused(written(tmp_path / "locked.docx", data), DocumentEncrypted)


def test_a_300_megabyte_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.txt").open("wb") as file:
        file.truncate(300 << 20)
    assert "300 MB" in refused(tmp_path / "huge.txt", DocumentTooCostly).message


def test_a_text_with_more_characters_than_allowed_is_refused_and_not_cut(tmp_path: Path) -> None:
    path = written(tmp_path / "long.txt", b"word " * 1000)
    refused(path, DocumentTooCostly, limits=Limits(characters=4999))
    assert len(ingest(path, limits=Limits(characters=5000)).text) == 5000


def test_reading_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    path = written(tmp_path / "slow.txt", b"word " * 1000)
    refused(path, DocumentTooCostly, limits=Limits(silence_s=0.001))


def test_reading_that_takes_too_much_memory_is_stopped(tmp_path: Path) -> None:
    path = written(tmp_path / "large.txt", b"one line of text, and so on\n" * 1_000_000)
    refused(path, DocumentTooCostly, limits=replace(Limits(), memory_bytes=256 << 20))


def test_reading_that_takes_too_much_processor_time_is_stopped(tmp_path: Path) -> None:
    path = written(tmp_path / "large.txt", b"1. one line of text, and so on\n" * 400_000)
    refused(path, DocumentTooCostly, limits=replace(Limits(), cpu_s=1))


def test_an_encoding_that_does_not_exist(tmp_path: Path) -> None:
    path = written(tmp_path / "words.txt", b"words")
    with pytest.raises(UsageError):
        ingest(path, options={"encoding": "klingon"})
