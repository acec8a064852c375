"""Questions about a character from outside the scene, answered from the sheet with citations of its very words."""

from collections.abc import Generator

from unabridged.answers import Answer
from unabridged.assistant import Assistant, Request
from unabridged.characters.cast import Cast, Player
from unabridged.characters.sheet import sheet_document
from unabridged.events import Event
from unabridged.ingest.passages import passages
from unabridged.models.engine import Engine


def ask_about(
    engine: Engine, cast: Cast, player: Player, question: str, *, answer_tokens: int = 1024
) -> Generator[Event, None, Answer]:
    """A cited answer; `citation.quote` stands in `sheet_document(cast, player).text`. Any model can, the starter too."""
    document = sheet_document(cast, player)
    assistant = Assistant(engine)
    context = assistant.context([(document, passages(document))])
    return (yield from assistant.ask(context, Request(question, answer_tokens=answer_tokens)))
