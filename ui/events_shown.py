"""What a tab shows of running work: events folded into a small object, and that object as JSON. Knows no threads."""

from dataclasses import asdict
from typing import Any

from unabridged.citations import Citation
from unabridged.errors import DoesNotFit
from unabridged.events import (
    Answering,
    Deciding,
    Event,
    Finished,
    Ingesting,
    Loading,
    PageFetched,
    Reading,
    Remembered,
    Searching,
    SearchProposed,
    SourceCited,
    Started,
    TextDelta,
    Unsaved,
    Waiting,
)
from unabridged.model_downloads import Downloading
from unabridged.ui.markdown import answer_html
from unabridged.ui.strings import texts
from unabridged.ui.translated import CHOICE, translated, translated_sentences

News = dict[str, Any]


def fold(news: News, event: Event | Downloading) -> None:
    """Change `news` by one event. `text` and `citations` grow; the rest is the present state."""
    match event:
        case Waiting(ahead):
            news |= {"phase": "waiting", "ahead": ahead}
        case Ingesting(name, done, total):
            news |= {"phase": "ingesting", "name": name, "done": done, "total": total}
        case Downloading(_, done, total, checking):
            news |= {"phase": "checking" if checking else "downloading", "done": done, "total": total}
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
        case Unsaved(reason):
            news |= {"unsaved": reason}
        case Remembered(text):
            news |= {"remembered": text}
        case SearchProposed():
            news |= {"proposal": asdict(event)}
        case Searching(query, provider):
            news.pop("proposal", None)  # it was agreed to
            news |= {"phase": "searching", "query": query, "provider": provider}
        case Deciding(step, limit):
            news |= {"phase": "deciding", "step": step, "limit": limit}
        case PageFetched():
            news |= {"pages": [*news.get("pages", []), asdict(event)]}
        case Answering():
            news |= {"phase": "answering", "text": "", "citations": []}
        case TextDelta(text):
            news |= {"phase": "answering", "text": news.get("text", "") + text}
        case SourceCited(citation):
            news |= {"phase": "quoting", "citations": [*news.get("citations", []), citation]}
        case Finished(answer):
            news |= {"phase": "finished", "text": answer.text, "citations": list(answer.citations)}


def shown(news: News, *, language: str) -> News:
    """JSON of folded news: the words of the answer as HTML, those of an error in the language of the page."""
    visible = {name: value for name, value in news.items() if name not in ("text", "citations")}
    visible |= {name: translated(visible[name], language) for name in ("error", "hint", "unsaved") if name in visible}
    if "lore_problems" in visible:
        visible["lore_problems"] = [translated(problem, language) for problem in visible["lore_problems"]]
    if visible.get("error_kind") == DoesNotFit.__name__:
        visible["ways"] = [translated(way, language) for way in news["hint"].split(CHOICE)]
    if "pages" in visible:
        visible["pages"] = [page_shown(page, language) for page in visible["pages"]]
    if "text" in news or "citations" in news:
        citations = news.get("citations", [])
        visible["html"] = answer_html(
            news.get("text", ""),
            cited=[citation.n for citation in citations],
            from_web=[citation.n for citation in citations if citation.url],
            quotes=[citation.shown for citation in citations],
            thinking_label=texts(language)["thinking"],
            pending=news.get("phase") != "finished" and not news.get("scene"),  # in a scene nothing is cited
        )
        visible["citations"] = [citation_shown(citation) for citation in citations]
    return visible


def page_shown(page: News, language: str) -> News:
    """A page that was fetched or, with its `problem`, was not."""
    return page | {"problem": translated_sentences(page["problem"], language)}


def citation_shown(citation: Citation) -> dict[str, Any]:
    return asdict(citation)
