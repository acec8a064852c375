"""Web pages, books, mail, RTF: words in order, each in its place, what is not read reported."""
# ruff: noqa: E501

import zipfile
from email.message import EmailMessage
from pathlib import Path

import pytest
from unabridged.errors import DocumentEncrypted
from unabridged.ingest.document import BlockKind, Document, ProblemKind
from unabridged.ingest.reading import ingest
from unabridged.ingest.validation import validate


def read(path: Path, content: str | bytes) -> Document:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return checked(path)


def checked(path: Path) -> Document:
    document = ingest(path)
    validate(document)
    return document


def blocks(document: Document) -> list[tuple[BlockKind, str]]:
    return [(b.kind, document.text[b.start : b.end]) for b in document.blocks]


def archive(path: Path, **members: str) -> Path:
    with zipfile.ZipFile(path, "w") as zipped:
        for name, content in members.items():
            zipped.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return path


def test_html(tmp_path: Path) -> None:
    page = """<!DOCTYPE html><html><head><title>Terms</title><style>p{}</style><script>var secret = 1</script></head><body>
    <nav><a href="/">Home</a></nav><h1>Terms of use</h1><p>You   agree<br>to <b>all</b> of 10<sup>2</sup> and H<sub>2</sub>O<sup>th</sup>.</p>
    <ol start="3" type="a"><li>third</li><li>fourth<ul><li>below</li></ul></li></ol>
    <table><tr><th>Fee</th><th>Due</th></tr><tr><td>9</td><td>monthly</td></tr></table><p style="display: none">hidden</p><pre>a
  b</pre></body></html>"""
    document = read(tmp_path / "page.html", page)
    assert blocks(document) == [
        (BlockKind.HEADING, "Terms of use"),
        (BlockKind.PARAGRAPH, "You agree\nto all of 10² and H₂Oth."),
        (BlockKind.LIST_ITEM, "c. third"),
        (BlockKind.LIST_ITEM, "d. fourth"),
        (BlockKind.LIST_ITEM, "• below"),
        (BlockKind.TABLE, "Fee | Due\n9 | monthly"),
        (BlockKind.PARAGRAPH, "a\n  b"),
    ]
    assert [f.text for f in document.furniture] == ["Home"]
    assert document.details["title"] == "Terms"


def test_what_a_web_page_puts_around_its_main_text_is_kept_apart(tmp_path: Path) -> None:
    words = "The tenant pays the rent on the first day of each month, without any deduction. " * 4
    page = (
        f"<html><body><header><h1>Lease</h1></header><header>Log in</header><main><header>1 May</header><p>{words}</p><aside>See 4.</aside></main>"
        "<p>Between.</p><aside>Buy a mill!</aside><div role='search'>Search</div><footer>All rights reserved</footer></body></html>"
    )
    document = read(tmp_path / "page.html", page)
    assert [text for _, text in blocks(document)] == ["Lease", "1 May", words.strip(), "See 4.", "Between."]
    assert [f.text for f in document.furniture] == ["Log in", "Buy a mill!", "Search", "All rights reserved"]


def test_a_web_page_that_marks_no_main_text_is_read_whole(tmp_path: Path) -> None:
    page = "<html><body><header>Log in</header><main></main><p>Words.</p><footer>Printed in Oslo</footer></body></html>"
    document = read(tmp_path / "page.html", page)
    assert [text for _, text in blocks(document)] == ["Log in", "Words.", "Printed in Oslo"]


def test_a_web_page_says_its_own_encoding(tmp_path: Path) -> None:
    page = '<html><head><meta charset="gb2312"></head><body><p>第一条 为了保证刑法的正确实施。</p></body></html>'
    assert "第一条 为了保证" in read(tmp_path / "page.htm", page.encode("gb18030")).text


def test_a_web_page_without_a_suffix_is_known_by_its_content(tmp_path: Path) -> None:
    assert read(tmp_path / "page", "<html><body><p>Words.</p></body></html>").media_type == "text/html"


def test_epub(tmp_path: Path) -> None:
    path = archive(
        tmp_path / "book.epub",
        mimetype="application/epub+zip",
        **{
            "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
            '<rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>',
            "OPS/book.opf": '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>'
            '<dc:title>A Book</dc:title></metadata><manifest><item id="n" href="nav.xhtml" properties="nav"/><item id="b" href="b.xhtml"/>'
            '<item id="a" href="a%20a.xhtml"/></manifest><spine><itemref idref="a"/><itemref idref="b"/></spine></package>',
            "OPS/nav.xhtml": '<html xmlns:epub="x"><body><nav epub:type="toc"><a href="a%20a.xhtml">First</a></nav></body></html>',
            "OPS/a a.xhtml": '<html xmlns:epub="x"><body><p>One.</p><p>Two <span epub:type="pagebreak" title="7"/>goes on.</p></body></html>',
            "OPS/b.xhtml": "<html><body><h2>Second</h2><p>Three.</p></body></html>",
        },
    )
    document = checked(path)
    assert [text for _, text in blocks(document)] == ["One.", "Two goes on.", "Second", "Three."]
    assert [b.anchor.path for b in document.blocks] == ["First", "First", "Second", "Second"]
    assert document.details["title"] == "A Book"
    assert [(p.label, document.text[p.start : p.start + 8]) for p in document.pages] == [("", "One.\n\nTw"), ("7", "goes on.")]


def test_printed_pages_and_notes_of_a_book(tmp_path: Path) -> None:
    pages = '<nav epub:type="page-list"><a href="a.xhtml#p8">8</a><a href="a.xhtml#p9">9</a></nav>'
    path = archive(
        tmp_path / "book.epub",
        mimetype="application/epub+zip",
        **{
            "META-INF/container.xml": '<container><rootfiles><rootfile full-path="book.opf"/></rootfiles></container>',
            "book.opf": '<package><manifest><item id="n" href="nav.xhtml" properties="nav"/><item id="a" href="a.xhtml"/></manifest>'
            '<spine><itemref idref="a"/></spine></package>',
            "nav.xhtml": f'<html xmlns:epub="x"><body>{pages}</body></html>',
            "a.xhtml": '<html xmlns:epub="x"><body><p>Before <a id="p8"/>after.</p><p id="p9">Next.<a epub:type="noteref" href="#f">1</a></p>'
            '<aside epub:type="footnote" id="f"><p>See the register.</p></aside></body></html>',
        },
    )
    document = checked(path)
    assert [(p.label, document.text[p.start : p.end].strip()) for p in document.pages] == [
        ("", "Before"),
        ("8", "after."),
        ("9", "Next.1\n\nSee the register."),
    ]
    assert [b.anchor.page_label for b in document.blocks] == [None, "9", "9"]
    assert blocks(document)[-1] == (BlockKind.FOOTNOTE, "See the register.")


def test_a_protected_book(tmp_path: Path) -> None:
    path = archive(
        tmp_path / "locked.epub",
        mimetype="application/epub+zip",
        **{
            "META-INF/encryption.xml": '<encryption xmlns="x"><EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/></encryption>'
        },
    )
    with pytest.raises(DocumentEncrypted):
        ingest(path)


def test_mail(tmp_path: Path) -> None:
    inner = EmailMessage()
    inner["From"], inner["Subject"] = "birch@example.org", "The first letter"
    inner.set_content("I offer nine thousand.")
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Alder <alder@example.org>", "birch@example.org", "Re: 合同 the lease"
    mail.set_content("I accept.\n\nYours, Alder")
    mail.add_attachment(b"%PDF-", maintype="application", subtype="pdf", filename="lease.pdf")
    mail.add_attachment(inner)
    document = read(tmp_path / "letter", bytes(mail))
    assert document.media_type == "message/rfc822"
    texts = [text for _, text in blocks(document)]
    assert texts[0] == "Re: 合同 the lease"
    assert "From: Alder <alder@example.org>\nTo: birch@example.org" in texts[1]
    assert texts[2:4] == ["I accept.", "Yours, Alder"]
    assert "I offer nine thousand." in texts
    assert [(p.kind, p.where) for p in document.problems] == [(ProblemKind.DROPPED_OBJECT, "attachment lease.pdf")]


def test_rtf(tmp_path: Path) -> None:
    document = read(
        tmp_path / "lease.rtf",
        rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}{\f1\fcharset134 SimSun;}}{\*\unknown lost}The rent{\footnote Net.} is caf\'e9 due.\par"
        rb"\uc1\u31532?\u19968?\f1\'cc\'f5\f0\par {\v hidden}{\deleted gone}Plain \{braces\}.\par"
        rb"\trowd a\cell b\cell\row\trowd c\cell d\cell\row\pard End.\par}",
    )
    assert blocks(document) == [
        (BlockKind.PARAGRAPH, "The rent[^1] is café due."),
        (BlockKind.FOOTNOTE, "[^1] Net."),
        (BlockKind.HEADING, "第一条"),
        (BlockKind.PARAGRAPH, "Plain {braces}."),
        (BlockKind.TABLE, "a | b\nc | d"),
        (BlockKind.PARAGRAPH, "End."),
    ]
    assert [p.where for p in document.problems] == ["2 places"]
