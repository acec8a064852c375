"""The sheet: everything about the characters that does not change from turn to turn, as the system text of the reading.

What a card wants near the end of what was said (depth prompts, post-history instructions) is not here: see directions.py.
"""

import hashlib
import re

from unabridged.characters.card import clean
from unabridged.characters.cast import Cast, Player
from unabridged.characters.lorebook import Entry, read_book
from unabridged.ingest.document import Anchor, Block, BlockKind, Document

_RULES = """\
You play {who} in a scene with {{{{user}}}}. Write only what {who_speaks} says and does next, in the language of the last
message. Never speak, act or decide for {{{{user}}}}. Stay in character."""
_BRACKETS = "Lines in [square brackets] are directions from outside the scene: follow them, and never speak of them."
_FROM_DOCUMENT = """\
The document that follows is the work that {who} comes from; the numbers in brackets count its passages and are never written.
Talk as this person does there, with what this person has lived through and knows there."""
_PARTS = (("description", ""), ("personality", "Personality: "), ("scenario", "The scene: "))
_START = re.compile(r"^\s*<START>\s*$", re.IGNORECASE | re.MULTILINE)


def sheet_text(cast: Cast) -> str:
    """The same for the whole scene, as long as cast and cards stay the same."""
    parts = [_rules(cast)]
    for player in cast.players:
        parts += _player(cast, player)
    for book in cast.world:
        parts += [cast.put_in(entry.content) for entry in book.always]
    if cast.persona.strip():
        parts.append(f"# {cast.user}\n\n{cast.put_in(clean(cast.persona))}")
    return "\n\n".join(part for part in (part.strip() for part in parts) if part)


def _rules(cast: Cast) -> str:
    who = ", ".join(player.name for player in cast.players)
    rules = _RULES.format(who=who, who_speaks="the one who is named" if cast.is_group else who)
    for player in cast.players:
        if own := player.card.text("system_prompt").strip():
            rules = cast.put_in(own, player, original=rules)
    lines = [cast.put_in(rules), _BRACKETS, *([_FROM_DOCUMENT.format(who=who)] if cast.from_document else [])]
    return "\n".join(lines)


def _player(cast: Cast, player: Player) -> list[str]:
    before, after = _always(player)
    parts = [f"# {player.name}"]
    parts += [cast.put_in(entry.content, player) for entry in before]
    for field, lead in _PARTS:
        if text := cast.put_in(player.card.text(field), player).strip():
            parts.append(lead + text)
    parts += [cast.put_in(entry.content, player) for entry in after]
    examples = [cast.put_in(example, player).strip() for example in _START.split(player.card.text("mes_example"))]
    parts += [f"How {player.name} speaks (an example from elsewhere):\n{example}" for example in examples if example]
    return parts


def _always(player: Player) -> tuple[list[Entry], list[Entry]]:
    """The constant entries of its own lorebook: those before, those after the description."""
    entries = read_book(player.card.book).always if player.card.book else ()
    return [entry for entry in entries if entry.before_character], [entry for entry in entries if not entry.before_character]


def sheet_document(cast: Cast, player: Player) -> Document:
    """All of a card's texts as a document, so that questions about it are answered with citations of the very words."""
    text = ""
    blocks: list[Block] = []
    for title, words in _sections(cast, player):
        for kind, part in ((BlockKind.HEADING, title), *((BlockKind.PARAGRAPH, part) for part in _paragraphs(words))):
            level = 1 if kind is BlockKind.HEADING else 0
            blocks.append(Block(kind, len(text), len(text) + len(part), Anchor(path=title), level))
            text += part + "\n\n"
    identity = hashlib.sha256(text.encode()).hexdigest()
    return Document(identity, f"{player.card.name} (character)", "text/plain", text, blocks)


def _sections(cast: Cast, player: Player) -> list[tuple[str, str]]:
    card = player.card
    depth = card.depth_prompt
    found = [
        ("Name", card.name),
        ("Description", card.text("description")),
        ("Personality", card.text("personality")),
        ("Scenario", card.text("scenario")),
        *((f"Greeting {number}", greeting) for number, greeting in enumerate(card.greetings, 1)),
        *((f"Greeting to a group {number}", text) for number, text in enumerate(card.texts("group_only_greetings"), 1)),
        ("Example dialogue", card.text("mes_example")),
        ("System prompt", card.text("system_prompt")),
        ("Instructions after what was said", card.text("post_history_instructions")),
        ("Depth prompt", depth.text if depth else ""),
        *((f"Creator's notes {language}".strip(), notes) for language, notes in card.creator_notes.items()),
        ("Tags", ", ".join(card.texts("tags"))),
        ("Creator", card.text("creator")),
        ("Version", card.text("character_version")),
    ]
    if card.book:
        found += [(f"Lorebook: {entry.title}", entry.content) for entry in read_book(card.book).entries]
    put_in = ((" ".join(title.split()), cast.put_in(words, player).strip()) for title, words in found)
    return [(title, words) for title, words in put_in if title and words]


def _paragraphs(words: str) -> list[str]:
    return [part.strip() for part in re.split(r"\n\s*\n", words) if part.strip()]
