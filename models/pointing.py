"""What a finder's probabilities mean: which passages it points at, how sure it is, and which sentences to quote.

Knows probabilities, lengths and spans; no engine, no documents.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

SHORTEST = 150  # characters added to every length, so that a heading of two words does not count as the densest passage
HELD = 0.9  # of the probability: a quotation holds at least as much, where it may be long enough
WEIGHTS, CONSTANT = (0.490, 0.423, 0.832), -5.524  # of the evidence: python -m unabridged.models.starter.calibrate prints them
LEAST, CLEAR = 1e-9, 8.0  # a lift below which it is none; a logarithm above which a lead grows no clearer
COOLING = 2.0  # the finder is surer of a sentence than it is right (fitted on human questions outside the held-out fifth)


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


def pointed(probabilities: Sequence[float], lengths: Sequence[int]) -> Pointed:
    """From the probability of every passage and, last, of none; and the passages' lengths in characters.

    A long passage collects more votes by chance, so that what counts is the probability per character. In a long document
    every word has more places to vote for: the sum over the lengths makes up for it.
    """
    sizes = [length + SHORTEST for length in lengths]
    whole = sum(sizes)
    *passages, nothing = probabilities
    return Pointed(tuple(p * whole / size for p, size in zip(passages, sizes, strict=True)), nothing)


def quoted(
    probabilities: Sequence[float],
    spans: Sequence[tuple[int, int]],
    *,
    most_characters: int,
    held: float = HELD,
    cooling: float = COOLING,
) -> tuple[int, int]:
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
