"""A fetched page becomes a document: its main text, whatever its encoding; menus and hidden text stay out; PDFs as they are."""

from collections.abc import Iterator
from pathlib import Path

import pymupdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unabridged.errors import WebFailed
from unabridged.home import Home
from unabridged.library import Library
from unabridged.store import Store
from unabridged.web.main_text import decoded, extracted, main_text
from unabridged.web.outside import Fetched
from unabridged.web.pages import WebPage, page_name, understood, within

from tests.fakes import FakeEngine
from tests.unit.web.conftest import page

AT = "2026-11-20T12:00:00+00:00"


@pytest.fixture
def library(home: Home) -> Iterator[Library]:
    store = Store(home.database)
    yield Library(home, store)
    store.close()


def fetched(
    folder: Path, content: bytes | str, *, kind: str = "text/html", charset: str = "", url: str = "https://a.example.org/x"
) -> Fetched:
    file = folder / "page"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return Fetched(file, url, kind, charset, AT)


def test_a_page_is_kept_like_any_document_under_its_title_and_host(tmp_path: Path, library: Library) -> None:
    made = understood(fetched(tmp_path, page("Fees &amp; dues", "Forty crowns a night.", "Water is free.")), library=library)
    assert made.document.name == "Fees & dues · a.example.org"
    assert (made.web.url, made.web.retrieved_at) == ("https://a.example.org/x", AT)
    kept = library.document(made.document.id)
    assert kept == made.document
    assert library.passages(kept.id) == list(made.passages)
    assert "Forty crowns a night." in kept.text
    assert "Home" not in kept.text
    assert "All rights reserved" not in kept.text
    assert b"<nav>" not in library.original(kept.id).read_bytes(), "the page as it came is kept nowhere"


def test_a_page_of_an_incognito_conversation_is_kept_nowhere(tmp_path: Path, library: Library) -> None:
    made = understood(fetched(tmp_path, page("Fees", "Forty crowns a night.")), library=None)
    assert made.document.name == "Fees · a.example.org"
    assert library.entries() == []


def test_a_document_of_the_users_own_keeps_its_name(tmp_path: Path, library: Library) -> None:
    made = fetched(tmp_path, pdf("The fee is forty crowns."), kind="application/pdf", url="https://a.example.org/fees-2026.pdf")
    own = tmp_path / "my copy.pdf"
    own.write_bytes(made.file.read_bytes())
    mine = library.add(own)
    assert understood(made, library=library).document.id == mine.id
    assert library.document(mine.id).name == "my copy.pdf"


def test_a_pdf_goes_through_the_reader_of_pdfs(tmp_path: Path, library: Library) -> None:
    source = fetched(
        tmp_path, pdf("The fee is forty crowns."), kind="application/pdf", url="https://a.example.org/fees-2026.pdf"
    )
    made = understood(source, library=library)
    assert made.document.name == "fees-2026 · a.example.org"
    assert made.document.media_type == "application/pdf"
    assert made.document.pages[0].number == 1
    assert "forty crowns" in made.document.text


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%PDF-1.7 not really", "text/html"),
        (b"<html>not a pdf</html>", "application/pdf"),
        (b"", "text/html"),
        (b"<html></html>", "text/html"),
    ],
)
def test_pages_that_are_not_what_they_say_or_hold_nothing_are_refused(tmp_path: Path, content: bytes, kind: str) -> None:
    with pytest.raises(WebFailed):
        understood(fetched(tmp_path, content, kind=kind), library=None)


CHINESE = "<html><head>{}<title>费用</title></head><body><p>访问游艇的停泊费为每晚四十克朗，包括电费。</p></body></html>"


@pytest.mark.parametrize(
    ("encoding", "declared", "served"),
    [
        ("utf-8", "", "utf-8"),
        ("gb18030", "", "gbk"),
        ("gb18030", '<meta charset="gb2312">', ""),
        ("gb18030", '<meta charset="gb2312">', "utf-8"),  # the server is wrong
        ("gb18030", "", "no-such-charset"),
        ("big5", '<meta charset="big5">', ""),
        ("utf-16", "", "iso-8859-1"),
        ("utf-8", '<meta charset="utf-8">', "us-ascii"),
    ],
)
def test_wrong_and_missing_charsets_do_not_garble_a_page(encoding: str, declared: str, served: str) -> None:
    text = CHINESE.format(declared)
    if encoding == "big5":
        text = text.replace("费", "費").replace("访问", "訪問").replace("游艇", "遊艇").replace("电", "電").replace("为", "為")
    source = decoded(text.encode(encoding), served)
    title, html = extracted(source, plain=False)
    assert title in ("费用", "費用")
    assert "四十克朗" in html


def test_hidden_text_scripts_forms_and_links_stay_out() -> None:
    hidden = (
        "<div hidden>zqa</div><div style='Display: NONE'>zqb</div><p style='visibility:hidden'>zqc</p>"
        "<span aria-hidden='true'>zqd</span>"
        "<p style='font-size: 0px'>zqe</p><script>zqf()</script><template>zqg</template><noscript>zqh</noscript><!-- zqi -->"
        "<p style='position:absolute;left:-9999px'>zqp</p><p style='OPACITY : 0'>zqq</p><p style='text-indent:-9999px'>zqr</p>"
        "<p style='font-size:1px;color:#fff'>zqs</p><p style='clip: rect(0 0 0 0)'>zqt</p>"
        "<p title='zqu' aria-label='zqv'>seen</p>"
        "<form><input value='zqj'><textarea>zqk</textarea></form><img src='https://evil.example.org/?zql' alt=''>"
        "<a href='javascript:zqm()'>seen</a><iframe src='https://evil.example.org/zqn'></iframe><p onclick='zqo()'>seen too</p>"
        "<p style='opacity:0.5'>half seen</p>"
    )
    _, html = extracted(page("Fees", "Forty crowns a night for guests.", hidden), plain=False)
    assert "Forty crowns" in html
    assert "half seen" in html
    assert "zq" not in html, "every hidden word begins so"
    assert "evil.example.org" not in html
    assert "javascript:" not in html
    assert "onclick" not in html


def test_plain_text_is_text_whatever_looks_like_markup(tmp_path: Path) -> None:
    source = fetched(tmp_path, "Fees\n\n<script>alert(1)</script> & <b>forty</b> crowns.\n", kind="text/plain")
    assert understood(source, library=None).document.text.split() == [
        "Fees",
        "<script>alert(1)</script>",
        "&",
        "<b>forty</b>",
        "crowns.",
    ]


def test_a_page_that_nests_without_end_is_refused_or_read_but_ends(tmp_path: Path) -> None:
    file = tmp_path / "deep"
    file.write_bytes(b"<html><body>" + b"<div>" * 100_000 + b"deep down" + b"</div>" * 100_000)
    try:
        _, html = main_text(file, media_type="text/html", charset="")
    except WebFailed:
        return
    assert "deep down" in html


@given(st.text(max_size=80))
def test_names_of_pages_are_one_short_line(title: str) -> None:
    name = page_name(title, "https://a.example.org/x")
    assert name.isprintable()
    assert name.endswith("a.example.org")
    assert len(name) < 150


@given(st.integers(1, 4), st.integers(0, 3000))
def test_pages_share_the_room_in_whole_passages_and_never_exceed_it(count: int, tokens: int) -> None:
    pages = [_made(f"{number}", 40 * number) for number in range(1, count + 1)]
    engine = FakeEngine()
    numbered = within(engine, pages, first_number=7, tokens=tokens)
    assert [item.number for item in numbered] == list(range(7, 7 + len(numbered)))
    assert sum(len(item.text.encode()) for item in numbered) <= tokens
    for made in pages:
        read = [item.passage for item in numbered if item.document is made.document]
        assert read == list(made.passages)[: len(read)], "from its beginning, whole passages"
    plenty = within(engine, pages, first_number=7, tokens=100_000)
    assert {item.document.id for item in plenty} == {made.document.id for made in pages}


def _made(name: str, sentences: int) -> WebPage:
    from unabridged.ingest.document import Anchor, Block, BlockKind, Document
    from unabridged.ingest.passages import passages
    from unabridged.web.retrieved import Retrieved

    text = " ".join(f"Sentence {number} of page {name}." for number in range(sentences))
    document = Document(name, name, "text/html", text, [Block(BlockKind.PARAGRAPH, 0, len(text), Anchor())])
    return WebPage(document, passages(document), Retrieved(f"https://{name}.example.org", AT))


def pdf(text: str) -> bytes:
    document = pymupdf.open()
    document.new_page().insert_text((72, 72), text)
    return bytes(document.tobytes())
