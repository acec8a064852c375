"""Real laws, contracts and novels: counted whole, every span right. Skipped where ../shared/documents is absent."""

import re
from pathlib import Path

import docx
import pytest
from unabridged.ingest.document import BlockKind, Document
from unabridged.ingest.numerals import chinese_numeral
from unabridged.ingest.passages import passages
from unabridged.ingest.reading import ingest
from unabridged.ingest.validation import tiles, validate

DOCUMENTS = Path(__file__).resolve().parents[3] / "shared" / "documents"
pytestmark = [pytest.mark.corpus, pytest.mark.skipif(not DOCUMENTS.is_dir(), reason="no ../shared/documents")]

PROCEDURE_LAW = "中华人民共和国刑事诉讼法_20181026.docx"
INTERPRETATION = "最高人民法院关于适用《刑事诉讼法》的解释(2021-01-26).md"


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def article_paths(document: Document) -> list[str]:
    found = dict.fromkeys(b.anchor.path for b in document.blocks)
    return [path for path in found if re.search(r"第[一二三四五六七八九十百零]+条$", path)]


@pytest.fixture(scope="module")
def joined_laws(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The law and its interpretation as one Word file without any styles, as people paste them together."""
    joined = docx.Document()
    for paragraph in docx.Document(str(DOCUMENTS / "laws" / PROCEDURE_LAW)).paragraphs:
        joined.add_paragraph(paragraph.text)
    for line in (DOCUMENTS / "laws" / INTERPRETATION).read_text("utf-8").splitlines():
        joined.add_paragraph(re.sub(r"^#+ ", "", line))
    path = tmp_path_factory.mktemp("laws") / "两部法律.docx"
    joined.save(str(path))
    return path


def test_two_laws_in_one_word_file_are_read_whole_with_every_article_in_its_place(joined_laws: Path) -> None:
    document = ingest(joined_laws)
    assert len(document.text) > 120_000
    source = "".join(squeezed(p.text) for p in docx.Document(str(joined_laws)).paragraphs)
    assert squeezed(document.text) == source
    validate(document)
    paths = article_paths(document)
    law = [p for p in paths if p.startswith("中华人民共和国刑事诉讼法")]
    interpretation = [p for p in paths if p.startswith("最高人民法院关于适用")]
    assert [p.split()[-1] for p in law] == [f"第{chinese_numeral(n)}条" for n in range(1, 309)]
    assert [p.split()[-1] for p in interpretation] == [f"第{chinese_numeral(n)}条" for n in range(1, 656)]
    assert "中华人民共和国刑事诉讼法 第一编 第三章 第三十条" in paths


@pytest.mark.parametrize("name", ["DovaPharmaceuticals", "IMMUNOMEDICS"])
def test_a_contract_of_150_000_characters_holds_all_its_words(name: str) -> None:
    pdf = next((DOCUMENTS / "contracts").glob(f"{name}*.pdf"))
    document = ingest(pdf, options={"ocr": "off"})  # a page of one of them is a picture
    validate(document)
    assert len(document.text) > 150_000
    kept = squeezed(document.text + "".join(f.text for f in document.furniture))
    plain = squeezed(pdf.with_suffix(".txt").read_text("utf-8"))
    assert len(kept) > 0.99 * len(plain)
    assert tiles(passages(document), len(document.text))


@pytest.mark.parametrize(
    ("name", "chapters"), [("三国演义.txt", 120), ("西游记.txt", 100), ("The_Murder_of_Roger_Ackroyd.txt", 27)]
)
def test_a_novel_is_the_file_itself_with_its_chapters(name: str, chapters: int) -> None:
    path = DOCUMENTS / "novels" / name
    document = ingest(path)
    assert document.text == path.read_text("utf-8").replace("\r\n", "\n").removeprefix("\ufeff")
    assert len([b for b in document.blocks if b.kind is BlockKind.HEADING]) == chapters
    found = passages(document)
    assert tiles(found, len(document.text))
    assert max(p.end - p.start for p in found) < 1500
