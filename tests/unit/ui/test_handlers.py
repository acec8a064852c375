"""What the panels ask for, without a browser: over a real library and a scripted engine."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pymupdf
import pytest
from unabridged.errors import UsageError
from unabridged.events import Unsaved
from unabridged.home import Home
from unabridged.models.engine import DocumentSpan
from unabridged.models.reading_notes import ReadingNote, write_note
from unabridged.offered_models import OFFERED
from unabridged.ui.events_shown import fold, shown
from unabridged.ui.handlers_chat import ChatHandlers
from unabridged.ui.handlers_library import LibraryHandlers, harmless_name
from unabridged.ui.handlers_models import ModelHandlers
from unabridged.ui.handlers_settings import SettingsHandlers
from unabridged.ui.handlers_source import SourceHandlers
from unabridged.ui.jobs import Jobs
from unabridged.ui.page_images import PageImages
from unabridged.ui.panel import answering
from unabridged.ui.translated import CHOICE, translated
from unabridged.workspace import Workspace

from tests.fakes import FakeEngines
from tests.unit.ui.conftest import ask, ended


@pytest.fixture
def workspace(home: Home, engines: FakeEngines) -> Iterator[Workspace]:
    with Workspace(home, start_engine=engines.start) as opened:
        yield opened


@pytest.fixture
def library(workspace: Workspace, jobs: Jobs, tmp_path: Path) -> LibraryHandlers:
    return LibraryHandlers(workspace, jobs, tmp_path / "uploads", PageImages())


def test_an_uploaded_file_is_read_and_its_upload_deleted(library: LibraryHandlers, jobs: Jobs) -> None:
    path = library.new_upload("合同 2024.txt")
    path.write_text("第一条 本合同自签字之日起生效。", encoding="utf-8")
    job = ended(jobs, {"job": library.start_reading_file(path)})
    [entry] = library.documents({})
    assert (job.state, job.news["document"], entry["name"]) == ("finished", entry["id"], "合同 2024.txt")
    assert not path.parent.exists()


def test_a_file_that_cannot_be_read_says_why_and_leaves_nothing(library: LibraryHandlers, jobs: Jobs) -> None:
    path = library.new_upload("empty.txt")
    path.touch()
    job = ended(jobs, {"job": library.start_reading_file(path)})
    assert job.state == "failed"
    assert "empty" in job.news["error"]
    assert job.news["hint"]
    assert library.documents({}) == []
    assert not path.parent.exists()


def test_a_locked_file_waits_for_its_password(library: LibraryHandlers, jobs: Jobs) -> None:
    path = library.new_upload("locked.pdf")
    with pymupdf.open() as document:
        document.new_page().insert_text((72, 72), "The secret clause is clause nine.")
        document.save(path, encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="open", owner_pw="own")
    job = ended(jobs, {"job": library.start_reading_file(path)})
    assert job.news["error_kind"] == "DocumentEncrypted"
    wrong = ended(jobs, library.unlock({"job": job.id, "password": "no"}))
    assert wrong.state == "failed"
    right = ended(jobs, library.unlock({"job": wrong.id, "password": "open"}))
    assert right.state == "finished"
    assert not path.parent.exists()
    with pytest.raises(UsageError):
        library.unlock({"job": job.id, "password": "open"})


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\files\\a.docx", "a.docx"),
        ("..", "document"),
        ("", "document"),
        ("a\x00b\n.pdf", "ab.pdf"),
        ("<img src=x>.txt", "img src=x.txt"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
    ],
)
def test_names_of_uploads_are_made_harmless(library: LibraryHandlers, given: str, kept: str) -> None:
    assert harmless_name(given) == kept
    assert library.new_upload(given).name == kept


def test_pasted_text_and_the_sample_become_documents(library: LibraryHandlers, jobs: Jobs) -> None:
    ended(jobs, library.add_text({"text": "Some words of mine.", "name": ""}))
    ended(jobs, library.add_sample({"language": "en"}))
    assert {row["name"] for row in library.documents({})} == {"Some words of mine.txt", "Harbour lease.md"}
    with pytest.raises(UsageError):
        library.add_text({"text": " \n"})


def test_search_looks_at_names_and_contents(library: LibraryHandlers, document: str) -> None:
    assert library.search({"words": "CONTRACT"})["named"] == [document]
    [place] = library.search({"words": "laws of Norway"})["places"]
    assert (place["document"], place["words"]) == (document, "laws of Norway")


def test_a_document_is_renamed_and_removed(library: LibraryHandlers, jobs: Jobs, document: str) -> None:
    before = jobs.lists
    library.rename_document({"document": document, "name": "Lease"})
    assert [row["name"] for row in library.documents({})] == ["Lease"]
    library.remove_document({"document": document})
    assert library.documents({}) == []
    assert jobs.lists == before + 2, "other tabs hear of it"


def test_an_answer_is_streamed_kept_and_cited(
    chat: ChatHandlers, jobs: Jobs, document: str, engines: FakeEngines, workspace: Workspace
) -> None:
    engines.script.replies = ["Norway [3]."]
    job = ask(chat, jobs, document, "Which law?")
    assert job.state == "finished"
    conversation = chat.conversation({"conversation": job.news["conversation"], "language": "en"})
    [turn] = conversation["turns"]
    [citation] = turn["citations"]
    text = workspace.library.document(document).text
    assert text[citation["start"] : citation["end"]] == citation["quote"]
    assert 'data-n="1"' in turn["html"]
    [receipt] = turn["receipt"]["documents"]
    assert receipt["characters"] == receipt["characters_read"] == len(text)
    assert shown(job.shown(), language="en")["html"] == turn["html"], "what streamed last is what is kept"


def test_an_edited_question_is_a_branch(chat: ChatHandlers, jobs: Jobs, document: str, engines: FakeEngines) -> None:
    engines.script.replies = ["a", "b", "c"]
    first = ask(chat, jobs, document, "Which law?")
    conversation = first.news["conversation"]
    ask(chat, jobs, document, "Edited?", conversation=conversation, parent=None)
    ask(chat, jobs, document, "And then?", conversation=conversation, parent=first.news["turn"], follows=True)
    turns = chat.conversation({"conversation": conversation, "language": "en"})["turns"]
    assert [(turn["question"], turn["parent"], turn["follows"]) for turn in turns] == [
        ("Which law?", None, False),
        ("Edited?", None, False),
        ("And then?", first.news["turn"], True),
    ]


def test_a_deleted_turn_takes_what_follows_it(chat: ChatHandlers, jobs: Jobs, document: str, engines: FakeEngines) -> None:
    engines.script.replies = ["a", "b", "c"]
    first = ask(chat, jobs, document, "Which law?")
    conversation = first.news["conversation"]
    second = ask(chat, jobs, document, "Second?", conversation=conversation, parent=first.news["turn"])
    ask(chat, jobs, document, "Third?", conversation=conversation, parent=second.news["turn"])
    chat.delete_turn({"turn": second.news["turn"]})
    turns = chat.conversation({"conversation": conversation, "language": "en"})["turns"]
    assert [turn["question"] for turn in turns] == ["Which law?"]


def test_an_answer_that_nobody_writes_any_more_was_stopped(chat: ChatHandlers, workspace: Workspace, document: str) -> None:
    conversation = workspace.conversations.start([(document, "contract.txt")], title="t")
    workspace.conversations.begin(conversation.id, "q", parent_id=None, follows=False, model="m", fingerprint="f")
    [turn] = chat.conversation({"conversation": conversation.id, "language": "en"})["turns"]
    assert turn["state"] == "stopped"


def test_a_question_needs_words_and_documents(chat: ChatHandlers, document: str) -> None:
    with pytest.raises(UsageError):
        chat.ask({"documents": [document], "question": "  ", "language": "en"})
    with pytest.raises(UsageError):
        chat.ask({"documents": [], "question": "Why?", "language": "en"})


def test_what_does_not_fit_is_refused_with_choices(chat: ChatHandlers, jobs: Jobs, document: str, engines: FakeEngines) -> None:
    engines.script.window = 500
    meter = chat.meter({"documents": [document], "language": "en"})
    assert not meter["fits"]
    assert meter["choices"]
    job = ask(chat, jobs, document, "Which law?")
    assert job.state == "failed"
    assert "nothing was read or cut" in job.news["error"]
    assert shown(job.shown(), language="zh")["ways"] == [translated(way, "zh") for way in job.news["hint"].split(CHOICE)]
    assert chat.conversations({}) == []


def test_the_meter_counts_each_document(chat: ChatHandlers, document: str) -> None:
    meter = chat.meter({"documents": [document], "language": "en"})
    assert meter["fits"]
    assert meter["choices"] == []
    [share] = meter["shares"]
    assert share["document"] == document
    assert 0 < share["tokens"] <= meter["tokens"]


def test_a_running_answer_is_stopped_before_its_conversation_goes(
    chat: ChatHandlers, jobs: Jobs, document: str, engines: FakeEngines
) -> None:
    engines.script.replies = ["word " * 100_000]
    started = chat.ask({"documents": [document], "question": "Why?", "language": "en"})["job"]
    job = next(job for job in jobs.all() if job.id == started)
    while "text" not in job.news:
        time.sleep(0.01)
    chat.delete_conversation({"conversation": job.news["conversation"]})
    assert ended(jobs, {"job": started}).state == "stopped"
    assert chat.conversations({}) == []


def test_the_source_pane_shows_the_cited_words(workspace: Workspace, document: str) -> None:
    source = SourceHandlers(workspace, PageImages())
    [[start, end, _]] = source.find_in({"document": document, "words": "laws of norway"})["spans"]
    blocks = source.section({"document": document, "start": start, "end": end})
    assert any("laws of Norway" in block["text"] for block in blocks)
    assert source.open_source({"document": document, "language": "en"})["name"] == "contract.txt"
    with pytest.raises(UsageError):
        source.open_source({"document": "unknown"})


def test_settings_are_kept_or_refused_as_a_whole(workspace: Workspace, jobs: Jobs) -> None:
    settings = SettingsHandlers(workspace, jobs)
    model = settings.chosen_model()
    assert settings.save(language="en", model=model, changes={"temperature": 0.5, "theme": "dark"}).saved
    assert (workspace.settings.temperature, workspace.settings.theme) == (0.5, "dark")
    outcome = settings.save(language="en", model=model, changes={"temperature": 0.1, "kv_type": "q9"})
    assert not outcome.saved
    assert "kv_type" in outcome.message
    assert workspace.settings.temperature == 0.5


def test_the_plan_tells_what_fits_before_anything_is_loaded(workspace: Workspace, jobs: Jobs, engines: FakeEngines) -> None:
    told = SettingsHandlers(workspace, jobs).plan("starter", "auto", language="en")
    assert re.match(r"Window up to [\d,]+ tokens with f16 \(trained for 1,048,576\)", told)
    assert engines.started == []


def test_readings_on_disk_are_counted_and_cleared(workspace: Workspace, jobs: Jobs) -> None:
    settings = SettingsHandlers(workspace, jobs)
    place = workspace.home.segments / "5c"
    place.mkdir()
    (place / f"{'ab' * 32}.segment").write_bytes(b"x" * (32 << 20))
    assert settings.readings(language="en") == "0.03 of 20 GiB · readings: 0"
    assert "0.03 GiB freed" in settings.clear_readings(language="en").message
    assert settings.readings(language="en") == "0.00 of 20 GiB · readings: 0"


def test_a_file_that_is_no_model_is_refused(workspace: Workspace, jobs: Jobs, contract: Path) -> None:
    settings = SettingsHandlers(workspace, jobs)
    outcome = settings.use_path(f" {contract} ", language="en")
    assert not outcome.saved
    assert "GGUF" in outcome.message
    assert settings.chosen_model() == "starter"


def test_search_finds_what_was_said(chat: ChatHandlers, library: LibraryHandlers, jobs: Jobs, document: str) -> None:
    ask(chat, jobs, document, "Which law rules?")
    hit = next(hit for hit in library.search({"words": "rules"})["said"] if hit["turn_id"])  # beside its title
    [conversation] = chat.conversations({})
    assert (hit["conversation_id"], hit["words"]) == (conversation["id"], "rules")


def stored_reading(workspace: Workspace, document: str) -> None:
    folder = workspace.home.segments / ("f0" * 32)
    folder.mkdir(parents=True)
    (folder / f"{'a1' * 32}.segment").write_bytes(b"7 bytes")
    note = ReadingNote(model="tiny", tokens=3, segments=("a1" * 32,), ends=(3,), documents=(DocumentSpan(document, 0, 3),))
    write_note(folder / f"{'a1' * 32}.reading", note)


def test_the_library_tells_what_a_reading_takes_on_disk_and_removing_deletes_it(
    library: LibraryHandlers, workspace: Workspace, document: str
) -> None:
    assert [(row["stored_bytes"], row["pinned"]) for row in library.documents({})] == [(0, False)]
    stored_reading(workspace, document)
    [row] = library.documents({})
    assert row["stored_bytes"] == 7
    assert row["stored_models"] == ["tiny"]
    library.pin_document({"document": document, "pinned": True})
    assert [row["pinned"] for row in library.documents({})] == [True]
    library.remove_document({"document": document})
    assert list(workspace.home.segments.rglob("*.segment")) == []


def test_a_refusal_is_told_in_the_language_of_the_page(chat: ChatHandlers) -> None:
    panel_function = answering(chat.ask, "zh")
    told = panel_function({"documents": [], "question": "谁？", "language": "zh"})
    assert told == {"error": "没有选择文档。", "hint": "请在文库中勾选一个，或添加文件。", "kind": "UsageError"}


def test_the_catalogue_tells_what_is_here_and_chooses_it(workspace: Workspace, jobs: Jobs) -> None:
    models = ModelHandlers(workspace, jobs)
    told = models.catalogue({})["models"]
    assert [row["name"] for row in told] == [model.name for model in OFFERED]
    assert not any(row["here"] or row["used"] for row in told)
    workspace.home.models.mkdir()
    (workspace.home.models / OFFERED[0].file).write_bytes(b"GGUF and the rest")
    models.choose_model({"name": OFFERED[0].name})
    assert next((row["here"], row["used"]) for row in models.catalogue({})["models"]) == (True, True)
    with pytest.raises(UsageError):
        models.fetch_model({"name": "no such model"})


def test_why_a_reading_cannot_be_kept_is_told(workspace: Workspace) -> None:
    news: dict[str, object] = {}
    fold(news, Unsaved("No space left on device"))
    assert shown(news, language="zh")["unsaved"] == "磁盘空间已满"
