"""The library keeps what was read, once, and finds words in it; the home folder and the settings survive what goes wrong."""

import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unabridged.citations import Citation
from unabridged.errors import DocumentMissing, HomeError, UsageError
from unabridged.home import Home, open_home, write_whole
from unabridged.ingest.document import Anchor, Block, BlockKind, Box, Document, Furniture, Line, Page, Problem, ProblemKind
from unabridged.instances import Instance, is_alive
from unabridged.layout import pack, pack_anchor, unpack, unpack_anchor
from unabridged.library import Library
from unabridged.settings import Settings, load_settings, save_settings
from unabridged.store import Store

from tests.conftest import CONTRACT, LAW, written


@pytest.fixture
def store(home: Home) -> Iterator[Store]:
    with closing(Store(home.database)) as opened:
        yield opened


@pytest.fixture
def library(home: Home, store: Store) -> Library:
    return Library(home, store)


def test_a_document_comes_back_as_it_was_read(library: Library, contract: Path) -> None:
    document = library.add(contract)
    assert library.document(document.id) == document
    assert document.text.split() == CONTRACT.split()


def test_passages_come_back_and_are_the_text(library: Library, contract: Path) -> None:
    document = library.add(contract)
    passages = library.passages(document.id)
    assert "".join(document.text[passage.start : passage.end] for passage in passages) == document.text
    assert [passage.number for passage in passages] == list(range(1, len(passages) + 1))


def test_equal_bytes_are_kept_once_under_the_newest_name(library: Library, contract: Path, tmp_path: Path) -> None:
    library.add(contract)
    library.add(written(tmp_path / "copy.txt", CONTRACT))
    (entry,) = library.entries()
    assert entry.name == "copy.txt"


def test_a_document_is_read_again_where_other_text_recognition_is_found(
    library: Library, store: Store, contract: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def edition() -> str:
        library.add(contract)
        return str(store.rows("SELECT edition FROM documents")[0]["edition"])

    monkeypatch.setitem(sys.modules, "rapidocr", None)  # as where it is not installed
    monkeypatch.setenv("PATH", str(tmp_path))
    first = edition()
    (tmp_path / "tesseract").write_text("#!/bin/sh\n")
    (tmp_path / "tesseract").chmod(0o755)
    second = edition()
    monkeypatch.delitem(sys.modules, "rapidocr")
    assert [first, second] == [first, f"{first}, Tesseract"]
    if find_spec("rapidocr") and find_spec("onnxruntime"):
        assert edition() == f"{first}, RapidOCR"


def test_the_original_is_kept_when_the_source_is_gone(library: Library, contract: Path) -> None:
    document = library.add(contract)
    contract.unlink()
    assert library.original(document.id).read_text("utf-8") == CONTRACT


def test_a_missing_file_and_a_folder_are_refused(library: Library, tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.pdf", tmp_path):
        with pytest.raises(DocumentMissing):
            library.add(path)
    assert library.entries() == []


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("laws of Norway", ["laws of Norway"]),
        ("LAWS  of\nnorway", ["laws of Norway"]),
        ("上诉的期限", ["上诉的期限"]),
        ("上诉", ["上诉"]),
        ("配合", ["配合"]),
        ("法", ["法", "法", "法"]),
        ("laws of Sweden", []),
        ('"quoted" OR text', []),
        (".*", []),
    ],
)
def test_literal_words_are_found_in_english_and_chinese(
    library: Library, contract: Path, law: Path, words: str, found: list[str]
) -> None:
    library.add(contract)
    library.add(law)
    places = library.find(words)
    if words == "法":
        assert len(places) == LAW.count("法")
    else:
        assert [place.words for place in places] == found
    for place in places:
        text = library.document(place.document_id).text
        assert text[place.start : place.end] == place.words
        assert text[: place.start].endswith(place.before)
        assert text[place.end :].startswith(place.after)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_stands_in_a_document_is_found_where_it_stands(library: Library, law: Path, data: st.DataObject) -> None:
    document = library.add(law)
    start = data.draw(st.integers(0, len(document.text) - 1))
    end = data.draw(st.integers(start + 1, min(start + 30, len(document.text))))
    words = document.text[start:end]
    if words.strip():
        places = [(place.start, place.end) for place in library.find(words)]
        stripped = start + len(words) - len(words.lstrip())
        assert any(a == stripped for a, _ in places)


def test_find_needs_words(library: Library) -> None:
    with pytest.raises(UsageError):
        library.find("  ")


def test_a_removed_document_is_gone_from_search_and_disk(library: Library, contract: Path) -> None:
    document = library.add(contract)
    original = library.original(document.id)
    library.remove(document.id)
    assert library.entries() == []
    assert library.find("Norway") == []
    assert not original.exists()
    with pytest.raises(UsageError):
        library.document(document.id)


def test_a_document_is_named_by_name_or_by_the_beginning_of_its_id(library: Library, contract: Path, law: Path) -> None:
    document = library.add(contract)
    library.add(law)
    assert library.resolve("contract.txt").id == library.resolve(document.id[:12]).id == document.id
    with pytest.raises(UsageError):
        library.resolve("nothing")


def test_a_citation_of_words_that_no_longer_stand_there_is_not_located(library: Library, contract: Path) -> None:
    document = library.add(contract)
    start = document.text.index("Norway")
    citation = Citation(1, document.id, document.name, None, None, "", start, start + 6, "Norway")
    assert library.locate(citation) == document
    with pytest.raises(UsageError):
        library.locate(Citation(1, document.id, document.name, None, None, "", start + 1, start + 7, "Norway"))


def test_everything_a_document_holds_survives_the_database() -> None:
    document = Document(
        id="1" * 64,
        name="made.pdf",
        media_type="application/pdf",
        text="Title\nText",
        blocks=(
            Block(BlockKind.HEADING, 0, 5, Anchor(1, "i", Box(1.0, 2.0, 3.0, 4.0), "1"), 1),
            Block(BlockKind.TABLE, 6, 10, Anchor()),
        ),
        problems=(Problem(ProblemKind.OCR_USED, "page 1", "Check it."),),
        pages=(Page(1, "i", 0, 10, 595.0, 842.0, True),),
        lines=(Line(0, 5, 1, Box(1.0, 2.0, 3.0, 4.0)),),
        furniture=(Furniture(1, "Head"),),
        details={"encoding": "utf-8"},
    )
    kept = unpack(pack(document), id=document.id, name=document.name, media_type=document.media_type, text=document.text)
    assert kept == document
    for block in document.blocks:
        assert unpack_anchor(pack_anchor(block.anchor)) == block.anchor


def test_two_processes_add_to_one_home_at_once(home: Home, library: Library, tmp_path: Path) -> None:
    files = [written(tmp_path / f"{number}.txt", f"Document number {number}.\n\nIt is short.") for number in range(8)]
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_add, args=(str(home.folder), [str(f) for f in files[i::2]])) for i in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert {entry.name for entry in library.entries()} == {file.name for file in files}


def _add(home: str, files: list[str]) -> None:
    opened = Home(Path(home))
    with closing(Store(opened.database)) as store:
        for file in files:
            Library(opened, store).add(Path(file))


def test_a_change_that_fails_half_way_changes_nothing(store: Store) -> None:
    row = {"id": "1", "title": "t", "created_at": "now"}
    with pytest.raises(HomeError), store.transaction() as db:
        db.table("conversations").insert_all([row, row])
    assert store.rows("SELECT * FROM conversations") == []


def test_a_full_disk_is_said_and_nothing_is_lost_or_left(
    library: Library, home: Home, store: Store, contract: Path, law: Path
) -> None:
    library.add(contract)
    (pages,) = store.rows("PRAGMA page_count")
    store.rows(f"PRAGMA max_page_count = {pages['page_count']}")
    with pytest.raises(HomeError) as refused:
        library.add(written(law, LAW * 200))
    assert "space" in refused.value.hint
    assert len(list(home.originals.iterdir())) == 1
    assert [entry.name for entry in library.entries()] == ["contract.txt"]


def test_a_file_that_is_no_database_is_said(home: Home) -> None:
    home.database.write_bytes(b"this is no database" * 100)
    with pytest.raises(HomeError):
        Store(home.database)


def test_a_database_of_a_newer_version_is_left_alone(home: Home, store: Store) -> None:
    with store.transaction() as db:
        db.execute("INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('unabridged', 'm999', '')")
    with pytest.raises(HomeError, match="newer"):
        Store(home.database)


def test_opening_again_migrates_nothing(home: Home, store: Store) -> None:
    schema = store.rows("SELECT sql FROM sqlite_master ORDER BY name")
    with closing(Store(home.database)) as again:
        assert again.rows("SELECT sql FROM sqlite_master ORDER BY name") == schema


def test_a_home_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    blocked = written(tmp_path / "file", "")
    with pytest.raises(HomeError) as refused:
        open_home(blocked / "home")
    assert "UNABRIDGED_HOME" in refused.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_without_rights_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    with pytest.raises(HomeError):
        open_home(folder)


def test_a_write_that_fails_leaves_the_old_content_and_no_litter(tmp_path: Path) -> None:
    path = written(tmp_path / "settings.json", "old")
    with pytest.raises(TypeError):
        write_whole(path, "not bytes")  # type: ignore[arg-type]
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir() if item.name.startswith(".")] == []


def test_settings_come_back_and_unknown_ones_are_passed_over(home: Home) -> None:
    save_settings(home, Settings(model="starter", temperature=0.5, local_models=("/a.gguf",)))
    kept = json.loads(home.settings.read_text("utf-8"))
    home.settings.write_text(json.dumps({**kept, "of_a_newer_version": 1, "temperature": 1}))
    assert load_settings(home) == Settings(temperature=1.0, local_models=("/a.gguf",))


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"window": "much"}', '{"window": -5}', '{"kv_type": "q9"}', '{"window": true}']
)
def test_settings_that_cannot_be_used_are_said_with_the_file(home: Home, content: str) -> None:
    home.settings.write_text(content)
    with pytest.raises(HomeError, match=r"settings\.json"):
        load_settings(home)


def test_every_setting_says_what_it_is_for() -> None:
    source = Path(load_settings.__code__.co_filename).read_text("utf-8")
    fields = source[source.index("class Settings") : source.index("def __post_init__")]
    assert fields.count('"""') == 2 * len(Settings.__slots__)


def test_a_program_that_ended_is_told_from_one_that_runs(home: Home) -> None:
    running = Instance(home.instances)
    crash = "import os, sys, pathlib, unabridged.instances as i; i.Instance(pathlib.Path(sys.argv[1])); os._exit(0)"
    subprocess.run([sys.executable, "-c", crash, str(home.instances)], check=True)
    others = [path.stem for path in home.instances.iterdir() if path.stem != running.id]
    assert is_alive(home.instances, running.id)
    assert [is_alive(home.instances, other) for other in others] == [False]
    running.close()
    assert list(home.instances.iterdir()) == []
