"""BM25 over passages: the yardstick beside every score of the starter. Knows no model.

Robertson's formula with k1 = 1.2, b = 0.75 and idf = log(1 + (N - n + 0.5) / (n + 0.5)). Terms are lower-cased words; Chinese
gives pairs of neighbouring characters, as Lucene's CJK analyser does.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

TERM = re.compile(r"[㐀-䶿一-鿿]+|[^\W_]+")
K1, B = 1.2, 0.75


def terms(text: str) -> list[str]:
    found: list[str] = []
    for run in TERM.findall(text.lower()):
        if run[0] >= "㐀" and len(run) > 1:
            found += (run[i : i + 2] for i in range(len(run) - 1))
        else:
            found.append(run)
    return found


class BM25:
    def __init__(self, passages: Sequence[str]) -> None:
        counts = [Counter(terms(passage)) for passage in passages]
        lengths = np.array([sum(c.values()) for c in counts], float)
        self._norm = K1 * (1 - B + B * lengths / max(lengths.mean(), 1))
        self._where: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for index, count in enumerate(counts):
            for term, times in count.items():
                self._where[term].append((index, times))

    def scores(self, question: str) -> NDArray[np.float64]:
        """One score per passage."""
        scores = np.zeros(len(self._norm))
        for term in terms(question):
            found = self._where.get(term, [])
            idf = math.log(1 + (len(scores) - len(found) + 0.5) / (len(found) + 0.5))
            for index, times in found:
                scores[index] += idf * times * (K1 + 1) / (times + self._norm[index])
        return scores
