"""Scenes over a whole workspace: one act at a time with its engine, its memories and its settings."""

from collections.abc import Callable, Generator
from typing import TypeVar

from unabridged.answers import Answer
from unabridged.characters.cast import Cast, Player
from unabridged.characters.scene import BY_DEFAULT, Scene, SceneEvent, Style
from unabridged.characters.sheet_questions import ask_about
from unabridged.errors import UsageError
from unabridged.events import Event, drained
from unabridged.memories import within
from unabridged.models.engine import Engine
from unabridged.notes import Note
from unabridged.workspace import Workspace

Result = TypeVar("Result")
Act = Callable[[Scene], Generator[SceneEvent, None, Result]]


def play(
    workspace: Workspace, conversation_id: str, act: Act[Result], *, style: Style = BY_DEFAULT
) -> Generator[SceneEvent, None, Result]:
    """`act` is what happens: `lambda scene: scene.say(words, parent_id=…)`, `.answer_again(…)`, `.go_on(…)`, `.own_words(…)`.

    Memories that hold for the scene or one of its characters come along, as far as the settings have room for them.
    """
    setup = workspace.scenes.setup(conversation_id)
    if setup is None:
        raise UsageError("This conversation is no scene.", hint="Begin one with a character.")
    document_ids = [document_id for document_id, _ in workspace.conversations.get(conversation_id).documents]
    wanted = {
        memory.id: memory
        for character_id in setup.character_ids
        for memory in workspace.memories.wanted(document_ids, conversation_id=conversation_id, character_id=character_id)
    }

    def acting(engine: Engine) -> Generator[SceneEvent, None, Result]:
        recalled, _ = within(
            engine, sorted(wanted.values(), key=lambda memory: memory.created_at), tokens=workspace.settings.memory_tokens
        )
        notes: list[Note] = [memory.note for memory in recalled]
        return (yield from act(workspace.scenes.scene(engine, conversation_id, notes=notes, style=style)))

    return (yield from workspace.with_engine(acting))


def sum_up_scene(workspace: Workspace, turn_id: str) -> Note:
    """A scene down to this turn, to be shown, edited and taken into a fresh branch: see Scene.sum_up()."""
    conversation_id = workspace.conversations.turn(turn_id).conversation_id
    return drained(play(workspace, conversation_id, lambda scene: scene.sum_up(turn_id)))


def ask_about_character(workspace: Workspace, character_id: str, question: str) -> Generator[Event, None, Answer]:
    """A cited answer from its sheet; the words of the citations stand in `sheet_document(cast, player).text`."""
    cast = cast_of_one(workspace, character_id)
    return (
        yield from workspace.with_engine(
            lambda engine: ask_about(engine, cast, cast.players[0], question, answer_tokens=workspace.settings.answer_tokens)
        )
    )


def cast_of_one(workspace: Workspace, character_id: str) -> Cast:
    """A character by itself, outside of every scene."""
    return Cast((Player(character_id, workspace.characters.get(character_id).card),))
