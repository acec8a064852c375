"""From a file to a cited answer over real readers and a real database, with a scripted engine."""

import dataclasses
import threading
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import pytest
from unabridged.answers import Answer
from unabridged.conversations import Conversations
from unabridged.errors import DoesNotFit, EngineFailed, UsageError
from unabridged.events import Event, Finished, Loading, Reading, SourceCited, Started, TextDelta, Unsaved, Waiting
from unabridged.home import Home
from unabridged.workspace import Workspace

from tests.conftest import CONTRACT
from tests.fakes import FINDER, FakeEngines, common, text_of


def test_a_question_is_answered_with_a_citation_that_is_in_the_source(
    workspace: Workspace, engines: FakeEngines, contract: Path
) -> None:
    document = drained(workspace.add(contract))
    number = passage_with(workspace, document.id, "governed")
    engines.script.replies = [f"The laws of Norway govern it [{number}]."]
    engines.script.quote_words = "governed by the laws"
    events = list(workspace.ask([document.id], "Which law governs?"))
    answer = finished(events)
    assert answer.text == "The laws of Norway govern it [1]."
    (citation,) = answer.citations
    assert document.text[citation.start : citation.end] == citation.quote
    assert citation.quote == "This agreement is governed by the laws of Norway."
    assert [type(event) for event in events][:2] == [Loading, Started]
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == answer.text
    assert [event.citation for event in events if isinstance(event, SourceCited)] == [citation]


def test_the_whole_document_is_in_the_prompt_byte_for_byte(workspace: Workspace, engines: FakeEngines, contract: Path) -> None:
    document = drained(workspace.add(contract))
    answer = finished(list(workspace.ask([document.id], "What is the term?")))
    prompt = engines.started[0].prompts[0]
    passages = workspace.library.passages(document.id)
    texts = [document.text[passage.start : passage.end] for passage in passages]
    assert "".join(texts) == document.text
    position = 0
    for text in texts:
        tokens = list(text.encode())
        position = find_tokens(prompt, tokens, position) + len(tokens)
    (receipt,) = answer.receipt.documents
    assert receipt.characters_read == receipt.characters == len(document.text)


def test_the_engine_is_told_which_tokens_are_of_which_document(
    workspace: Workspace, engines: FakeEngines, contract: Path
) -> None:
    other = contract.with_name("other.txt")
    other.write_text("Another lease.\n\nIt is governed by the laws of Iceland.\n", "utf-8")
    documents = [drained(workspace.add(contract)), drained(workspace.add(other))]
    drained(workspace.read([document.id for document in documents]))
    labels = engines.started[0].labels
    assert list(labels) == [document.id for document in documents]
    for document in documents:
        first, last = (workspace.library.passages(document.id)[at] for at in (0, -1))
        assert labels[document.id].startswith(document.text[first.start : first.end].encode())
        assert labels[document.id].endswith(document.text[last.start : last.end].encode())


def test_one_token_too_long_is_refused_and_nothing_is_sent(workspace: Workspace, engines: FakeEngines, contract: Path) -> None:
    document = drained(workspace.add(contract))
    meter = workspace.meter([document.id])
    engines.started[0].script.window = meter.tokens + meter.reserve
    drained(workspace.read([document.id]))
    engines.started[0].script.window -= 1
    engines.started[0].readings.clear()
    with pytest.raises(DoesNotFit) as refused:
        drained(workspace.ask([document.id], "?"))
    assert refused.value.needed_tokens == refused.value.window_tokens + 1
    assert refused.value.choices
    assert engines.started[0].readings == []
    assert workspace.conversations.list() == []


def test_a_refusal_names_the_document_whose_absence_is_enough(
    workspace: Workspace, engines: FakeEngines, contract: Path, law: Path
) -> None:
    both = [drained(workspace.add(contract)).id, drained(workspace.add(law)).id]
    meter = workspace.meter(both)
    smaller = min(meter.shares, key=lambda share: share.tokens)
    engines.started[0].script.window = meter.tokens + meter.reserve - 1
    with pytest.raises(DoesNotFit) as refused:
        drained(workspace.read(both))
    assert refused.value.choices[0] == f"leave out {smaller.document.name}, which saves {smaller.tokens:,} tokens"


def test_the_second_question_evaluates_the_question_and_not_the_document(
    workspace: Workspace, engines: FakeEngines, contract: Path
) -> None:
    document = drained(workspace.add(contract))
    engines.script.replies = ["First.", "Second."]
    first = finished(list(workspace.ask([document.id], "What is the term?"))).receipt
    second = finished(list(workspace.ask([document.id], "Who pays?"))).receipt
    assert first.evaluated_tokens > len(CONTRACT)
    assert second.evaluated_tokens < 100
    assert second.reused_tokens + second.evaluated_tokens == second.prompt_tokens


def test_independent_questions_do_not_pile_up_and_follow_ups_extend_the_very_prompt(
    workspace: Workspace, engines: FakeEngines, contract: Path
) -> None:
    document = drained(workspace.add(contract))
    engines.script.replies = ["Five years.", "Norway.", "From the signature."]
    ids = [document.id]
    first = started(list(workspace.ask(ids, "What is the term?")))
    alone = workspace.ask(ids, "Which law?", conversation_id=first.conversation_id, parent_id=first.turn_id)
    drained(alone)
    after = workspace.ask(ids, "Since when?", conversation_id=first.conversation_id, parent_id=first.turn_id, follows=True)
    drained(after)
    asked_first, asked_alone, asked_after = engines.started[0].prompts
    assert "Five years." not in text_of(asked_alone)
    assert text_of(asked_after).endswith("Question: What is the term?Five years.\n\nQuestion: Since when?")
    assert common(asked_first, asked_after) == len(asked_first)


def test_an_edited_question_is_a_branch_and_nothing_is_overwritten(
    workspace: Workspace, engines: FakeEngines, contract: Path
) -> None:
    document = drained(workspace.add(contract))
    engines.script.replies = ["One.", "Two."]
    first = started(list(workspace.ask([document.id], "What?")))
    again = started(list(workspace.ask([document.id], "What, then?", conversation_id=first.conversation_id)))
    turns = workspace.conversations.turns(first.conversation_id)
    assert [(turn.id, turn.parent_id, turn.answer) for turn in turns] == [
        (first.turn_id, None, "One."),
        (again.turn_id, None, "Two."),
    ]


def test_a_stopped_answer_is_kept_as_far_as_it_was_shown(workspace: Workspace, engines: FakeEngines, contract: Path) -> None:
    document = drained(workspace.add(contract))
    engines.script.replies = ["A long answer that nobody waits for."]
    work = workspace.ask([document.id], "What?")
    shown = ""
    for event in work:
        if isinstance(event, TextDelta):
            shown += event.text
            if len(shown) > 6:
                break
    work.close()
    (turn,) = workspace.conversations.turns(workspace.conversations.list()[0].id)
    assert (turn.state, turn.answer) == ("stopped", shown)


def test_what_was_said_before_a_crash_is_there_after_it(
    workspace: Workspace, engines: FakeEngines, contract: Path, home: Home
) -> None:
    document = drained(workspace.add(contract))
    turn = started(list(workspace.ask([document.id], "What?")))
    for owner in (workspace.conversations._owner, "an instance that died"):
        kept = Conversations(workspace._store, owner=owner)
        kept.extend(kept.begin(turn.conversation_id, owner, parent_id=None, follows=False, model="", fingerprint=""), "Half")
    with Workspace(home, start_engine=engines.start) as other:
        states = {turn.question: (turn.state, turn.answer) for turn in other.conversations.turns(turn.conversation_id)}
    assert states[workspace.conversations._owner] == ("answering", "Half")
    assert states["an instance that died"] == ("stopped", "Half")


def test_an_engine_that_fails_leaves_a_turn_that_says_so_and_the_next_is_answered(
    workspace: Workspace, engines: FakeEngines, contract: Path
) -> None:
    document = drained(workspace.add(contract))
    engines.script.read_fails = EngineFailed("The engine crashed.", hint="Ask again.")
    with pytest.raises(EngineFailed):
        drained(workspace.ask([document.id], "What?"))
    engines.script.read_fails = None
    drained(workspace.ask([document.id], "What?"))
    kept = workspace.conversations
    states = {turn.state for conversation in kept.list() for turn in kept.turns(conversation.id)}
    assert states == {"failed", "finished"}


def test_a_question_that_is_dropped_at_once_is_a_stopped_turn(workspace: Workspace, contract: Path) -> None:
    document = drained(workspace.add(contract))
    work = workspace.ask([document.id], "What?")
    turn = next(event for event in work if isinstance(event, Started))
    work.close()
    assert workspace.conversations.turn(turn.turn_id).state == "stopped"


def test_a_reading_that_cannot_be_kept_says_so_and_goes_on(workspace: Workspace, engines: FakeEngines, contract: Path) -> None:
    document = drained(workspace.add(contract))
    engines.script.unsaved = "no space left"
    events = list(workspace.ask([document.id], "What?"))
    assert Unsaved("no space left") in events
    assert finished(events).text


def test_changed_settings_start_another_engine_at_the_next_use(
    workspace: Workspace, engines: FakeEngines, contract: Path
) -> None:
    document = drained(workspace.add(contract))
    workspace.meter([document.id])
    workspace.change_settings(kv_type="f16")
    workspace.meter([document.id])
    assert [options.kv_type for options in engines.options] == ["auto", "f16"]
    assert [engine.closed for engine in engines.started] == [True, False]


def test_a_stretched_window_is_asked_of_the_engine(workspace: Workspace, engines: FakeEngines, contract: Path) -> None:
    document = drained(workspace.add(contract))
    for factor in (1.0, 2.5):
        workspace.change_settings(window_factor=factor)
        workspace.meter([document.id])
    assert [(options.rope_scaling, options.rope_factor) for options in engines.options] == [("", 0.0), ("yarn", 2.5)]
    with pytest.raises(UsageError, match="window_factor"):
        workspace.change_settings(window_factor=9.0)


def test_who_asks_while_another_is_answered_waits_its_turn(workspace: Workspace, engines: FakeEngines, contract: Path) -> None:
    document = drained(workspace.add(contract))
    engines.script.replies = ["One.", "Two."]
    first = workspace.ask([document.id], "What?")
    for event in first:
        if isinstance(event, Reading):
            break
    second: list[Event] = []
    waiting = threading.Event()

    def ask() -> None:
        for event in workspace.ask([document.id], "And what?"):
            second.append(event)
            if isinstance(event, Waiting):
                waiting.set()

    thread = threading.Thread(target=ask)
    thread.start()
    assert waiting.wait(10)
    rest = list(first)
    thread.join(10)
    assert finished(rest).text == "One."
    assert finished(second).text == "Two."


def test_a_question_without_text_is_a_usage_error(workspace: Workspace, contract: Path) -> None:
    document = drained(workspace.add(contract))
    with pytest.raises(UsageError):
        drained(workspace.ask([document.id], " \n"))


def test_the_finder_quotes_a_sentence_and_says_that_it_does_not_reason(
    workspace: Workspace, engines: FakeEngines, contract: Path
) -> None:
    document = drained(workspace.add(contract))
    engines.script.finder = FINDER
    answer = finished(list(workspace.ask([document.id], "Which courts settle disputes?")))
    (citation,) = answer.citations
    assert citation.quote == "Disputes go to the courts of Oslo."
    assert answer.text.startswith("“Disputes go to the courts of Oslo.” [1]")
    assert "does not reason" in answer.text
    assert "does not reason" in answer.model
    assert answer.receipt.generated_tokens == 0


def test_the_finder_says_when_nothing_seems_to_fit(workspace: Workspace, engines: FakeEngines, contract: Path) -> None:
    document = drained(workspace.add(contract))
    engines.script.finder = FINDER
    answer = finished(list(workspace.ask([document.id], "Xylophone?")))
    assert answer.citations == ()
    assert "no passage" in answer.text


def test_an_unsure_finder_shows_what_is_nearest_and_says_so(workspace: Workspace, engines: FakeEngines, contract: Path) -> None:
    document = drained(workspace.add(contract))
    engines.script.finder = dataclasses.replace(FINDER, threshold=1.1)
    answer = finished(list(workspace.ask([document.id], "Which courts settle disputes?")))
    assert answer.text.startswith("No passage clearly answers this.")
    assert answer.citations[0].quote == "Disputes go to the courts of Oslo."


def test_a_finder_answers_in_the_language_of_the_question(workspace: Workspace, engines: FakeEngines, law: Path) -> None:
    document = drained(workspace.add(law))
    engines.script.finder = FINDER
    answer = finished(list(workspace.ask([document.id], "上诉的期限是多少?")))
    assert "上诉的期限为十日" in answer.citations[0].quote
    assert answer.text.startswith("「")


def drained(work: Generator[Any, None, Any]) -> Any:  # noqa: ANN401
    """Run it to its end; its result."""
    while True:
        try:
            next(work)
        except StopIteration as stop:
            return stop.value


def finished(events: Sequence[Event]) -> Answer:
    assert isinstance(events[-1], Finished)
    return events[-1].answer


def started(events: Sequence[Event]) -> Started:
    return next(event for event in events if isinstance(event, Started))


def passage_with(workspace: Workspace, document_id: str, words: str) -> int:
    text = workspace.library.document(document_id).text
    return next(p.number for p in workspace.library.passages(document_id) if words in text[p.start : p.end])


def find_tokens(prompt: Sequence[int], tokens: Sequence[int], start: int) -> int:
    """Where the tokens stand in the prompt, from `start` on."""
    for position in range(start, len(prompt) - len(tokens) + 1):
        if list(prompt[position : position + len(tokens)]) == list(tokens):
            return position
    raise AssertionError("not in the prompt")
