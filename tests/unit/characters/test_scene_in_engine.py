"""Scenes in the real engine with a tiny random chat model: what is evaluated is what is new."""

from collections.abc import Generator, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from unabridged.characters.card import Card, new_card
from unabridged.characters.cast import Cast, Player
from unabridged.characters.opening import begin_scene
from unabridged.characters.scene import Scene, Style
from unabridged.conversations import Conversations
from unabridged.models.engine import EngineOptions
from unabridged.models.engine_process import EngineProcess
from unabridged.store import Store
from unabridged.turns import Turn

from tests.unit.characters.cards import V2
from tests.unit.models.tiny_models import write_tiny_model

LORE = {
    "entries": [{"keys": [f"word{number}"], "content": f"Lore {number}.", "insertion_order": 1} for number in range(5)],
    "extensions": {},
}
ADA = Player("ada", Card(V2).edited(character_book=LORE, description="A long sheet. " * 100))
CLEO = Player("cleo", new_card("Cleo", description="A sailor. " * 100))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    folder: Path = tmp_path_factory.mktemp("scene")
    model = write_tiny_model(folder / "tiny.gguf", window=16384)
    with EngineProcess(model, EngineOptions(folder / "segments", window=16384, threads=1)) as engine:
        yield engine


@pytest.fixture
def conversations() -> Iterator[Conversations]:
    kept = Conversations(Store(":memory:"))
    yield kept
    kept.close()


def drained(work: Generator[Any, None, str]) -> str:
    while True:
        try:
            next(work)
        except StopIteration as stop:
            return str(stop.value)


def played(engine: EngineProcess, conversations: Conversations, cast: Cast, messages: Sequence[str]) -> list[Turn]:
    conversation_id = conversations.start([], title="scene").id
    parent = begin_scene(conversations, cast, conversation_id=conversation_id)
    for message in messages:
        scene = Scene(engine, conversations, cast, conversation_id=conversation_id, style=Style(answer_tokens=12))
        parent = drained(scene.say(message, parent_id=parent))
    return [turn for turn in conversations.turns(conversation_id) if turn.model]


@pytest.mark.parametrize("players", [(ADA,), (ADA, CLEO)], ids=["one", "group"])
def test_every_turn_evaluates_what_is_new_although_lore_and_notes_come_and_go(
    engine: EngineProcess, conversations: Conversations, players: tuple[Player, ...]
) -> None:
    cast = Cast(players, user="Ben", author_note="Whisper.", author_note_depth=2, seed="s")
    turns = played(engine, conversations, cast, [f"Is word{number % 5} known to Ada and Cleo?" for number in range(7)])
    receipts = [turn.receipt for turn in turns if turn.receipt]
    assert len(receipts) == len(turns) == 7 * len(players)
    assert receipts[0].evaluated_tokens > 800  # the sheet
    for before, after in pairwise(receipts):
        new = after.prompt_tokens - before.prompt_tokens
        said = before.generated_tokens
        assert after.evaluated_tokens <= new + 1, "nothing that stood is read again, but the last token said"
        assert after.evaluated_tokens >= new - said


def test_a_swipe_and_a_continuation_evaluate_next_to_nothing(engine: EngineProcess, conversations: Conversations) -> None:
    cast = Cast((ADA,), user="Ben", seed="s")
    *_, turn = played(engine, conversations, cast, ["Hello.", "Is word1 known?"])
    scene = Scene(engine, conversations, cast, conversation_id=turn.conversation_id, style=Style(answer_tokens=12))
    for work in (scene.answer_again(turn.id), scene.go_on(turn.id)):
        again = conversations.turn(drained(work))
        assert again.receipt is not None
        assert again.receipt.evaluated_tokens <= 2
        assert again.answer
    assert again.answer.startswith(turn.answer)
    assert len(again.reply_tokens) > len(turn.reply_tokens)
    assert drained(scene.own_words(parent_id=turn.id)) != ""
