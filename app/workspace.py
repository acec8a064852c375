"""Everything of one home in one object: library, conversations, settings, models, and the engine that is shared by all who ask.

For the command line and for the browser alike. Safe to use from several threads: short calls return values, long work is a
generator of events that runs in the thread that iterates it and stops when it is closed.
"""

import dataclasses
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from unabridged import catalogue
from unabridged.adding import adding
from unabridged.answers import Answer
from unabridged.assistant import Assistant, Request
from unabridged.characters.character_store import Characters
from unabridged.characters.scenes import Scenes
from unabridged.context import fit
from unabridged.conversations import Conversations
from unabridged.engine_host import EngineHost, Place, Start
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
from unabridged.model_downloads import Downloading, download
from unabridged.models.engine import Engine, EngineOptions, ModelInfo, Tokens
from unabridged.models.engine import Reading as EngineReading
from unabridged.models.segments import stored_tokens
from unabridged.notes import Note
from unabridged.offered_models import offered
from unabridged.prompts import ChatPrompt, Exchange
from unabridged.receipts import Receipt, Tally
from unabridged.settings import Settings, load_settings, save_settings
from unabridged.store import Store
from unabridged.turns import INCOGNITO
from unabridged.web.again import with_pages
from unabridged.web.answering import Reach, WebUse, answered
from unabridged.web.network_log import NetworkLog
from unabridged.web.reaching import reach

MORE_THAN_ANY_WINDOW = 1 << 40  # tokens
WAIT_S = 0.5  # between two looks at the queue for the engine


def start_engine_process(path: Path, options: EngineOptions) -> Engine:
    """The real engine, in a process of its own. Imported here so that listing the library needs no engine."""
    from unabridged.models.engine_process import EngineProcess

    return EngineProcess(path, options)


class Workspace:
    def __init__(self, home: Home, *, model: str | None = None, start_engine: Start = start_engine_process) -> None:
        """`model` answers in place of the one in the settings, this time only. Raises HomeError, ModelFileError."""
        self.home = home
        self._settings_lock = threading.Lock()
        self._settings = load_settings(home)
        if model is not None:
            self._settings = catalogue.use(self._settings, model)
        self._store = Store(home.database)
        self.library = Library(home, self._store)
        self._instance = Instance(home.instances)
        self.conversations = Conversations(self._store, owner=self._instance.id)
        self.memories = Memories(self._store)
        self.network_log = NetworkLog(self._store)
        self.characters = Characters(self._store)
        self.scenes = Scenes(self._store, self.characters, self.conversations, self.library)
        self.conversations.leave_orphans(lambda instance_id: is_alive(home.instances, instance_id))
        self._host = EngineHost(start_engine)

    # settings and models

    @property
    def settings(self) -> Settings:
        return self._settings

    def change_settings(self, **changes: str | float | tuple[str, ...]) -> Settings:
        """Keep changed settings, by field name; the engine restarts at its next use when they concern it. Raises UsageError."""
        with self._settings_lock:
            self._settings = dataclasses.replace(self._settings, **changes)  # type: ignore[arg-type]  # checked by Settings
            save_settings(self.home, self._settings)
            return self._settings

    def models(self) -> list[catalogue.Model]:
        return catalogue.models(self._settings)

    def model_info(self) -> ModelInfo:
        """What the engine says of the chosen model; loads it if need be."""
        with self._engine_at_hand() as engine:
            return engine.info

    def use_model(self, words: str) -> Settings:
        """Choose a model by listed name or GGUF path. Raises UsageError, ModelFileError."""
        chosen = catalogue.use(self._settings, words)
        return self.change_settings(model=chosen.model, local_models=chosen.local_models)

    def fetch_model(self, name: str) -> Generator[Downloading, None, Path]:
        """Fetch one of `offered_models` from the hub and list it; it is not chosen. Closing it keeps what has arrived.

        Raises UsageError, ModelFileError, HomeError.
        """
        path = yield from download(offered(name), self.home, self.network_log)
        with self._settings_lock:
            listed = tuple(other for other in self._settings.local_models if other != str(path))
            self._settings = dataclasses.replace(self._settings, local_models=(str(path), *listed))
            save_settings(self.home, self._settings)
        return path

    # documents

    def add(self, path: Path, *, password: str | None = None, again: bool = False) -> Generator[Ingesting, None, Document]:
        """Read a file into the library; returns its Document. Raises DocumentError, HomeError."""
        return adding(self.library, path, password=password, again=again)

    def meter(self, document_ids: Sequence[str]) -> Meter:
        """How full the window would be. Starts the model if need be, and does not wait for a reading that has the engine."""
        with self._engine_at_hand() as engine:
            assistant = Assistant(engine)
            context = assistant.context(self._books(document_ids))
            reserve = assistant.reserve(context, Request("?", answer_tokens=self._settings.answer_tokens))
            return Meter(
                model=assistant.model_name,
                tokens=len(context.tokens),
                reserve=reserve,
                window=assistant.engine.window_for(len(context.tokens) + reserve),
                largest=assistant.engine.window_for(MORE_THAN_ANY_WINDOW),
                stored=self._stored(engine, context.tokens),
                shares=context.shares,
            )

    def count_tokens(self, document: Document) -> int:
        """Tokens of its text to the chosen model, passage by passage as it would be read."""
        texts = [document.text[passage.start : passage.end] for passage in self.library.passages(document.id)]
        with self._engine_at_hand() as engine:
            return sum(len(tokens) for tokens in engine.tokenize(texts))

    # reading and asking

    def read(self, document_ids: Sequence[str], *, fresh: bool = False) -> Generator[Event, None, Receipt]:
        """Bring documents into the window before anything is asked. Closing it keeps what was read."""
        with self._host.turn() as place:
            assistant = yield from self._wait(place)
            context = assistant.context(self._books(document_ids))
            reserve = assistant.reserve(context, Request("?", answer_tokens=self._settings.answer_tokens))
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
            answer_tokens=self._settings.answer_tokens,
            temperature=self._settings.temperature,
            fresh=fresh,
            started=time.perf_counter() if started is None else started,
            ingest_s=ingest_s,
        )
        with self._host.turn() as place:
            assistant = yield from self._wait(place)
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
                    memory_tokens=self._settings.memory_tokens,
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
        self, turn_id: str, *, reply_tokens: int
    ) -> Generator[tuple[Engine, ChatPrompt, EngineReading, tuple[Exchange, ...]]]:
        """The engine with the conversation down to a turn in its window, for words beside the answers: see afterthoughts.py."""
        conversation = self.conversations.get(self.conversations.turn(turn_id).conversation_id)
        with self._host.turn() as place:
            while place.ahead:
                place.wait()
            assistant = self._assistant()
            if not isinstance(assistant.prompt, ChatPrompt):
                raise UsageError(
                    "The starter model finds and quotes; it cannot write titles or summaries.",
                    hint="Choose a chat model (unabridged models list).",
                )
            history = exchanges(assistant.engine, turns_read(self.conversations.path(turn_id)))
            context = assistant.context(self._books([document_id for document_id, _ in conversation.documents]))
            reserve = assistant.reserve(context, Request("?", history, answer_tokens=reply_tokens))
            yield assistant.engine, assistant.prompt, drained(assistant.read(context, reserve=reserve)), history

    def read_by_model(self, turn_id: str) -> list[str]:
        """Ids of the turns that the model reads when this one is followed up, the oldest first."""
        return [turn.id for turn in turns_read(self.conversations.path(turn_id))]

    def with_engine(
        self, work: Callable[[Engine], Generator[Step, None, Result]]
    ) -> Generator[Step | Waiting | Loading, None, Result]:
        """Work of any kind that needs the engine, in its turn; what it yields is passed on."""
        with self._host.turn() as place:
            assistant = yield from self._wait(place)
            return (yield from work(assistant.engine))

    def __enter__(self) -> "Workspace":
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def close(self) -> None:
        self._host.close()
        self.conversations.close()
        self._store.close()
        self._instance.close()

    # inside

    def _wait(self, place: Place) -> Generator[Waiting | Loading, None, Assistant]:
        while ahead := place.ahead:
            yield Waiting(ahead)
            place.wait(WAIT_S)
        path, options = self._chosen()
        if self._host.running(path, options) is None:
            yield Loading(path.stem)
        return self._assistant()

    @contextmanager
    def _engine_at_hand(self) -> Generator[Engine]:
        """The engine for a short call, which it takes between the chunks of a reading; in the queue only to start another."""
        path, options = self._chosen()
        if (engine := self._host.running(path, options)) is not None:
            yield engine
            return
        with self._host.turn() as place:
            while place.ahead:
                place.wait()
            yield self._host.engine(path, options)

    def _assistant(self) -> Assistant:
        return Assistant(self._host.engine(*self._chosen()))

    def _stored(self, engine: Engine, tokens: Tokens) -> int:
        _, options = self._chosen()
        print_of = bytes.fromhex(engine.info.fingerprint)
        return stored_tokens(self.home.segments, print_of, tokens, segment_tokens=options.segment_tokens)

    def _chosen(self) -> tuple[Path, EngineOptions]:
        settings = self._settings
        path = catalogue.model_path(settings)
        catalogue.check(path)
        return path, EngineOptions(
            segments_folder=self.home.segments,
            window=settings.window,
            kv_type=settings.kv_type,
            rope_scaling="yarn" if settings.window_factor > 1 else "",
            rope_factor=settings.window_factor if settings.window_factor > 1 else 0.0,
            gpu_layers=settings.gpu_layers,
            threads=settings.threads,
            segments_quota_bytes=int(settings.segments_quota_gib * (1 << 30)),
        )

    def _books(self, document_ids: Sequence[str]) -> list[tuple[Document, list[Passage]]]:
        return [(self.library.document(document_id), self.library.passages(document_id)) for document_id in document_ids]

    def _reach(self, assistant: Assistant, *, keep: bool) -> Reach:
        chat_model = None if assistant.finder else catalogue.model_path(self._settings)
        return reach(self._settings, self.network_log, library=self.library if keep else None, chat_model=chat_model)

    def _kept(self, turn_id: str, event: Event) -> list[Event]:
        """Write down what is about to be shown."""
        if isinstance(event, TextDelta):
            self.conversations.extend(turn_id, event.text)
        elif isinstance(event, Answering):
            self.conversations.answer_again(turn_id, event.pages)
        elif isinstance(event, Finished):
            self.conversations.finish(turn_id, event.answer)
        return [event]
