"""Hostile files end in a clear error or in their own text: nothing is fetched, unpacked without end, or written to disk."""
# ruff: noqa: E501

import io
import socket
import threading
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import openpyxl
import pytest
from unabridged.errors import DocumentDamaged, DocumentError, DocumentTooCostly
from unabridged.ingest.document import ProblemKind
from unabridged.ingest.limits import Limits
from unabridged.ingest.reading import ingest

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
RELATIONS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">%s</Relationships>'
DRAWING = '<w:drawing xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><a:blip r:link="r1"/></w:drawing>'
CONTAINER = '<container><rootfiles><rootfile full-path="%s"/></rootfiles></container>'
SECRET = "A line that stands outside the document."


def packed(path: Path, **members: str | bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def word(path: Path, body: str, relations: str = "", **members: str | bytes) -> Path:
    document = f"<w:document {W}><w:body>{body}</w:body></w:document>"
    return packed(path, **{"word/document.xml": document, "word/_rels/document.xml.rels": RELATIONS % relations, **members})


def paragraph(content: str) -> str:
    return f"<w:p><w:r>{content}</w:r></w:p>"


def pdf(path: Path, *objects: bytes) -> Path:
    body = b"".join(b"%d 0 obj%sendobj\n" % (number, content) for number, content in enumerate(objects, 1))
    path.write_bytes(b"%PDF-1.4\n" + body + b"trailer<</Root 1 0 R/Size %d>>\n%%%%EOF\n" % (len(objects) + 1))
    return path


def stream(entries: bytes, content: bytes) -> bytes:
    return b"<<%s/Length %d>>stream\n%s\nendstream " % (entries, len(content), content)


@pytest.fixture
def server() -> Iterator[tuple[str, list[bytes]]]:
    """An address that counts who asks."""
    requests: list[bytes] = []

    def answer(listening: socket.socket) -> None:
        with suppress(OSError):  # the test has ended
            while True:
                connection, _ = listening.accept()
                requests.append(connection.recv(100))
                connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=answer, args=(listening,), daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", requests


def referring(folder: Path, kind: str, address: str) -> Path:
    """A file of that kind that refers to the address in every way that its format has."""
    path = folder / f"file.{kind}"
    external = "".join(
        f'<Relationship Id="r{n}" Type="http://x/{name}" Target="{address}/{name}" TargetMode="External"/>'
        for n, name in enumerate(("image", "attachedTemplate", "oleObject", "hyperlink", "frame", "subDocument", "header", "comments", "styles"), 1)
    )
    if kind == "docx":
        field = f"<w:instrText>INCLUDETEXT {address}/text</w:instrText>"
        return word(path, paragraph("<w:t>Words.</w:t>" + DRAWING + field) + '<w:altChunk r:id="r6"/><w:subDoc r:id="r6"/>', external)
    if kind == "html":
        return written(
            path,
            f'<!DOCTYPE html SYSTEM "{address}/dtd"><html><head><base href="{address}/"><link rel="stylesheet" href="a.css"><style>@import url({address}/b.css)</style>'
            f'<meta http-equiv="refresh" content="0;url={address}/"><script src="c.js"></script></head><body background="{address}/d.png"><p>Words.</p>'
            f'<img src="{address}/e.png"><iframe src="{address}/f"></iframe><object data="{address}/g"></object><video src="{address}/h"></video></body></html>',
        )
    if kind == "xlsx":
        book = openpyxl.Workbook()
        book.active.append(["Words.", f"='[{address}/book.xlsx]Sheet'!A1"])
        book.active["A1"].hyperlink = address
        book.save(path)
        return path
    if kind == "epub":
        page = f'<?xml version="1.0"?><!DOCTYPE html SYSTEM "{address}/dtd"><html><head><link href="{address}/a.css" rel="stylesheet"/></head><body><p>Words.</p><img src="{address}/b.png"/></body></html>'
        manifest = f'<item id="a" href="a.xhtml"/><item id="b" href="{address}/remote.xhtml"/>'
        book_file = f'<package><manifest>{manifest}</manifest><spine><itemref idref="a"/><itemref idref="b"/></spine></package>'
        return packed(path, **{"mimetype": "application/epub+zip", "META-INF/container.xml": CONTAINER % "b.opf", "b.opf": book_file, "a.xhtml": page})
    if kind == "odt":
        names = " ".join(f'xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{w}:1.0"' for n, w in (("o", "office"), ("t", "text"), ("d", "drawing")))
        link = f'<d:frame><d:image xmlns:x="http://www.w3.org/1999/xlink" x:href="{address}/a.png"/></d:frame>'
        content = f"<o:document-content {names}><o:body><o:text><t:p>Words.{link}</t:p></o:text></o:body></o:document-content>"
        return packed(path, **{"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content})
    if kind == "rtf":
        return written(path, r"{\rtf1 Words.{\field{\*\fldinst INCLUDEPICTURE %s/a.png}{\fldrslt }}{\*\template %s/b}\par}" % (address, address))  # noqa: UP031
    if kind == "eml":
        return written(path, f"From: a@b.c\nTo: d@e.f\nSubject: s\nContent-Type: text/html\n\n<p>Words.</p><img src='{address}/a.png'>\n")
    if kind == "md":
        return written(path, f"Words.\n\n![picture]({address}/a.png)\n")
    action = b"<</S/URI/URI(%s)>>" % address.encode()
    content = stream(b"", b"BT /A 20 Tf 20 50 Td (Words.) Tj ET")
    font = b"/Resources<</Font<</A<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
    page_object = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]/Contents 4 0 R%s/AA<</O %s>>>>" % (font, action)
    return pdf(path, b"<</Type/Catalog/Pages 2 0 R/OpenAction %s>>" % action, b"<</Type/Pages/Kids[3 0 R]/Count 1>>", page_object, content)


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", ["docx", "html", "xlsx", "epub", "odt", "rtf", "eml", "md", "pdf"])
def test_what_a_document_refers_to_is_never_fetched(tmp_path: Path, server: tuple[str, list[bytes]], kind: str) -> None:
    address, requests = server
    assert "Words." in ingest(referring(tmp_path, kind, address)).text
    assert requests == []


def test_the_server_of_these_tests_does_count_who_asks(server: tuple[str, list[bytes]]) -> None:
    address, requests = server
    with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2]))) as connection:
        connection.sendall(b"GET")
        assert connection.recv(1) == b""
    assert requests == [b"GET"]


def test_member_names_are_no_paths_on_disk(tmp_path: Path) -> None:
    (tmp_path / "secret.xml").write_text(f"<w:styles {W}>{SECRET}</w:styles>")
    folder = tmp_path / "inner"
    folder.mkdir()
    up = "../" * 12
    relations = "".join(
        f'<Relationship Id="s{n}" Type="http://x/header" Target="{target}"/>'
        for n, target in enumerate((f"{up}{tmp_path.as_posix().lstrip('/')}/secret.xml", "../../secret.xml", f"file://{tmp_path}/secret.xml", f"{tmp_path}/secret.xml"))
    )
    path = word(folder / "file.docx", paragraph("<w:t>Words.</w:t>"), relations, **{f"{up}tmp/written-by-a-docx": "x", "/written-by-a-docx": "x", "..\\..\\written": "x"})
    document = ingest(path)
    assert document.text == "Words."
    assert SECRET not in "".join(f.text for f in document.furniture)
    assert not Path("/tmp/written-by-a-docx").exists()
    assert not Path("/written-by-a-docx").exists()
    assert [p.name for p in folder.rglob("*")] == ["file.docx"]
    assert [p for p in tmp_path.rglob("*") if "written" in p.name] == []


def test_a_book_cannot_name_files_outside_itself(tmp_path: Path) -> None:
    (tmp_path / "secret.xhtml").write_text(f"<html><body><p>{SECRET}</p></body></html>")
    manifest = f'<item id="a" href="a.xhtml"/><item id="b" href="../../../../../../..{tmp_path}/secret.xhtml"/><item id="c" href="../secret.xhtml"/>'
    book = f'<package><manifest>{manifest}</manifest><spine><itemref idref="a"/><itemref idref="b"/><itemref idref="c"/></spine></package>'
    members = {"mimetype": "application/epub+zip", "META-INF/container.xml": CONTAINER % "b.opf", "b.opf": book, "a.xhtml": "<html><body><p>Words.</p></body></html>"}
    document = ingest(packed(tmp_path / "book.epub", **members))
    assert document.text == "Words."
    assert [p.kind for p in document.problems] == [ProblemKind.DROPPED_OBJECT] * 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "secret.txt").write_text(SECRET)
    text = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE w [<!ENTITY a SYSTEM "file://{tmp_path}/secret.txt">]><w:document {W}><w:body>{paragraph("<w:t>&a;</w:t>")}</w:body></w:document>'
    with pytest.raises(DocumentDamaged, match="entities"):
        ingest(packed(tmp_path / "file.docx", **{"word/document.xml": text.encode(encoding)}))


def test_entities_of_a_web_page_bring_in_no_file(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text(SECRET)
    page = f'<!DOCTYPE html [<!ENTITY a SYSTEM "file://{tmp_path}/secret.txt">]><html><body><p>Words. &a;</p></body></html>'
    assert SECRET not in ingest(written(tmp_path / "page.html", page)).text


@pytest.mark.parametrize("kind", ["docx", "xlsx", "pptx", "epub", "odt"])
def test_a_zip_bomb_of_any_format_is_not_unpacked(tmp_path: Path, kind: str) -> None:
    names = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml", "pptx": "ppt/presentation.xml", "epub": "META-INF/container.xml", "odt": "content.xml"}
    path = tmp_path / f"bomb.{kind}"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text" if kind == "odt" else "")
        archive.writestr(names[kind], b" " * (21 << 20))
    with pytest.raises(DocumentTooCostly, match="unpack"):
        ingest(path, limits=Limits(unpacked_bytes=20 << 20))


def test_a_member_that_holds_more_than_it_says_is_not_unpacked(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b" " * (30 << 20))
    data = buffer.getvalue().replace((30 << 20).to_bytes(4, "little"), (100).to_bytes(4, "little"))
    (tmp_path / "liar.docx").write_bytes(data)
    with pytest.raises(DocumentDamaged):
        ingest(tmp_path / "liar.docx", limits=Limits(memory_bytes=1 << 30))


def test_an_archive_of_too_many_parts(tmp_path: Path) -> None:
    path = tmp_path / "many.docx"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(300):
            archive.writestr(f"word/{number}", "")
    with pytest.raises(DocumentTooCostly, match="300 parts"):
        ingest(path, limits=Limits(members=299))


def test_a_pdf_of_100_000_pages_is_refused_at_once(tmp_path: Path) -> None:
    kids = b" ".join(b"%d 0 R" % number for number in range(3, 100_003))
    pages = [b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"] * 100_000
    path = pdf(tmp_path / "long.pdf", b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 100000/Kids[%s]>>" % kids, *pages)
    with pytest.raises(DocumentTooCostly, match="100,000 pages"):
        ingest(path)


@pytest.mark.parametrize(
    ("drawn", "limits"),
    [(b"0 0 m 9 9 l S\n", Limits(silence_s=2)), (b"BT /A 9 Tf 9 9 Td (word) Tj ET\n", Limits(silence_s=2)), (b"0 0 m 9 9 l S\n", Limits(cpu_s=2))],
)
def test_a_page_of_100_million_objects_is_stopped(tmp_path: Path, drawn: bytes, limits: Limits) -> None:
    def form(content: bytes, inner: bytes) -> bytes:
        resources = b"/Resources<</XObject<<%s>>/Font<</A<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>" % inner
        return stream(b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]" + resources, content)

    path = pdf(
        tmp_path / "page.pdf",
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<</XObject<</F 5 0 R>>>>>>",
        stream(b"", b"/F Do\n" * 1000),
        form(b"/G Do\n" * 1000, b"/G 6 0 R"),
        form(drawn * 100, b""),
    )
    assert path.stat().st_size < 20_000
    with pytest.raises(DocumentTooCostly, match="2 seconds"):
        ingest(path, limits=limits)


def test_a_picture_as_large_as_a_field_is_not_drawn(tmp_path: Path) -> None:
    path = pdf(
        tmp_path / "wide.pdf",
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 2000000 2000000]/Contents 4 0 R/Resources<</XObject<</I 5 0 R>>>>>>",
        stream(b"", b"q 2000000 0 0 2000000 0 0 cm /I Do Q"),
        stream(b"/Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8", b"\0"),
    )
    assert [p.kind for p in ingest(path).problems] == [ProblemKind.EMPTY_PAGE]


@pytest.mark.parametrize("opening", [b"<div>", b"<ul><li>", b"<table><tr><td>", b"<b>"])
def test_elements_nested_without_end(tmp_path: Path, opening: bytes) -> None:
    path = tmp_path / "deep.html"
    path.write_bytes(b"<html><body>" + opening * 20_000 + b"Words.")
    with suppress(DocumentError):
        assert "Words." in ingest(path).text


def test_a_mail_of_mails_without_end(tmp_path: Path) -> None:
    mail = b"From: a@b.c\nTo: d@e.f\nSubject: innermost\n\nWords.\n"
    for _ in range(40):
        mail = b"From: a@b.c\nTo: d@e.f\nSubject: outer\nContent-Type: message/rfc822\n\n" + mail
    (tmp_path / "deep.eml").write_bytes(mail)
    document = ingest(tmp_path / "deep.eml")
    assert document.text.count("Subject: outer") > 5
    assert [p.kind for p in document.problems] == [ProblemKind.DROPPED_OBJECT]  # the mail at which the reader stopped


def test_a_page_of_30_000_links_is_read_in_no_time(tmp_path: Path) -> None:
    link = b"<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/URI/URI(http://example.org/)>>>>"
    path = pdf(
        tmp_path / "links.pdf",
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]/Contents 4 0 R/Annots[%s]/Resources<</Font<</A<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>"
        % b" ".join(b"%d 0 R" % number for number in range(5, 30_005)),
        stream(b"", b"BT /A 20 Tf 20 50 Td (Words.) Tj ET"),
        *[link] * 30_000,
    )
    document = ingest(path, limits=Limits(cpu_s=30))
    assert document.text == "Words."
    assert [f.text for f in document.furniture] == ["30,000 links and other annotations, too many to list"]
