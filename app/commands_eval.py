"""The command eval starter: how often the packaged model is right, on documents and questions that it has never seen.

The program itself is measured: the same reading, pointing and quoting that answer a user. Needs the evaluation documents, which
are not part of the program.
"""

import argparse
import sys
from collections.abc import Generator, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import cast

from unabridged.assistant import Assistant
from unabridged.errors import EngineFailed, UsageError
from unabridged.finding import look
from unabridged.ingest.document import Anchor, Block, BlockKind, Document, Passage
from unabridged.models.engine import EngineOptions, Reading
from unabridged.models.engine_process import EngineProcess
from unabridged.models.starter import starter_path
from unabridged.models.starter.evaluate import Answered, Cell, evaluate, plot, table
from unabridged.prompts import FinderPrompt
from unabridged.receipts import Tally

RESERVE_TOKENS = 8192  # for a question and the sentences of some passages


def eval_starter(options: argparse.Namespace) -> int:
    for folder in (options.documents, options.training):
        if not folder.is_dir():
            raise UsageError(f"{folder} is not a folder.", hint="Name the folders of documents and of training questions.")
    kept: Path = options.kept
    model: Path = options.model or starter_path()
    run = partial(
        evaluate,
        documents=options.documents,
        training=options.training,
        kinds=options.kinds,
        lengths=options.tokens,
        done=_say,
    )
    if options.estimate:
        from unabridged.models.starter.shortcut import Estimate

        cells = run(Estimate(model), kept=kept / f"estimate-{model.stem}")
    else:
        with Program(model, kept / "segments", threads=options.threads) as program:
            cells = run(program, kept=kept / program.fingerprint[:16])
    sys.stdout.write(table(cells) + "\n")
    if options.plot:
        plot(cells, options.plot)
    return 0


def _say(cell: Cell) -> None:
    sys.stderr.write(table([cell]).splitlines()[-1] + "\n")


class Program:
    """What `evaluate` measures: our engine and the way a finder's answers are made, without files and conversations."""

    def __init__(self, model: Path, segments: Path, *, threads: int = 0) -> None:
        options = EngineOptions(segments_folder=segments, threads=threads, segments_quota_bytes=2 << 30)
        self._engine = EngineProcess(model, options)
        self._assistant = Assistant(self._engine)
        if not isinstance(self._assistant.prompt, FinderPrompt):
            self._engine.close()
            raise UsageError(f"{model.name} is no finder.", hint="Only models of this project can be measured so.")
        self._prompt = self._assistant.prompt
        self.fingerprint = self._engine.info.fingerprint

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._engine.close()

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(tokens) for tokens in self._engine.tokenize(texts)]

    def read(self, passages: Sequence[str]) -> int:
        self._context = self._assistant.context([_book(passages)])
        self._reading = _last(self._assistant.read(self._context, reserve=RESERVE_TOKENS, fresh=True))
        if self._reading.evaluated != len(self._context.tokens):
            raise EngineFailed("A reading was not evaluated whole.", hint="Scores and speeds would be those of something else.")
        self._tally = Tally(self._context, self._reading)
        return self._reading.tokens

    def answer(self, question: str) -> Answered:
        passages = self._context.passages
        looked = look(self._engine, self._prompt, self._reading, passages, question, self._tally)
        text = passages[looked.best].text
        start, end = looked.quotation(looked.best, text)
        return Answered(looked.best, looked.points.certainty >= self._prompt.threshold, text[start:end])


def _last(steps: Generator[object, None, Reading]) -> Reading:
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return cast(Reading, stop.value)


def _book(texts: Sequence[str]) -> tuple[Document, list[Passage]]:
    """A document of these passages, each a paragraph of its own."""
    passages: list[Passage] = []
    blocks: list[Block] = []
    end = 0
    for number, text in enumerate(texts, 1):
        start, end = end, end + len(text)
        passages.append(Passage(number, start, end, Anchor()))
        inner = len(text) - len(text.lstrip())
        if text.strip():
            blocks.append(Block(BlockKind.PARAGRAPH, start + inner, start + len(text.rstrip()), Anchor()))
    return Document("0" * 64, "evaluation", "text/plain", "".join(texts), blocks), passages
