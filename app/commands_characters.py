"""The commands about characters: character import, new, learn, list, show, export, remove; and chat."""

import argparse
import sys
from collections.abc import Generator
from dataclasses import asdict

from unabridged.characters.card import new_card
from unabridged.characters.card_files import FORMATS, CardFile, load_bytes, load_card
from unabridged.characters.character_store import Character
from unabridged.characters.hostile_json import read_object
from unabridged.characters.playing import ask_about_character, cast_of_one, play
from unabridged.characters.scene import LoreTold, Scene, SceneEvent
from unabridged.characters.scenes import Setup
from unabridged.characters.sheet import sheet_document
from unabridged.console import Progress, print_json
from unabridged.errors import UsageError
from unabridged.events import Event, TextDelta, translate
from unabridged.home import open_home, write_whole
from unabridged.workspace import Workspace


def import_characters(options: argparse.Namespace) -> int:
    """`character import FILE... [--lives-in DOCUMENT]`"""
    with Workspace(open_home()) as workspace:
        document_ids = [workspace.library.resolve(words).id for words in options.lives_in]
        for path in options.files:
            character = workspace.characters.add(load_card(path), document_ids=document_ids)
            sys.stdout.write(f"{character.id[:12]}  {character.card.name}\n")
    return 0


def new(options: argparse.Namespace) -> int:
    """`character new NAME`: a character without a card, from the documents that it lives in and a description."""
    with Workspace(open_home()) as workspace:
        document_ids = [workspace.library.resolve(words).id for words in options.lives_in]
        card = new_card(options.name, description=options.description)
        character = workspace.characters.add(CardFile(card), document_ids=document_ids)
        sys.stdout.write(f"{character.id[:12]}  {character.card.name}\n")
    return 0


def learn(options: argparse.Namespace) -> int:
    """`character learn CHARACTER FILE`: entries of a lorebook or a world-info file become the character's own."""
    with Workspace(open_home()) as workspace:
        character = workspace.characters.resolve(options.character)
        count = workspace.characters.learn(character.id, read_object(load_bytes(options.file), options.file.name))
        sys.stdout.write(f"{character.card.name} has learnt {count:,} {'entry' if count == 1 else 'entries'}.\n")
    return 0


def list_characters(options: argparse.Namespace) -> int:
    with Workspace(open_home()) as workspace:
        listed = workspace.characters.list()
    if options.json:
        print_json({"characters": [asdict(one) for one in listed]})
        return 0
    for one in listed:
        lore = f", {one.lore:,} entries of lore" if one.lore else ""
        sys.stdout.write(f"{one.id[:12]}  {one.name}  {one.greetings} greetings{lore}\n")
    if not listed:
        sys.stderr.write("There are no characters yet. Import a card: unabridged character import FILE\n")
    return 0


def show(options: argparse.Namespace) -> int:
    """`character show CHARACTER ["QUESTION"]`: the sheet, or a cited answer from it."""
    with Workspace(open_home(), model=options.model) as workspace:
        character = workspace.characters.resolve(options.character)
        if options.question:
            return _answered(workspace, character, options)
        cast = cast_of_one(workspace, character.id)
        text = sheet_document(cast, cast.players[0]).text
    if options.json:
        print_json({"id": character.id, "card": character.card.raw, "sheet": text})
    else:
        sys.stdout.write(text.rstrip() + "\n")
    return 0


def _answered(workspace: Workspace, character: Character, options: argparse.Namespace) -> int:
    answer = Progress(sys.stderr).follow(ask_about_character(workspace, character.id, options.question))
    if options.json:
        print_json(answer.to_json())
        return 0
    sys.stdout.write(f"{answer.text}\n\n")
    for citation in answer.citations:
        sys.stdout.write(f"[{citation.n}] {citation.path}\n    {' '.join(citation.quote.split())}\n")
    return 0


def export(options: argparse.Namespace) -> int:
    """`character export CHARACTER FILE`: the format is that of the file's name."""
    form = options.file.suffix.lower().removeprefix(".")
    if form not in FORMATS:
        raise UsageError(f"{options.file.name} names no format for a card.", hint="End the name with .png, .json or .charx.")
    with Workspace(open_home()) as workspace:
        write_whole(options.file, workspace.characters.export(workspace.characters.resolve(options.character).id, form))
    return 0


def remove(options: argparse.Namespace) -> int:
    with Workspace(open_home()) as workspace:
        for character in [workspace.characters.resolve(words) for words in options.characters]:
            workspace.characters.remove(character.id)
            sys.stdout.write(f"Removed {character.card.name}.\n")
    return 0


def chat(options: argparse.Namespace) -> int:
    """`chat CHARACTER MESSAGE`: goes on with the last scene of this character alone, or begins one."""
    with Workspace(open_home(), model=options.model) as workspace:
        character = workspace.characters.resolve(options.character)
        conversation_id, parent_id = _scene(workspace, character, fresh=options.new, user=options.user)
        if not options.json:
            sys.stdout.writelines(_greeting(workspace, conversation_id, parent_id))

        def said(scene: Scene) -> Generator[SceneEvent, None, str]:
            return scene.say(options.message, parent_id=parent_id)

        def shown(event: SceneEvent) -> list[Event]:
            if not isinstance(event, LoreTold):
                return [event]
            sys.stderr.writelines(f"Left out for want of room: {title}\n" for title in event.left_out)
            sys.stderr.writelines(f"{problem}\n" for problem in event.problems)
            return []

        def write(event: Event) -> None:
            if isinstance(event, TextDelta) and not options.json:
                sys.stdout.write(event.text)
                sys.stdout.flush()

        turn_id = Progress(sys.stderr).follow(translate(play(workspace, conversation_id, said), shown), also=write)
        turn = workspace.conversations.turn(turn_id)
    if options.json:
        receipt = turn.receipt.to_json() if turn.receipt else None
        print_json({"conversation": conversation_id, "turn": turn.id, "reply": turn.answer, "receipt": receipt})
    else:
        sys.stdout.write("\n")
    return 0


def _scene(workspace: Workspace, character: Character, *, fresh: bool, user: str) -> tuple[str, str | None]:
    """The conversation, and its last turn."""
    for conversation in () if fresh else workspace.conversations.list():
        setup = workspace.scenes.setup(conversation.id)
        if setup and setup.character_ids == (character.id,) and setup.user == user:
            turns = workspace.conversations.turns(conversation.id)
            return conversation.id, turns[-1].id if turns else None
    return workspace.scenes.start(Setup((character.id,), user=user))


def _greeting(workspace: Workspace, conversation_id: str, turn_id: str | None) -> list[str]:
    """The words with which a new scene opens."""
    turns = workspace.conversations.turns(conversation_id)
    return [f"{turns[0].answer}\n\n"] if len(turns) == 1 and turns[0].id == turn_id and not turns[0].question else []
