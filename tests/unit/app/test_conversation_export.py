"""A conversation leaves as a file and comes back whole; its citations are footnotes, and none looks proven that is not."""

import dataclasses
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from unabridged.answers import Answer, Seconds
from unabridged.characters.card import Card
from unabridged.characters.card_files import CardFile
from unabridged.characters.scenes import Setup
from unabridged.citations import Citation
from unabridged.conversations import Conversations
from unabridged.errors import UsageError
from unabridged.export_json import to_json
from unabridged.export_markdown import UNPLACED, footnoted
from unabridged.export_word import to_word
from unabridged.exporting import export_conversation, import_conversation
from unabridged.ingest.document import Document
from unabridged.notes import Note
from unabridged.receipts import DocumentReceipt, Receipt
from unabridged.store import Store
from unabridged.turns import Turn
from unabridged.workspace import Workspace

from tests.unit.app.test_workspace import drained

RECEIPT = Receipt((DocumentReceipt("lease.pdf", 10, 10, 1, 0, 0),), 4096, 900, 800, 100, 20, memories=1)


def cited(document: Document, words: str, n: int) -> Citation:
    start = document.text.index(words)
    return Citation(n, document.id, document.name, 3, "iii", "Article 1", start, start + len(words), words)


def talk(conversations: Conversations, document: Document) -> str:
    """The id of a conversation of two turns, the second one with a branch beside it."""
    conversation = conversations.start([(document.id, document.name)], title="About the lease")
    first = begun(conversations, conversation.id, "Which law?", None, Note("memory:1:2", "Briefly."))
    real = cited(document, "governed by the laws of Norway", 1)
    forged = dataclasses.replace(real, n=2, quote="governed by the laws of Denmark")
    said = "**Norway** [1], or Denmark [2]."
    conversations.finish(first, Answer(said, (real, forged), RECEIPT, Seconds(1, 2, 3, 4), "m", reply_tokens=(7, 8)))
    conversations.leave(begun(conversations, conversation.id, "Since when?", first), failed=False)
    last = begun(conversations, conversation.id, "Until when?", first)
    table = "| a | b |\n|---|---|\n| 1 | `x` [1] |\n\n- one\n- two\n\n1. *three*\n\n```\ncode\n```"
    conversations.finish(last, Answer(table, (real,), RECEIPT, Seconds(1, 2, 3, 4), "m"))
    return conversation.id


def begun(conversations: Conversations, conversation_id: str, question: str, parent: str | None, *notes: Note) -> str:
    return conversations.begin(
        conversation_id, question, parent_id=parent, follows=parent is not None, model="m", fingerprint="f", notes=notes
    )


def without_ids(turns: list[Turn]) -> list[Turn]:
    places = {turn.id: str(at) for at, turn in enumerate(turns)}
    return [
        dataclasses.replace(turn, id=places[turn.id], parent_id=turn.parent_id and places[turn.parent_id], conversation_id="")
        for turn in turns
    ]


def test_an_exported_conversation_comes_back_whole(workspace: Workspace, contract: Path) -> None:
    document = drained(workspace.add(contract))
    conversation_id = talk(workspace.conversations, document)
    content = export_conversation(workspace, conversation_id, "json")
    back = import_conversation(workspace, content)
    assert back.id != conversation_id
    assert (back.title, back.documents) == ("About the lease", ((document.id, document.name),))
    before, after = (list(workspace.conversations.turns(item)) for item in (conversation_id, back.id))
    assert without_ids(after) == without_ids(before)
    assert json.loads(export_conversation(workspace, back.id, "json"))["turns"][0]["citations"]


def test_markdown_has_the_last_branch_and_marks_what_is_not_in_the_source(workspace: Workspace, contract: Path) -> None:
    document = drained(workspace.add(contract))
    text = export_conversation(workspace, talk(workspace.conversations, document), "markdown").decode()
    assert "**Norway** [^1], or Denmark [^2]." in text
    assert "Since when?" not in text
    notes = [line for line in text.splitlines() if line.startswith("[^")]
    assert [UNPLACED in note for note in notes] == [False, True, False]
    assert "page 3 (printed iii), Article 1: “governed by the laws of Norway”" in notes[0]
    workspace.library.remove(document.id)
    gone = export_conversation(workspace, workspace.conversations.list()[0].id, "markdown").decode()
    assert gone.count(UNPLACED) == 3


def test_a_word_file_has_its_citations_as_footnotes_where_they_are_called(
    workspace: Workspace, contract: Path, tmp_path: Path
) -> None:
    document = drained(workspace.add(contract))
    path = tmp_path / "talk.docx"
    path.write_bytes(export_conversation(workspace, talk(workspace.conversations, document), "word"))
    read = drained(workspace.add(path))  # by our own reader
    kinds = [(block.kind, read.text[block.start : block.end]) for block in read.blocks]
    assert ("heading", "Which law?") in [(kind, text.strip()) for kind, text in kinds]
    notes = [text for kind, text in kinds if kind == "footnote"]
    assert len(notes) == 3
    assert "governed by the laws of Norway" in notes[0]
    assert UNPLACED in notes[1]
    assert "Norway" in read.text
    assert "**" not in read.text
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None


def test_python_docx_opens_the_word_file(workspace: Workspace, contract: Path) -> None:
    docx = pytest.importorskip("docx")
    document = drained(workspace.add(contract))
    opened = docx.Document(io.BytesIO(export_conversation(workspace, talk(workspace.conversations, document), "word")))
    questions = [paragraph.text for paragraph in opened.paragraphs if paragraph.style.name.lower() == "heading 1"]
    assert questions == ["Which law?", "Until when?"]
    assert [[cell.text for cell in row.cells] for row in opened.tables[0].rows] == [["a", "b"], ["1", "x "]]


@given(st.text(max_size=200))
def test_any_answer_can_be_exported_to_word(answer: str) -> None:
    turn = Turn("1", "c", None, answer or "?", answer, "finished", False, "m", "f", (), None, None, (), "2026-01-01T00:00:00")
    store = Store(":memory:")
    conversations = Conversations(store)
    conversation = conversations.start([], title=answer.strip() or "x")
    docx = pytest.importorskip("docx")
    docx.Document(io.BytesIO(to_word(conversation, [turn], placed=lambda citation: True)))
    conversations.close()
    store.close()


def test_a_source_without_a_marker_is_still_a_footnote() -> None:
    citation = Citation(4, "d", "d.pdf", None, None, "", 0, 1, "x")
    turn = Turn("1", "c", None, "q", "Said [9].", "finished", False, "m", "f", (citation,), None, None, (), "")
    assert footnoted(turn, first=6, mark=lambda n: f"[^{n}]") == "Said [9].[^6]"


def test_numbers_in_code_are_no_footnotes_and_reasoning_stays_out_of_what_is_carried_away() -> None:
    citation = Citation(2, "d", "d.pdf", None, None, "", 0, 1, "x")
    said = "<think>Is it [2]?</think>So it is [2]: `rows[2]`.\n\n```\nrows[2]\n```"
    turn = Turn("1", "c", None, "q", said, "finished", False, "m", "f", (citation,), None, None, (), "")
    assert footnoted(turn, first=6, mark=lambda n: f"[^{n}]") == "So it is [^6]: `rows[2]`.\n\n```\nrows[2]\n```"


@given(st.text("[]*_`~$#-+=|>&<019.)\\( \n甲a", min_size=1, max_size=60).filter(str.strip))
def test_a_quotation_leaves_in_the_words_of_its_source(quote: str) -> None:
    """Redactions and numbers of a contract are its own words, whoever shows the Markdown."""
    citation = Citation(1, "d", "d.pdf", None, None, "", 0, 1, quote)
    turn = Turn("1", "c", None, "q", f"“{quote}” [1]", "finished", False, "m", "f", (citation,), None, None, (), "")
    inline = [t for t in MarkdownIt("commonmark").parse(footnoted(turn, first=7, mark=lambda n: "")) if t.type == "inline"]
    shown = "".join(child.content for token in inline for child in token.children or [])
    assert "".join(shown.split()) == "".join(f"“{quote}”".split())


def test_redactions_in_a_quotation_are_no_emphasis() -> None:
    quote = "upon [***] written notice\n13.1 effective at the end of such [***]"
    citation = Citation(1, "d", "d.pdf", None, None, "", 0, 1, quote)
    turn = Turn("1", "c", None, "q", f"“{quote}” [1]", "finished", False, "m", "f", (citation,), None, None, (), "")
    said = footnoted(turn, first=1, mark=lambda n: f"[^{n}]")
    assert said.count(r"\[\*\*\*\]") == 2
    assert "[^1]" in said


def test_a_scene_keeps_its_set_up_and_a_set_up_that_lies_is_refused(workspace: Workspace) -> None:
    character = workspace.characters.add(CardFile(Card({"name": "Mira", "description": "A pilot."})))
    conversation_id, _ = workspace.scenes.start(Setup((character.id,), user="Jo", author_note="Rain."))
    content = export_conversation(workspace, conversation_id, "json")
    back = import_conversation(workspace, content)
    assert workspace.scenes.setup(back.id) == workspace.scenes.setup(conversation_id)
    for name, value in (("order", "x"), ("user", 3), ("character_ids", [1]), ("author_note_depth", "2"), ("book_ids", None)):
        whole = json.loads(content)
        whole["scene"][name] = value
        with pytest.raises(UsageError):
            import_conversation(workspace, json.dumps(whole).encode())
    assert len(workspace.conversations.list()) == 2


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    "change",
    [
        lambda whole: whole.update(unabridged_conversation=2),
        lambda whole: whole.update(turns={}),
        lambda whole: whole.pop("title"),
        lambda whole: whole["documents"].append(3),
        lambda whole: whole["turns"][0].update(parent_id=whole["turns"][0]["id"]),
        lambda whole: whole["turns"][0].update(state="x"),
        lambda whole: whole["turns"][0].update(reply_tokens=[1 << 40]),
        lambda whole: whole["turns"][0].update(question=7),
        lambda whole: whole["turns"][0]["citations"][0].update(start="0"),
        lambda whole: whole["turns"][0]["receipt"].pop("window_tokens"),
        lambda whole: whole["turns"].reverse(),
        lambda whole: whole["turns"].append(whole["turns"][0]),
    ],
)
def test_a_file_that_lies_is_refused_and_nothing_is_added(workspace: Workspace, contract: Path, change: Change) -> None:
    document = drained(workspace.add(contract))
    whole = json.loads(to_json(workspace.conversations, talk(workspace.conversations, document)))
    change(whole)
    with pytest.raises(UsageError, match="no conversation that Unabridged exported"):
        import_conversation(workspace, json.dumps(whole).encode())
    assert len(workspace.conversations.list()) == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=60) | st.recursive(st.none() | st.text(), st.lists).map(json.dumps).map(str.encode))
def test_any_other_file_is_refused(workspace: Workspace, content: bytes) -> None:
    with pytest.raises(UsageError):
        import_conversation(workspace, content)
