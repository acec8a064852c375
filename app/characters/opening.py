"""How a scene opens: with a greeting of the card, or words in its place, kept as a first turn. Asks no model."""

from unabridged.answers import Answer, Seconds
from unabridged.characters.cast import Cast, Player
from unabridged.characters.directions import SPEAKER
from unabridged.conversations import Conversations
from unabridged.errors import UsageError
from unabridged.notes import Note
from unabridged.receipts import Receipt


def begin_scene(
    conversations: Conversations, cast: Cast, *, conversation_id: str, greeting: int | str | None = 0, player_id: str = ""
) -> str | None:
    """Let the scene open with a greeting, by number or in words; returns its turn, None where nobody greets.

    Called again with another greeting it makes a sibling: the scene can be begun in several ways.
    """
    player = cast.player(player_id) if player_id else cast.players[0]
    words = greeting if isinstance(greeting, str) else _greeting(cast, player, greeting)
    if not words.strip():
        return None
    turn_id = conversations.begin(
        conversation_id, "", parent_id=None, follows=True, model="", fingerprint="", notes=_speaker_note(cast, player)
    )
    conversations.finish(turn_id, Answer(words, (), Receipt((), 0, 0, 0, 0, 0), Seconds(0.0, 0.0, 0.0, 0.0), model=""))
    return turn_id


def _greeting(cast: Cast, player: Player, number: int | None) -> str:
    greetings = cast.greetings(player)
    if number is None or not greetings:
        return ""
    if not 0 <= number < len(greetings):
        raise UsageError(f"{player.name} has {len(greetings)} greetings.", hint="Choose one of them by its number.")
    return greetings[number]


def _speaker_note(cast: Cast, player: Player) -> tuple[Note, ...]:
    return (Note(f"{SPEAKER}{player.id}", f"Now {player.name} speaks, and nobody else."),) if cast.is_group else ()
