"""Memories are in the prompt while they hold and nowhere else, and a long reading is never read again because of one."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unabridged.errors import UsageError
from unabridged.memories import LONGEST, Memories, asked_to_remember, documents_scope, within
from unabridged.notes import Note, still_wanted, untold
from unabridged.store import Store
from unabridged.workspace import Workspace

from tests.fakes import FakeEngine, FakeEngines, text_of
from tests.unit.app.test_workspace import drained, finished


@pytest.fixture(autouse=True)
def replies(engines: FakeEngines) -> None:
    engines.script.replies = ["I do not know."] * 4


def last_prompt(engines: FakeEngines) -> str:
    return text_of(engines.started[-1].prompts[-1])


def test_a_memory_stands_in_the_prompt_after_the_reading_and_before_the_question(
    workspace: Workspace, engines: FakeEngines, contract: Path
) -> None:
    document = drained(workspace.add(contract))
    workspace.memories.add("Answer as briefly as possible.")
    answer = finished(list(workspace.ask([document.id], "Which law governs?")))
    prompt = last_prompt(engines)
    stands = [prompt.index(words) for words in (document.text[-40:], "Answer as briefly as possible.", "Which law governs?")]
    assert stands == sorted(stands)
    assert (answer.receipt.memories, answer.receipt.memories_left_out) == (1, 0)


@pytest.mark.parametrize("undo", ["switch", "remove"])
def test_a_memory_that_is_taken_back_leaves_earlier_turns_too(
    workspace: Workspace, engines: FakeEngines, contract: Path, undo: str
) -> None:
    document = drained(workspace.add(contract))
    memory = workspace.memories.add("My client is Mrs Løvland.")
    finished(list(workspace.ask([document.id], "Who signed?")))
    (turn,) = workspace.conversations.turns(workspace.conversations.list()[0].id)
    if undo == "switch":
        workspace.memories.switch(memory.id, on=False)
    else:
        workspace.memories.remove(memory.id)
    ask = workspace.ask([document.id], "When?", conversation_id=turn.conversation_id, parent_id=turn.id, follows=True)
    finished(list(ask))
    assert "Who signed?" in last_prompt(engines)
    assert "Løvland" not in last_prompt(engines)


def test_a_follow_up_tells_a_memory_once_and_its_reading_is_the_same(
    workspace: Workspace, engines: FakeEngines, contract: Path
) -> None:
    document = drained(workspace.add(contract))
    finished(list(workspace.ask([document.id], "Who signed?")))
    before = engines.started[-1].prompts[-1]
    (turn,) = workspace.conversations.turns(workspace.conversations.list()[0].id)
    workspace.memories.add("Answer briefly.")
    parent = turn.id
    for question in ("When?", "Where?"):
        ask = workspace.ask([document.id], question, conversation_id=turn.conversation_id, parent_id=parent, follows=True)
        finished(list(ask))
        parent = workspace.conversations.turns(turn.conversation_id)[-1].id
    after = engines.started[-1].prompts[-1]
    assert text_of(after).count("Answer briefly.") == 1
    assert after[: len(before)] == before


def test_a_removed_memory_is_in_no_byte_of_the_database(workspace: Workspace, contract: Path) -> None:
    document = drained(workspace.add(contract))
    memory = workspace.memories.add("Zanzibarclient")
    finished(list(workspace.ask([document.id], "Who signed?")))
    workspace.memories.remove(memory.id)
    for path in workspace.home.database.parent.glob(f"{workspace.home.database.name}*"):
        assert b"zanzibarclient" not in path.read_bytes().lower()


def test_a_request_to_remember_is_kept_for_its_documents_and_not_when_incognito(workspace: Workspace, contract: Path) -> None:
    document = drained(workspace.add(contract))
    finished(list(workspace.ask([document.id], "Remember that we act for the tenant.")))
    (memory,) = workspace.memories.list()
    assert (memory.text, memory.scope, memory.scope_id) == ("we act for the tenant.", "documents", document.id)
    finished(list(workspace.ask([document.id], "记住：只用中文回答", incognito=True)))
    assert len(workspace.memories.list()) == 1


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ("Please remember that I am left-handed.", "I am left-handed."),
        ("remember: short answers", "short answers"),
        ("请记住，我们代表承租人", "我们代表承租人"),
        ("Do you remember that clause?", None),
        ("What must the tenant remember?", None),
        ("Remember that", None),
    ],
)
def test_what_asks_to_be_remembered(message: str, kept: str | None) -> None:
    assert asked_to_remember(message) == kept


def test_a_memory_holds_in_its_scope_only() -> None:
    store = Store(":memory:")
    memories = Memories(store)
    everywhere = memories.add("a")
    both = memories.add("b", scope="documents", scope_id=documents_scope(["y", "x"]))
    talk = memories.add("c", scope="conversation", scope_id="t")
    memories.add("d", scope="character", scope_id="k", state="proposed")
    assert [memory.id for memory in memories.wanted(["x"])] == [everywhere.id]
    assert [memory.id for memory in memories.wanted(["y", "z", "x"], conversation_id="t", character_id="k")] == [
        everywhere.id,
        both.id,
        talk.id,
    ]
    memories.switch(talk.id, on=False)
    assert talk.id not in [memory.id for memory in memories.wanted([], conversation_id="t")]
    store.close()


@pytest.mark.parametrize("text", ["", " \n ", "x" * (LONGEST + 1)])
def test_a_memory_needs_words_and_not_too_many(text: str) -> None:
    store = Store(":memory:")
    with pytest.raises(UsageError):
        Memories(store).add(text)
    store.close()


@given(st.lists(st.text("ab", min_size=1, max_size=9), max_size=8), st.integers(0, 40))
def test_memories_never_take_more_than_their_room_and_the_newest_go_in_first(texts: list[str], room: int) -> None:
    store = Store(":memory:")
    memories = Memories(store)
    for text in texts:
        memories.add(text)
    kept, left_out = within(FakeEngine(), memories.list(), tokens=room)
    assert sum(len(memory.text) for memory in kept) <= room
    assert sorted([*kept, *left_out], key=lambda memory: memory.created_at) == list(memories.list())
    for memory in left_out:
        newer = sum(len(other.text) for other in kept if other.created_at > memory.created_at)
        assert newer + len(memory.text) > room
    store.close()


@given(st.lists(st.sampled_from("abcd")), st.sets(st.sampled_from("abcd")))
def test_notes_are_told_once_and_go_when_taken_back(keys: list[str], told: set[str]) -> None:
    notes = [Note(key, key) for key in keys]
    assert {note.key for note in untold(notes, told)} == set(keys) - told
    assert len(untold(notes, told)) == len(set(keys) - told)
    assert {note.key for note in still_wanted(notes, told)} == set(keys) - told
