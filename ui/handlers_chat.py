"""What the chat asks for: conversations, the window meter, readings and answers. Knows the workspace and the running jobs."""

import dataclasses
from typing import Any

from unabridged.errors import UsageError
from unabridged.marks import without_thoughts
from unabridged.notes import Note
from unabridged.turns import Conversation, Turn
from unabridged.ui.events_shown import citation_shown, fold, page_shown
from unabridged.ui.handlers_web import web_use
from unabridged.ui.jobs import Job, Jobs
from unabridged.ui.markdown import answer_html
from unabridged.ui.strings import texts
from unabridged.ui.translated import translated
from unabridged.workspace import Workspace

Data = dict[str, Any]

STOPPING_S = 5.0


class ChatHandlers:
    def __init__(self, workspace: Workspace, jobs: Jobs) -> None:
        self._workspace = workspace
        self._jobs = jobs
        self._outside: dict[str, Data] = {}  # turn → the search that is proposed, and what of the web could not be read

    def conversations(self, data: Data) -> list[Data]:
        """All conversations, the last changed first; with `archived` those that were put away instead."""
        scenes = self._workspace.scenes.ids()
        found = self._workspace.conversations.list(archived=bool(data.get("archived")))
        return [heading(conversation) | {"played": conversation.id in scenes} for conversation in found]

    def conversation(self, data: Data) -> Data:
        """One conversation with every turn of its tree; `parent` gives the branches."""
        conversation = self._workspace.conversations.get(data["conversation"])
        running = {job.news.get("turn") for job in self._jobs.all() if job.state == "running"}
        turns = self._workspace.conversations.turns(conversation.id)
        shown = [self._turn(turn, data["language"], running=turn.id in running) for turn in turns]
        return heading(conversation) | {"turns": shown}

    def _turn(self, turn: Turn, language: str, *, running: bool) -> Data:
        outside = self._outside.get(turn.id)
        if outside:
            outside = outside | {"failed": [page_shown(page, language) for page in outside["failed"]]}
        return _turn(turn, language, running=running) | {"outside": outside}

    def decline_search(self, data: Data) -> Data:
        """The proposed search of a turn is not wanted, or is being made."""
        self._outside.pop(str(data["turn"]), None)
        self._jobs.announce()
        return {}

    def rename_conversation(self, data: Data) -> Data:
        if not str(data["title"]).strip():
            raise UsageError("A conversation needs a title.", hint="Give it a title of one or more letters.")
        self._workspace.conversations.rename(data["conversation"], str(data["title"]))
        self._jobs.announce()
        return {}

    def delete_conversation(self, data: Data) -> Data:
        for job in self._jobs.all():
            if job.news.get("conversation") == data["conversation"]:
                self._jobs.stop(job.id)
                job.ended.wait(STOPPING_S)
        self._workspace.conversations.delete(data["conversation"])
        self._jobs.announce()
        return {}

    def delete_turn(self, data: Data) -> Data:
        """A question, its answer and what follows it; an answer that is being written is stopped first."""
        for job in self._jobs.all():
            if job.news.get("turn") == data["turn"] and self._jobs.stop(job.id):
                job.ended.wait(STOPPING_S)
        self._workspace.conversations.delete_turn(data["turn"])
        self._jobs.announce()
        return {}

    def meter(self, data: Data) -> Data:
        """How full the window would be with these documents, and the ways out when they do not fit.

        `follows`: the turn that the next question follows, if it follows one.
        """
        meter = self._workspace.meter(data["documents"], follows=data.get("follows"))
        return {
            "model": meter.model,
            "tokens": meter.tokens,
            "history": meter.history,
            "reserve": meter.reserve,
            "window": meter.largest,
            "stored": meter.stored,
            "fits": meter.fits,
            "choices": [translated(choice, data["language"]) for choice in meter.choices],
            "shares": [{"document": share.document.id, "tokens": share.tokens} for share in meter.shares],
        }

    def ask(self, data: Data) -> Data:
        """Start an answer in the background; the job's id. `parent` is the turn before, `follows` whether the model sees it.

        `web` and `query` are the web switch: see web_use(). `incognito` begins a conversation in memory only. A `summary`
        ({"key", "text"}) of what was said before is taken along instead of it.
        """
        question = str(data["question"])
        if not question.strip():
            raise UsageError("The question has no text.", hint="Write a question first.")
        if not data["documents"]:
            raise UsageError("No document is chosen.", hint="Tick one in the library, or add a file.")
        events = self._workspace.ask(
            data["documents"],
            question,
            conversation_id=data.get("conversation"),
            parent_id=data.get("parent"),
            follows=bool(data.get("follows")),
            summary=Note(str(data["summary"]["key"]), str(data["summary"]["text"])) if data.get("summary") else None,
            incognito=bool(data.get("incognito")),
            web=web_use(data),
        )
        news = {
            "phase": "waiting",
            "ahead": 0,
            "question": question,
            "conversation": data.get("conversation"),
            "parent": data.get("parent"),
            "follows": bool(data.get("follows")),
            "documents": list(data["documents"]),
        }
        return {"job": self._jobs.start("answer", events, fold=fold, news=news, done=self._keep_outside).id}

    def read(self, data: Data) -> Data:
        """Start reading before anything is asked; the job's id."""
        if not data["documents"]:
            raise UsageError("No document is chosen.", hint="Tick one in the library, or add a file.")
        news = {"phase": "waiting", "ahead": 0, "documents": list(data["documents"])}
        events = self._workspace.read(data["documents"])
        return {"job": self._jobs.start("read", events, fold=fold, news=news).id}

    def stop(self, data: Data) -> Data:
        return {"stopping": self._jobs.stop(data["job"])}

    def _keep_outside(self, job: Job) -> None:
        """What the page says of the web beside an answer, for as long as the program runs: a tab may look later."""
        failed = [page for page in job.news.get("pages", []) if page["problem"]]
        if "turn" in job.news and ("proposal" in job.news or failed):
            self._outside[job.news["turn"]] = {"proposal": job.news.get("proposal"), "failed": failed}


def heading(conversation: Conversation) -> Data:
    return {
        "id": conversation.id,
        "title": conversation.title,
        "documents": [{"id": document_id, "name": name} for document_id, name in conversation.documents],
        "created_at": conversation.created_at,
        "changed_at": conversation.changed_at,
        "archived": conversation.archived,
        "incognito": conversation.incognito,
    }


def _turn(turn: Turn, language: str, *, running: bool) -> Data:
    """A turn that says it is being answered while nobody answers it was cut off by the end of the program."""
    state = "stopped" if turn.state == "answering" and not running else turn.state
    return {
        "id": turn.id,
        "parent": turn.parent_id,
        "question": turn.question,
        "text": without_thoughts(turn.answer),
        "html": answer_html(
            turn.answer,
            cited=[citation.n for citation in turn.citations],
            from_web=[citation.n for citation in turn.citations if citation.url],
            quotes=[citation.shown for citation in turn.citations],
            thinking_label=texts(language)["thinking"],
        ),
        "state": state,
        "follows": turn.follows,
        "forgotten": turn.forgotten,
        "pages": [dataclasses.asdict(page) for page in turn.pages],
        "model": translated(turn.model, language),
        "citations": [citation_shown(citation) for citation in turn.citations],
        "receipt": dataclasses.asdict(turn.receipt) if turn.receipt else None,
        "seconds": dataclasses.asdict(turn.seconds) if turn.seconds else None,
        "created_at": turn.created_at,
    }
