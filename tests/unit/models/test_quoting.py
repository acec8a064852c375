"""A quotation is a span of the passage, whatever the model would like to say."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from unabridged.errors import UsageError
from unabridged.models.fast_bpe import byte_of_character
from unabridged.models.quoting import STEP, Copyist, Span

from tests.unit.models.tiny_models import CONTROL, vocabulary

_SPELLING = byte_of_character()
PIECES = [bytes(_SPELLING[character] for character in word) for word in vocabulary()[0]] + [b""] * len(CONTROL)
ENDS = np.array([not piece for piece in PIECES])
BYTE = {piece: token for token, piece in enumerate(PIECES) if len(piece) == 1}


def tokenize(text: str) -> np.ndarray:
    return np.array([BYTE[bytes([byte])] for byte in text.encode()], np.int32)


COPYIST = Copyist(PIECES, ENDS, tokenize)


def quote(
    passage: str, starts: list[int], ends: list[int], *, seed: int, limit: int = 40, liking: dict[int, float] | None = None
) -> Span:
    """Run the copyist against a model with random opinions, after `liking` some tokens more."""
    random = np.random.default_rng(seed)

    def opinion() -> np.ndarray:
        logits = random.standard_normal(len(PIECES)).astype(np.float32)
        for token, bonus in (liking or {}).items():
            logits[token] += bonus
        return logits

    copying = COPYIST.copy(opinion(), passage, starts=starts, ends=ends, limit=limit)
    fed = b""
    try:
        step = next(copying)
        while True:
            assert 0 < len(step) <= STEP
            fed += b"".join(PIECES[token] for token in step)
            step = copying.send([opinion() for _ in step])
    except StopIteration as stop:
        span: Span = stop.value
        assert fed.lstrip(b" ").startswith(passage[span.start : span.end].encode().lstrip(b" "))
        return span


@settings(max_examples=150, deadline=None)
@given(st.data(), st.text(min_size=1, max_size=60), st.integers(0, 99), st.integers(1, 60))
def test_a_quotation_runs_from_a_start_to_an_end_and_is_fed_byte_for_byte(
    data: st.DataObject, passage: str, seed: int, limit: int
) -> None:
    starts = data.draw(st.lists(st.integers(0, len(passage) - 1), min_size=1, max_size=5))
    ends = [*data.draw(st.lists(st.integers(1, len(passage)), max_size=4)), len(passage)]
    span = quote(passage, starts, ends, seed=seed, limit=limit)
    assert span.start in starts
    assert span.end in ends
    assert span.start < span.end


@st.composite
def vocabularies(draw: st.DrawFn) -> tuple[str, list[int], list[int], list[bytes]]:
    """A passage out of a longer text, its starts and ends, and tokens cut anywhere from that text, across the edges too."""
    text = draw(st.text(st.sampled_from("ab .é条\n"), min_size=3, max_size=24))
    first = draw(st.integers(0, len(text) - 2))
    passage = text[first : draw(st.integers(first + 1, len(text)))]
    raw = text.encode()
    cuts = st.tuples(st.integers(0, len(raw) - 1), st.integers(1, 6))
    pieces = {raw[at : at + size] for at, size in draw(st.lists(cuts, min_size=1, max_size=30))}
    if draw(st.booleans()):
        pieces |= {bytes([byte]) for byte in range(256)}
    starts = draw(st.lists(st.integers(0, len(passage) - 1), min_size=1, max_size=4))
    ends = draw(st.lists(st.integers(1, len(passage)), min_size=1, max_size=4))
    return passage, starts, ends, sorted(pieces)


def can_spell(data: bytes, pieces: set[bytes]) -> bool:
    ways = [True] + [False] * len(data)
    for end in range(1, len(data) + 1):
        ways[end] = any(ways[start] and data[start:end] in pieces for start in range(end))
    return ways[-1]


@settings(max_examples=400, deadline=None)
@given(vocabularies(), st.integers(0, 99), st.integers(1, 30))
def test_any_vocabulary_copies_byte_for_byte_or_says_that_it_cannot(
    drawn: tuple[str, list[int], list[int], list[bytes]], seed: int, limit: int
) -> None:
    passage, starts, ends, pieces = drawn
    random = np.random.default_rng(seed)
    whole = [*pieces, b""]  # the last one ends an answer

    def tokenize(text: str) -> np.ndarray:
        """As bad as tokenizers get: sometimes it spells something else."""
        return random.integers(0, len(pieces), len(text)).astype(np.int32)

    copyist = Copyist(whole, np.array([not piece for piece in whole]), tokenize)
    copying = copyist.copy(random.standard_normal(len(whole)), passage, starts=starts, ends=ends, limit=limit)
    possible = {
        start
        for start in starts
        for end in [min((end for end in ends if end > start), default=0)]
        if end and can_spell(passage[start:end].encode(), set(pieces))
    }
    fed = b""
    try:
        step = next(copying)
        while True:
            fed += b"".join(whole[token] for token in step)
            step = copying.send([random.standard_normal(len(whole)) for _ in step])
    except StopIteration as stop:
        span: Span = stop.value
        assert span.start in possible
        assert span.end in ends
        quotation, after = passage[span.start : span.end].encode(), passage[span.start :].encode()
        assert fed in (after[: len(fed)], b" " + after[: len(fed) - 1])
        assert len(fed) >= len(quotation)
    except UsageError:
        assert not possible


def test_the_model_chooses_the_start() -> None:
    passage = "Alpha stands here. Beta stands there."
    liking = {token: 30.0 for token, piece in enumerate(PIECES) if piece == b"B"}
    assert quote(passage, [0, 19], [18, 37], seed=1, liking=liking).start == 19


def test_the_model_chooses_the_end() -> None:
    passage = "One. Two. Three."
    closing = {token: 30.0 for token, piece in enumerate(PIECES) if piece.startswith(b'"')}
    assert quote(passage, [0], [4, 9, 16], seed=1, liking=closing).end == 4
    going_on = {token: 30.0 for token, piece in enumerate(PIECES) if piece == b" "}
    assert quote(passage, [0], [4, 9, 16], seed=1, liking=going_on).end == 16


def test_a_limit_shortens_to_a_possible_end_but_never_before_the_first() -> None:
    passage = "A long first sentence stands here. Second. Third."
    going_on = {token: 30.0 for token, piece in enumerate(PIECES) if piece == b" "}
    assert quote(passage, [0], [34, 42, 49], seed=3, limit=5, liking=going_on).end == 34
    assert quote(passage, [0], [34, 42, 49], seed=3, limit=43, liking=going_on).end in (34, 42)


def test_a_token_that_brings_its_own_space_may_open_a_quotation() -> None:
    passage = "rent is due. the tenant pays."
    liking = {token: 30.0 for token, piece in enumerate(PIECES) if piece == b" the"}
    assert liking
    assert quote(passage, [0, 13], [12, 29], seed=2, liking=liking).start == 13


def test_a_token_that_ends_inside_a_character_can_open_a_quotation() -> None:
    passage = "第一条。为了保护。"
    first = "为".encode()[:1]
    liking = {BYTE[first]: 30.0}
    assert quote(passage, [0, 4], [4, 9], seed=2, liking=liking).start == 4
