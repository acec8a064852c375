"""Everything of one home in one object: library, conversations, the model that answers, and the engine that all who ask share.

For the command line and for the browser alike. Safe to use from several threads: short calls return values, long work is a
generator of events that runs in the thread that iterates it and stops when it is closed.
"""

import dataclasses
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from unabridged.adding import adding
from unabridged.answers import Answer
from unabridged.assistant import Assistant, Request
from unabridged.characters.character_store import Characters
from unabridged.characters.scenes import Scenes
from unabridged.chosen_model import ChosenModel
from unabridged.context import fit
from unabridged.conversations import Conversations
from unabridged.engine_host import Start
from unabridged.errors import UnabridgedError, UsageError
from unabridged.events import (
    Answering,
    Event,
    Finished,
    Ingesting,
    Loading,
    Remembered,
    Result,
    Started,
    Step,
    TextDelta,
    Waiting,
    drained,
    translate,
)
from unabridged.history import exchanges, recalling, turns_read
from unabridged.home import Home
from unabridged.ingest.document import Document, Passage
from unabridged.instances import Instance, is_alive
from unabridged.library import Library
from unabridged.memories import Memories, Memory, asked_to_remember, documents_scope
from unabridged.meter import Meter
from unabridged.models.engine import Engine, EngineOptions, Tokens
from unabridged.models.engine import Reading as EngineReading
from unabridged.notes import Note
from unabridged.prompts import ChatPrompt
from unabridged.receipts import Receipt, Tally
from unabridged.settings import Settings
from unabridged.store import Store
from unabridged.turns import INCOGNITO
from unabridged.web.again import with_pages
from unabridged.web.answering import Reach, WebUse, answered
from unabridged.web.network_log import NetworkLog
from unabridged.web.reaching import reach

MORE_THAN_ANY_WINDOW = 1 << 40  # tokens


def start_engine_process(path: Path, options: EngineOptions) -> Engine:
    """The real engine, in a process of its own. Imported here so that listing the library needs no engine."""
    from unabridged.models.engine_process import EngineProcess

    return EngineProcess(path, options)


class Workspace:
    def __init__(self, home: Home, *, model: str | None = None, start_engine: Start = start_engine_process) -> None:
        """`model` answers in place of the one in the settings, this time only. Raises HomeError, ModelFileError."""
        self.home = home
        self.model = ChosenModel(home, start_engine, model=model)
        self._store = Store(home.database)
        self.library = Library(home, self._store)
        self._instance = Instance(home.instances)
        self.conversations = Conversations(self._store, owner=self._instance.id)
        self.memories = Memories(self._store)
        self.network_log = NetworkLog(self._store)
        self.characters = Characters(self._store)
        self.scenes = Scenes(self._store, self.characters, self.conversations, self.library)
        self.conversations.leave_orphans(lambda instance_id: is_alive(home.instances, instance_id))

    @property
    def settings(self) -> Settings:
        return self.model.settings

    def change_settings(self, **changes: str | float | tuple[str, ...]) -> Settings:
        """See ChosenModel.change()."""
        return self.model.change(**changes)

    # documents

    def add(self, path: Path, *, password: str | None = None, again: bool = False) -> Generator[Ingesting, None, Document]:
        """Read a file into the library; returns its Document. Raises DocumentError, HomeError."""
        return adding(self.library, path, password=password, again=again)

    def meter(self, document_ids: Sequence[str], *, follows: str | None = None) -> Meter:
        """How full the window would be for a question, perhaps one that follows a turn.

        Starts the model if need be, and does not wait for a reading that has the engine.
        """
        turns = turns_read(self.conversations.path(follows)) if follows else []
        with self.model.at_hand() as engine:
            assistant = Assistant(engine)
            context = assistant.context(self._books(document_ids))
            history = exchanges(engine, turns)
            earlier = assistant.history_tokens(history)
            reserve = assistant.reserve(context, Request("?", history, answer_tokens=self.settings.answer_tokens))
            return Meter(
                model=assistant.model_name,
                tokens=len(context.tokens),
                history=earlier,
                reserve=reserve - earlier,
                window=assistant.engine.window_for(len(context.tokens) + reserve),
                largest=assistant.engine.window_for(MORE_THAN_ANY_WINDOW),
                stored=self.model.stored(engine, context.tokens),
                shares=context.shares,
            )

    def count_tokens(self, document: Document) -> int:
        """Tokens of its text to the chosen model, passage by passage as it would be read."""
        texts = [document.text[passage.start : passage.end] for passage in self.library.passages(document.id)]
        with self.model.at_hand() as engine:
            return sum(len(tokens) for tokens in engine.tokenize(texts))

    # reading and asking

    def read(self, document_ids: Sequence[str], *, fresh: bool = False) -> Generator[Event, None, Receipt]:
        """Bring documents into the window before anything is asked. Closing it keeps what was read."""
        with self.model.turn() as place:
            assistant = Assistant((yield from self.model.awaited(place)))
            context = assistant.context(self._books(document_ids))
            reserve = assistant.reserve(context, Request("?", answer_tokens=self.settings.answer_tokens))
            reading = yield from assistant.read(context, reserve=reserve, fresh=fresh)
            return Tally(context, reading).receipt()

    def ask(
        self,
        document_ids: Sequence[str],
        question: str,
        *,
        conversation_id: str | None = None,
        parent_id: str | None = None,
        follows: bool = False,
        summary: Note | None = None,
        incognito: bool = False,
        web: WebUse | None = None,
        fresh: bool = False,
        started: float | None = None,
        ingest_s: float = 0.0,
    ) -> Generator[Event, None, Answer]:
        """A cited answer. Closing it stops, and what was said stays in the conversation.

        Without `conversation_id` a new conversation begins, in memory only if it is `incognito`. `parent_id` is the turn before
        this one; with `follows` the model sees the turns down to it, else the question stands alone (and costs nothing for what
        was said before), or takes along a `summary` of it: see afterthoughts.summarise().
        Without `web` the switch is off and nothing leaves; with it, pages may join where the documents do not answer.
        `started` (time.perf_counter()) and `ingest_s` belong to the caller who ingested the files for this question.
        """
        request = Request(
            question,
            answer_tokens=self.settings.answer_tokens,
            temperature=self.settings.temperature,
            fresh=fresh,
            started=time.perf_counter() if started is None else started,
            ingest_s=ingest_s,
        )
        with self.model.turn() as place:
            assistant = Assistant((yield from self.model.awaited(place)))
            context = assistant.context(self._books(document_ids))
            if not incognito and (text := asked_to_remember(question)):
                yield Remembered(self.remember(text, document_ids).text)
            turns = turns_read(self.conversations.path(parent_id)) if follows and parent_id else []
            if not assistant.finder:  # which reads passages and a question, nothing beside
                request = recalling(
                    assistant.engine,
                    request,
                    turns=turns,
                    memories=self.memories.wanted(document_ids, conversation_id=conversation_id or ""),
                    memory_tokens=self.settings.memory_tokens,
                    summary=summary,
                )
                request = with_pages(request, turns, self.library, first_number=len(context.passages) + 1)
            if web is None:
                work = assistant.ask(context, request)
            else:
                private = incognito or (conversation_id or "").startswith(INCOGNITO)
                work = answered(assistant, context, request, use=web, reach=self._reach(assistant, keep=not private))
            earlier = assistant.reserve(context, request) - assistant.reserve(context, dataclasses.replace(request, history=()))
            fit(assistant.engine, context, reserve=assistant.reserve(context, request), history_tokens=earlier)
            documents = [(share.document.id, share.document.name) for share in context.shares]
            if conversation_id is None:
                conversation_id = self.conversations.start(documents, title=question, incognito=incognito).id
            else:
                self.conversations.use_documents(conversation_id, documents)
            turn_id = self.conversations.begin(
                conversation_id,
                question,
                parent_id=parent_id,
                follows=follows,
                model=assistant.model_name,
                fingerprint=assistant.engine.info.fingerprint,
                notes=request.notes,
            )
            try:
                yield Started(conversation_id, turn_id)
                return (yield from translate(work, lambda event: self._kept(turn_id, event)))
            except UnabridgedError:
                self.conversations.leave(turn_id, failed=True)
                raise
            finally:
                self.conversations.leave(turn_id, failed=False)  # no effect on a turn that finished or failed

    # what is kept of conversations

    def remember(self, text: str, document_ids: Sequence[str] = ()) -> Memory:
        """Keep it in mind for these documents, or for everything. Raises UsageError."""
        scope = "documents" if document_ids else "everything"
        return self.memories.add(text, scope=scope, scope_id=documents_scope(document_ids))

    @contextmanager
    def conversation_at_hand(
        self, turn_id: str, request: str, *, reply_tokens: int
    ) -> Generator[tuple[Engine, EngineReading, Tokens]]:
        """The engine with the documents in its window, and what follows them: the conversation down to a turn and a request.

        For words beside the answers, without evidence: where an answer has no room any more, a summary may. See afterthoughts.
        """
        conversation = self.conversations.get(self.conversations.turn(turn_id).conversation_id)
        with self.model.turn() as place:
            assistant = Assistant(drained(self.model.awaited(place)))
            if not isinstance(assistant.prompt, ChatPrompt):
                raise UsageError(
                    "The starter model finds and quotes; it cannot write titles or summaries.",
                    hint="Choose a chat model (unabridged models list).",
                )
            history = exchanges(assistant.engine, turns_read(self.conversations.path(turn_id)))
            context = assistant.context(self._books([document_id for document_id, _ in conversation.documents]))
            asked = assistant.prompt.question(assistant.engine, request, history)
            yield assistant.engine, drained(assistant.read(context, reserve=len(asked) + reply_tokens)), asked

    def read_by_model(self, turn_id: str) -> list[str]:
        """Ids of the turns that the model reads when this one is followed up, the oldest first."""
        return [turn.id for turn in turns_read(self.conversations.path(turn_id))]

    def with_engine(
        self, work: Callable[[Engine], Generator[Step, None, Result]]
    ) -> Generator[Step | Waiting | Loading, None, Result]:
        """Work of any kind that needs the engine, in its turn; what it yields is passed on."""
        with self.model.turn() as place:
            return (yield from work((yield from self.model.awaited(place))))

    def __enter__(self) -> "Workspace":
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def close(self) -> None:
        self.model.close()
        self.conversations.close()
        self._store.close()
        self._instance.close()

    # inside

    def _books(self, document_ids: Sequence[str]) -> list[tuple[Document, list[Passage]]]:
        return [(self.library.document(document_id), self.library.passages(document_id)) for document_id in document_ids]

    def _reach(self, assistant: Assistant, *, keep: bool) -> Reach:
        chat_model = None if assistant.finder else self.model.path
        return reach(self.settings, self.network_log, library=self.library if keep else None, chat_model=chat_model)

    def _kept(self, turn_id: str, event: Event) -> list[Event]:
        """Write down what is about to be shown."""
        if isinstance(event, TextDelta):
            self.conversations.extend(turn_id, event.text)
        elif isinstance(event, Answering):
            self.conversations.answer_again(turn_id, event.pages)
        elif isinstance(event, Finished):
            self.conversations.finish(turn_id, event.answer)
        return [event]
