"""When a conversation no longer fits the window nothing is dropped: the user is told, and chooses what the model reads."""

from pathlib import Path

import pytest
from unabridged.afterthoughts import give_title, propose_memory, summarise
from unabridged.errors import DoesNotFit, UsageError
from unabridged.workspace import Workspace

from tests.fakes import FINDER, FakeEngines, text_of
from tests.unit.app.test_workspace import drained, finished


@pytest.fixture
def full(workspace: Workspace, engines: FakeEngines, contract: Path) -> tuple[Workspace, str, str]:
    """A conversation of two turns in a window that has no room for a third; the document's id and the last turn's."""
    document = drained(workspace.add(contract))
    workspace.change_settings(answer_tokens=16)
    engines.script.replies = ["word " * 300, "word " * 300, "Third.", "Fourth."]
    finished(list(workspace.ask([document.id], "First?")))
    conversation = workspace.conversations.list()[0].id
    first = workspace.conversations.turns(conversation)[-1].id
    finished(list(workspace.ask([document.id], "Second?", conversation_id=conversation, parent_id=first, follows=True)))
    last = workspace.conversations.turns(conversation)[-1].id
    engines.started[-1].script.window = len(engines.started[-1].prompts[-1]) + 200
    return workspace, document.id, last


def third(full: tuple[Workspace, str, str], parent: str | None = None, **more: object) -> None:
    workspace, document_id, last = full
    conversation = workspace.conversations.turn(last).conversation_id
    ask = workspace.ask(
        [document_id],
        "Third?",
        conversation_id=conversation,
        parent_id=parent or last,
        follows=True,
        **more,  # type: ignore[arg-type]
    )
    finished(list(ask))


def test_a_follow_up_that_does_not_fit_is_refused_with_the_ways_out_and_nothing_is_dropped(
    full: tuple[Workspace, str, str], engines: FakeEngines
) -> None:
    sent = len(engines.started[-1].prompts)
    with pytest.raises(DoesNotFit) as refused:
        third(full)
    assert "be forgotten, or carry a summary" in refused.value.hint
    assert len(engines.started[-1].prompts) == sent
    assert len(full[0].conversations.turns(full[0].conversations.turn(full[2]).conversation_id)) == 2


def test_the_meter_counts_the_turns_that_a_follow_up_reads_and_tells_the_ways_out_before_it_is_sent(
    full: tuple[Workspace, str, str], engines: FakeEngines
) -> None:
    workspace, document_id, last = full
    alone, after = workspace.meter([document_id]), workspace.meter([document_id], follows=last)
    assert (alone.history, alone.fits) == (0, True)
    assert after.history > 2 * len("word " * 300)
    assert not after.fits
    assert "be forgotten" in after.choices[0]
    with pytest.raises(DoesNotFit) as refused:
        third(full)
    assert abs(refused.value.needed_tokens - after.needed) <= 1024  # the reserve grows in steps
    for turn in workspace.read_by_model(last):
        workspace.conversations.forget_turn(turn)
    assert workspace.meter([document_id], follows=last).history == 0


def test_a_summary_is_made_where_an_answer_has_no_room_any_more(full: tuple[Workspace, str, str], engines: FakeEngines) -> None:
    workspace, document_id, last = full
    engines.started[-1].script.window = workspace.meter([document_id], follows=last).needed - 1
    with pytest.raises(DoesNotFit):
        third(full)
    engines.script.replies = ["They asked twice."]
    assert summarise(workspace, last).text == "They asked twice."


def test_forgotten_turns_make_room_and_stay_in_the_conversation(full: tuple[Workspace, str, str], engines: FakeEngines) -> None:
    workspace, _, last = full
    turns = workspace.conversations.turns(workspace.conversations.turn(last).conversation_id)
    assert workspace.read_by_model(last) == [turn.id for turn in turns]
    for turn in turns:
        workspace.conversations.forget_turn(turn.id)
    assert workspace.read_by_model(last) == []
    third(full)
    prompt = text_of(engines.started[-1].prompts[-1])
    assert "Third?" in prompt
    assert "First?" not in prompt
    kept = workspace.conversations.turns(turns[0].conversation_id)
    assert [turn.answer for turn in kept][:2] == [turn.answer for turn in turns]


def test_a_summary_is_shown_and_carried_into_a_fresh_branch(full: tuple[Workspace, str, str], engines: FakeEngines) -> None:
    workspace, document_id, last = full
    engines.started[-1].script.window = 100_000
    engines.script.replies = ["<think>hm</think>They asked twice.", "Third."]
    summary = summarise(workspace, last)
    assert (summary.key, summary.text) == (f"summary:{last}", "They asked twice.")
    conversation = workspace.conversations.turn(last).conversation_id
    finished(list(workspace.ask([document_id], "Third?", conversation_id=conversation, summary=summary)))
    prompt = text_of(engines.started[-1].prompts[-1])
    assert prompt.index("They asked twice.") < prompt.index("Third?")
    assert "First?" not in prompt
    carried = workspace.conversations.turns(conversation)[-1]
    assert (carried.parent_id, carried.notes) == (None, (summary,))


def test_a_title_and_a_memory_are_the_models_words_and_the_user_decides(
    workspace: Workspace, engines: FakeEngines, contract: Path
) -> None:
    document = drained(workspace.add(contract))
    engines.script.replies = ["Norway.", '"Law of the lease"', "none", "The user acts for the tenant.\nMore"]
    finished(list(workspace.ask([document.id], "Which law governs?")))
    (turn,) = workspace.conversations.turns(workspace.conversations.list()[0].id)
    assert give_title(workspace, turn.id) == workspace.conversations.list()[0].title == "Law of the lease"
    assert propose_memory(workspace, turn.id) is None
    proposed = propose_memory(workspace, turn.id)
    assert proposed is not None
    assert (proposed.text, proposed.state) == ("The user acts for the tenant.", "proposed")
    assert workspace.memories.wanted([document.id]) == []
    workspace.memories.switch(proposed.id, on=True)
    assert [memory.id for memory in workspace.memories.wanted([document.id])] == [proposed.id]


def test_the_starter_says_that_it_writes_no_titles(workspace: Workspace, engines: FakeEngines, contract: Path) -> None:
    engines.script.finder = FINDER
    document = drained(workspace.add(contract))
    finished(list(workspace.ask([document.id], "Which law governs?")))
    (turn,) = workspace.conversations.turns(workspace.conversations.list()[0].id)
    with pytest.raises(UsageError, match="cannot write titles"):
        give_title(workspace, turn.id)
