"""What a tab shows of running work: events folded into a small object, and that object as JSON. Knows no threads."""

from typing import Any

from unabridged.citations import Citation
from unabridged.events import Event, Finished, Ingesting, Loading, Reading, SourceCited, Started, TextDelta, Waiting
from unabridged.ui.markdown import answer_html
from unabridged.ui.strings import texts

News = dict[str, Any]


def fold(news: News, event: Event) -> None:
    """Change `news` by one event. `text` and `citations` grow; the rest is the present state."""
    match event:
        case Waiting(ahead):
            news |= {"phase": "waiting", "ahead": ahead}
        case Ingesting(name, done, total):
            news |= {"phase": "ingesting", "name": name, "done": done, "total": total}
        case Loading(model):
            news |= {"phase": "loading", "model": model}
        case Reading():
            news |= {
                "phase": "reading",
                "done": event.done,
                "total": event.total,
                "reused": event.reused,
                "tokens_per_s": event.tokens_per_s,
                "seconds_left": event.seconds_left,
            }
        case Started(conversation_id, turn_id):
            news |= {"conversation": conversation_id, "turn": turn_id}
        case TextDelta(text):
            news |= {"phase": "answering", "text": news.get("text", "") + text}
        case SourceCited(citation):
            news |= {"phase": "quoting", "citations": [*news.get("citations", []), citation]}
        case Finished(answer):
            news |= {"phase": "finished", "text": answer.text, "citations": list(answer.citations)}


def shown(news: News, *, language: str) -> News:
    """JSON of folded news: the words of the answer as HTML."""
    visible = {name: value for name, value in news.items() if name not in ("text", "citations")}
    if "text" in news or "citations" in news:
        citations = news.get("citations", [])
        visible["html"] = answer_html(
            news.get("text", ""),
            cited=[citation.n for citation in citations],
            thinking_label=texts(language)["thinking"],
            pending=news.get("phase") != "finished",
        )
        visible["citations"] = [citation_shown(citation) for citation in citations]
    return visible


def citation_shown(citation: Citation) -> dict[str, Any]:
    return citation.to_json() | {"document_id": citation.document_id}
