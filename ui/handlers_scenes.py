"""What the chat asks for in a scene: begun, greeted, set up, and played turn by turn. Knows workspace and jobs.

An act is a job of the kind "answer", as a question is, so that the chat shows, stops and finds it again in the same way.
"""

import dataclasses
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from unabridged.characters.cast import Order
from unabridged.characters.directions import speaker_of
from unabridged.characters.playing import Act, play
from unabridged.characters.scene import LoreTold, SceneEvent
from unabridged.characters.scenes import Setup
from unabridged.errors import UsageError
from unabridged.events import Started, TextDelta
from unabridged.notes import Note
from unabridged.ui.events_shown import fold
from unabridged.ui.jobs import Fold, Jobs, News
from unabridged.workspace import Workspace

Data = dict[str, Any]

SETTABLE = ("user", "persona", "author_note", "author_note_depth", "book_ids", "order")


@dataclass(frozen=True, slots=True)
class OwnWords:
    """All that the user might say next."""

    text: str


class SceneHandlers:
    def __init__(self, workspace: Workspace, jobs: Jobs) -> None:
        self._workspace = workspace
        self._jobs = jobs

    def start_scene(self, data: Data) -> Data:
        """A conversation with `characters`. `greeting`: the number of one, or None to speak first."""
        setup = Setup(tuple(str(each) for each in data["characters"]), **_settings(data))
        conversation_id, _ = self._workspace.scenes.start(
            setup, greeting=data.get("greeting", 0), incognito=bool(data.get("incognito"))
        )
        self._jobs.announce()
        return {"conversation": conversation_id, "documents": self._documents(conversation_id)}

    def scene(self, data: Data) -> Data | None:
        """How a conversation is set up as a scene, and who speaks in which turn; None where it is none."""
        conversation_id = str(data["conversation"])
        setup = self._workspace.scenes.setup(conversation_id)
        if setup is None:
            return None
        listed = {one.id: one for one in self._workspace.characters.list()}
        there = [listed[each] for each in setup.character_ids if each in listed]
        whole = len(there) == len(setup.character_ids)
        speakers = {turn.id: speaker_of(turn) for turn in self._workspace.conversations.turns(conversation_id)}
        return {
            "players": [{"id": one.id, "name": one.name, "picture": one.has_picture} for one in there],
            "greetings": list(self._workspace.scenes.cast(conversation_id).greetings()) if whole else [],
            "speakers": {turn_id: player_id for turn_id, player_id in speakers.items() if player_id},
            "setup": {name: getattr(setup, name) for name in SETTABLE} | {"book_ids": list(setup.book_ids)},
            "books": [{"id": kept.id, "name": kept.book.name} for kept in self._workspace.characters.books()],
        }

    def change_scene(self, data: Data) -> Data:
        """Other settings, from the next turn on; what is not given stays."""
        conversation_id = str(data["conversation"])
        setup = self._workspace.scenes.setup(conversation_id)
        if setup is None:
            raise _no_scene()
        self._workspace.scenes.change(conversation_id, dataclasses.replace(setup, **_settings(data)))
        self._jobs.announce()
        return {}

    def greet(self, data: Data) -> Data:
        """Another beginning beside those that are there."""
        turn_id = self._workspace.scenes.greet(str(data["conversation"]), greeting=int(data["greeting"]))
        self._jobs.announce()
        return {"turn": turn_id}

    def say(self, data: Data) -> Data:
        """`message` may be empty: the scene goes on by itself. `players` say who answers; none: as the scene is set up.

        A `summary`, as `summarise` gives it, goes along into a fresh branch.
        """
        message, parent_id = str(data["message"]), data.get("parent")
        players = [str(each) for each in data.get("players", ())]
        summary = Note(str(data["summary"]["key"]), str(data["summary"]["text"])) if data.get("summary") else None
        return self._act(
            data,
            lambda scene: scene.say(message, parent_id=parent_id, player_ids=players, summary=summary),
            question=message,
            parent_id=parent_id,
        )

    def answer_again(self, data: Data) -> Data:
        """Another reply beside the one of `turn`."""
        turn = self._workspace.conversations.turn(str(data["turn"]))
        return self._act(
            data, lambda scene: scene.answer_again(turn.id), question=turn.question, parent_id=turn.parent_id
        )

    def go_on(self, data: Data) -> Data:
        """The reply of `turn` with more words, beside the shorter one."""
        turn = self._workspace.conversations.turn(str(data["turn"]))
        return self._act(
            data, lambda scene: scene.go_on(turn.id), question=turn.question, parent_id=turn.parent_id, begun=turn.answer
        )

    def own_words(self, data: Data) -> Data:
        """What the user might say next; the job's news hold `words`, which are kept nowhere."""
        parent_id = data.get("parent")

        def worded() -> Generator[SceneEvent | OwnWords, None, None]:
            text = yield from play(
                self._workspace, str(data["conversation"]), lambda scene: scene.own_words(parent_id=parent_id)
            )
            yield OwnWords(text)

        news = {"phase": "waiting", "ahead": 0, "for": data["conversation"]}
        return {"job": self._jobs.start("own_words", worded(), fold=_fold_words, news=news).id}

    def _act(self, data: Data, act: Act[str], *, question: str, parent_id: str | None, begun: str = "") -> Data:
        conversation_id = str(data["conversation"])
        if self._workspace.scenes.setup(conversation_id) is None:
            raise _no_scene()
        news = {
            "phase": "waiting",
            "ahead": 0,
            "question": question,
            "conversation": conversation_id,
            "parent": parent_id,
            "follows": True,
            "documents": self._documents(conversation_id),
        }
        events = play(self._workspace, conversation_id, act)
        return {"job": self._jobs.start("answer", events, fold=_fold_from(begun), news=news).id}

    def _documents(self, conversation_id: str) -> list[str]:
        return [document_id for document_id, _ in self._workspace.conversations.get(conversation_id).documents]


def _settings(data: Data) -> Data:
    """Those of SETTABLE that are given, in the types of a Setup."""
    given = {name: data[name] for name in SETTABLE if name in data}
    if "order" in given:
        given["order"] = Order(given["order"])
    if "book_ids" in given:
        given["book_ids"] = tuple(str(each) for each in given["book_ids"])
    if "author_note_depth" in given:
        given["author_note_depth"] = int(given["author_note_depth"] or 0)
    return given


def _fold_from(begun: str) -> Fold:
    """In a group each speaker begins a turn of its own; a reply that goes on begins with what was said."""

    def fold_scene(news: News, event: SceneEvent) -> None:
        match event:
            case LoreTold(_, left_out, problems):
                news |= {"lore_left_out": list(left_out), "lore_problems": list(problems)}
            case Started():
                fold(news, event)
                news |= {"text": begun, "citations": [], "scene": True}
            case _:
                fold(news, event)

    return fold_scene


def _fold_words(news: News, event: SceneEvent | OwnWords) -> None:
    match event:
        case OwnWords(text):
            news |= {"phase": "finished", "words": text}
        case TextDelta():
            news |= {"phase": "answering"}
        case LoreTold():
            pass
        case _:
            fold(news, event)


def _no_scene() -> UsageError:
    return UsageError("This conversation is no scene.", hint="Begin one with a character.")
