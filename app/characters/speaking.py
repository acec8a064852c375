"""Who of a group speaks next: those who are spoken to, else those who like to talk; or everyone; or one after the other."""

import hashlib
import random

from unabridged.characters.cast import Cast, Order, Player, mentioned


def speakers(cast: Cast, message: str, *, last: str | None, turn: str) -> tuple[Player, ...]:
    """At least one, in order. `last` is the id of who spoke before; lots depend on the cast's seed and `turn` alone."""
    players = cast.players
    if len(players) == 1 or cast.order is Order.EVERYONE:
        return players
    ids = [player.id for player in players]
    if cast.order is Order.IN_TURN:
        return (players[(ids.index(last) + 1) % len(players) if last in ids else 0],)
    places = {player.id: mentioned(player.name, message) for player in players}
    named = sorted((player for player in players if places[player.id] >= 0), key=lambda player: places[player.id])
    if named:
        return tuple(named)
    lots = random.Random(hashlib.sha256(f"{cast.seed}\0{turn}".encode("utf-8", "replace")).digest())  # noqa: S311 no secret
    others = [player for player in players if player.id != last]
    lots.shuffle(others)
    willing = tuple(player for player in others if lots.random() < player.card.talkativeness)
    return willing or (others[0],)
