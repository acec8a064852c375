"""A finder looks twice: the second look has room after every reading, and all that is shown has been looked at twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from unabridged.assistant import Assistant, Request
from unabridged.finding import look
from unabridged.ingest.document import Anchor, Block, BlockKind, Document
from unabridged.ingest.passages import passages
from unabridged.models.engine import EngineOptions
from unabridged.models.engine_process import EngineProcess
from unabridged.models.pointing import CANDIDATES
from unabridged.models.starter import starter_path
from unabridged.prompts import FinderPrompt
from unabridged.receipts import Tally

from tests.fakes import FINDER, FakeEngine, Script
from tests.unit.app.test_workspace import drained

PIECES = st.sampled_from(["A.", "No!", "是。", "The rent is due on Monday.", "x", "甲方；", "Mr. B.", "1.", "\n", "🙂。"])
QUESTION = "When is the rent due?"


def made(lines: list[str], kind: BlockKind = BlockKind.PARAGRAPH) -> Document:
    text = "\n\n".join(lines)
    starts = [sum(len(line) + 2 for line in lines[:i]) for i in range(len(lines))]
    blocks = [Block(kind, start, start + len(line), Anchor()) for start, line in zip(starts, lines, strict=True)]
    return Document(id="7" * 64, name="a.txt", media_type="text/plain", text=text, blocks=blocks)


@pytest.fixture(scope="module")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    folder: Path = tmp_path_factory.mktemp("segments")
    engine = EngineProcess(starter_path(), EngineOptions(segments_folder=folder, threads=1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("unabridged.assistant.RESERVE_STEP", 1)  # no room that only rounding gives
        yield Assistant(engine)
    engine.close()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(PIECES, min_size=1, max_size=200).map(" ".join).filter(str.strip), min_size=1, max_size=8),
    st.sampled_from([BlockKind.PARAGRAPH, BlockKind.TABLE]),
)
@example(["No! " * 300] * 6, BlockKind.PARAGRAPH)
@example(["是。" * 300] * 6, BlockKind.PARAGRAPH)
@example(["x\n" * 300] * 6, BlockKind.TABLE)
def test_the_second_look_has_room_after_the_reading(starter: Assistant, lines: list[str], kind: BlockKind) -> None:
    document = made([line.strip() for line in lines], kind)
    context = starter.context([(document, passages(document))])
    reserve = starter.reserve(context, Request(QUESTION))
    reading = drained(starter.read(context, reserve=reserve))
    tally = Tally(context, reading)
    assert isinstance(starter.prompt, FinderPrompt)
    looked = look(starter.engine, starter.prompt, reading, context.passages, QUESTION, tally)
    assert len(looked.sentences) == min(CANDIDATES, len(context.passages))
    asked = len(starter.prompt.question(starter.engine, QUESTION))
    assert asked + tally.receipt().evidence_tokens <= reserve
    for index in looked.sentences:
        text = context.passages[index].text
        start, end = looked.quotation(index, text)
        assert text[start:end].strip()


def test_what_is_shown_was_looked_at_twice_and_no_more_is_asked() -> None:
    lines = [f"Clause {i}. The rent of flat {i} is due on Monday. It is paid in crowns." for i in range(9)]
    document = made(lines)
    engine = FakeEngine(Script(finder=FINDER))
    assistant = Assistant(engine)
    context = assistant.context([(document, passages(document, target_characters=60))])
    answer = drained(assistant.ask(context, Request("Is the rent due on Monday in crowns?")))
    assert len(engine.prompts) == 2
    assert len(answer.citations) == 3
    assert all(citation.quote in document.text for citation in answer.citations)
    assert answer.receipt.evidence_tokens == len(engine.prompts[1])
