"""What was said is found again: by words, by Chinese of any length, in titles; and what was deleted is nowhere."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unabridged.answers import Answer, Seconds
from unabridged.conversation_search import query, spaced, surroundings
from unabridged.conversations import Conversations
from unabridged.memories import Memories
from unabridged.receipts import Receipt
from unabridged.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "library.db")
    yield store
    store.close()


@pytest.fixture
def conversations(store: Store) -> Iterator[Conversations]:
    conversations = Conversations(store)
    yield conversations
    conversations.close()


def said(conversations: Conversations, question: str, answer: str, *, title: str = "Talk", incognito: bool = False) -> str:
    """The id of a turn that has this answer."""
    conversation = conversations.start([], title=title, incognito=incognito)
    turn_id = conversations.begin(conversation.id, question, parent_id=None, follows=False, model="m", fingerprint="")
    conversations.finish(turn_id, Answer(answer, (), Receipt((), 0, 0, 0, 0, 0), Seconds(0, 0, 0, 0), "m"))
    return turn_id


@pytest.mark.parametrize(
    "words", ["上诉", "诉", "期限是", "判决的上诉", "Appeal", "appe", "deadline appeal", "APPEAL", "café", "cafe", "3.2"]
)
def test_a_turn_is_found_by_words_of_its_question_and_its_answer(conversations: Conversations, words: str) -> None:
    turn_id = said(conversations, "不服判决的上诉期限是多久？", "The deadline of the appeal: see 3.2, café.")
    said(conversations, "Something else", "没有")
    assert [hit.turn_id for hit in conversations.search(words)] == [turn_id]


@pytest.mark.parametrize("words", ["诉上", "上 诉讼", "deadlines appeal", "", "  ", '"', "*", "a AND b", "NEAR(", "-", "词"])
def test_what_was_not_said_is_not_found_and_no_words_are_an_error(conversations: Conversations, words: str) -> None:
    said(conversations, "不服判决的上诉期限是多久？", "The deadline of the appeal.")
    assert conversations.search(words) == []


def test_a_hit_shows_its_surroundings_and_titles_are_found(conversations: Conversations) -> None:
    said(conversations, "Who signed?", "It was signed by Mrs Løvland in Bergen.", title="码头租约")
    (hit,) = conversations.search("løvland")
    assert (hit.before[-4:], hit.words, hit.after[:10]) == ("Mrs ", "Løvland", " in Bergen")
    (titled,) = conversations.search("租约")
    assert (titled.turn_id, titled.title) == (None, "码头租约")


def test_a_renamed_title_and_an_archived_conversation_are_found(conversations: Conversations) -> None:
    turn = conversations.turn(said(conversations, "q", "a", title="before"))
    conversations.rename(turn.conversation_id, "afterwards")
    conversations.archive(turn.conversation_id)
    assert conversations.search("before") == []
    assert [hit.title for hit in conversations.search("afterwards")] == ["afterwards"]
    assert conversations.list() == []
    assert [item.id for item in conversations.list(archived=True)] == [turn.conversation_id]


@pytest.mark.parametrize("what", ["conversation", "turn", "memory"])
def test_what_was_deleted_is_in_no_byte_of_the_database(conversations: Conversations, store: Store, what: str) -> None:
    secret = "Zanzibarquestion"
    kept = said(conversations, "kept", "kept")
    if what == "memory":
        memories = Memories(store)
        memory = memories.add(f"{secret} " * 50)
        conversation = conversations.start([], title="x").id
        conversations.begin(conversation, "q", parent_id=None, follows=False, model="m", fingerprint="", notes=[memory.note])
        assert secret.lower().encode() in bytes_of(store)
        memories.remove(memory.id)
    else:
        title = secret if what == "conversation" else "x"
        turn = conversations.turn(said(conversations, secret, f"{secret} " * 2000, title=title))
        assert secret.lower().encode() in bytes_of(store)
        conversations.delete(turn.conversation_id) if what == "conversation" else conversations.delete_turn(turn.id)
    assert b"kept" in bytes_of(store)
    assert secret.lower().encode() not in bytes_of(store)
    assert [hit.turn_id for hit in conversations.search("kept")] == [kept]


def test_an_incognito_conversation_is_found_but_never_on_disk(conversations: Conversations, store: Store) -> None:
    turn_id = said(conversations, "whisperedword", "psst", incognito=True)
    (hit,) = conversations.search("whisperedword")
    assert hit.turn_id == turn_id
    assert conversations.get(hit.conversation_id).incognito
    assert store.rows("SELECT * FROM turns") == []
    assert b"whisperedword" not in bytes_of(store)


@given(st.text(alphabet="上诉期限 ab-9\"'*", max_size=30), st.text(alphabet="上诉期限ab", min_size=1, max_size=4))
def test_any_run_of_chinese_in_a_text_is_found_in_it(around: str, words: str) -> None:
    store = Store(":memory:")
    try:
        conversations = Conversations(store)
        turn_id = said(conversations, f"{around} {words} {around}", "", title="x")
        assert turn_id in [hit.turn_id for hit in conversations.search(words)]
        conversations.close()
    finally:
        store.close()


def test_a_query_cannot_speak_the_language_of_the_index() -> None:
    assert query('a" OR "b') == '"a" AND "OR" AND "b"*'
    assert spaced("第1条ab") == " 第 1 条 ab"
    assert surroundings("nothing here", "else") == ("", "", "nothing here")


def bytes_of(store: Store) -> bytes:
    """The database and its log, in lower case."""
    return b"".join(path.read_bytes() for path in Path(store.path).parent.glob("library.db*")).lower()
