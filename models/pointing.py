"""What a finder's probabilities mean: which passages it points at, how sure it is, and which sentences to quote.

Knows probabilities, lengths and spans; no engine, no documents.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Span = tuple[int, int]  # half-open, in characters of the passage

CANDIDATES = 4  # passages that are looked at twice
FIRST = 0.7  # weight of the first look, of 1: with less, contracts are answered better and people's English questions worse
SHORTEST = 150  # characters added to every length, so that a heading of two words does not count as the densest passage
SHORTEST_SENTENCE = 30  # the same for sentences
HELD = 0.9  # of the probability: a quotation holds at least as much, where it may be long enough
WEIGHTS, CONSTANT = (0.568, 0.367, 0.476), -4.378  # of the evidence: unabridged.models.starter.calibrate prints them
LEAST, CLEAR = 1e-9, 8.0  # a lift below which it is none; a logarithm above which a lead grows no clearer
MOST_CHARACTERS = {"en": 400, "zh": 200}  # of a quotation of several sentences
COOLING = 2.0  # the finder is surer of a sentence than it is right (fitted on human questions outside the held-out fifth)

HAN = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Pointed:
    """`lifts[i]`: how many times more probable passage i is than by its share of the text; `nothing`: P(no passage fits)."""

    lifts: tuple[float, ...]
    nothing: float

    @property
    def ranked(self) -> list[int]:
        """Passages, the best first."""
        return sorted(range(len(self.lifts)), key=lambda i: -self.lifts[i])

    @property
    def evidence(self) -> tuple[float, float, float]:
        """What speaks for the best passage, in logarithms: its lift against nothing and the second's; how many there are.

        The last makes up for what every word has in a long document: more places to vote for.
        """
        best, second = sorted((*self.lifts, 0.0), reverse=True)[:2]
        against_nothing = math.log(max(best, LEAST) / max(self.nothing, LEAST))
        return against_nothing, min(CLEAR, math.log(max(best, LEAST) / max(second, LEAST))), math.log(len(self.lifts))

    @property
    def certainty(self) -> float:
        """0 to 1: that the best passage answers the question."""
        odds = CONSTANT + sum(weight * value for weight, value in zip(WEIGHTS, self.evidence, strict=True))
        return 1 / (1 + math.exp(-odds))


def language_of(text: str) -> str:
    """zh where any Chinese character stands in it, else en."""
    return "zh" if HAN.search(text) else "en"


def pointed(probabilities: Sequence[float], lengths: Sequence[int], *, shortest: int = SHORTEST) -> Pointed:
    """From the probability of every passage and, last, of none; and the passages' lengths in characters.

    A long passage collects more votes by chance, so that what counts is the probability per character. In a long document
    every word has more places to vote for: the sum over the lengths makes up for it.
    """
    sizes = [length + shortest for length in lengths]
    whole = sum(sizes)
    *passages, nothing = probabilities
    return Pointed(tuple(p * whole / size for p, size in zip(passages, sizes, strict=True)), nothing)


@dataclass(frozen=True, slots=True)
class Looked:
    """What two looks say: at all passages in the whole document, and at the sentences of the nearest side by side.

    `sentences[i]`: of passage i, where its sentences are and how probably each of them answers.
    """

    points: Pointed
    sentences: dict[int, tuple[Sequence[Span], Sequence[float]]]

    @property
    def best(self) -> int:
        return self.points.ranked[0]

    def quotation(self, passage: int, text: str) -> Span:
        """What to quote of a passage that was looked at twice, and whose text this is."""
        spans, probabilities = self.sentences[passage]
        return quoted(probabilities, spans, most_characters=MOST_CHARACTERS[language_of(text)])


def looked_closer(first: Pointed, probabilities: Sequence[float], spans: Mapping[int, Sequence[Span]]) -> Looked:
    """From the first look, and of the second the probability of every sentence and, last, of none.

    `spans` are those of the sentences, by the index of their passage. A passage counts by its best sentence, so that words that
    stand together count for more than words all over it. A passage that was not looked at again has no lift.
    """
    lengths = [end - start for i in spans for start, end in spans[i]]
    again = pointed(probabilities, lengths, shortest=SHORTEST_SENTENCE)
    lifts = [0.0] * len(first.lifts)
    sentences: dict[int, tuple[Sequence[Span], Sequence[float]]] = {}
    at = 0
    for i, of_passage in spans.items():
        here = slice(at, at + len(of_passage))
        at = here.stop
        sentences[i] = of_passage, probabilities[here]
        lifts[i] = _mean(first.lifts[i], max(again.lifts[here], default=0.0))
    return Looked(Pointed(tuple(lifts), _mean(first.nothing, again.nothing)), sentences)


def _mean(first: float, again: float) -> float:
    """Of logarithms, by the weights of the looks."""
    return math.exp(FIRST * math.log(max(first, LEAST)) + (1 - FIRST) * math.log(max(again, LEAST)))


def quoted(
    probabilities: Sequence[float],
    spans: Sequence[Span],
    *,
    most_characters: int,
    held: float = HELD,
    cooling: float = COOLING,
) -> Span:
    """The span of the shortest run of sentences around the likeliest that holds `held` of the cooled probability.

    It grows towards the likelier neighbour and stays within `most_characters`, unless one sentence is longer.
    """
    cooled = [p ** (1 / cooling) for p in probabilities]
    wanted = held * sum(cooled)
    first = last = max(range(len(spans)), key=probabilities.__getitem__)  # not by the roots, where close ones may be equal
    while sum(cooled[first : last + 1]) < wanted:
        neighbours = [i for i in (first - 1, last + 1) if 0 <= i < len(spans)]
        room = [i for i in neighbours if spans[max(last, i)][1] - spans[min(first, i)][0] <= most_characters]
        if not room:
            break
        best = max(room, key=cooled.__getitem__)
        first, last = min(first, best), max(last, best)
    return spans[first][0], spans[last][1]
