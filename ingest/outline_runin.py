"""Titles that run in: in "4.2 Detailing. Each party shall …" the first words are the clause's title.

Finds where such a title ends, so that the outline can name the clause; looks at the words of one block. Titles are written with
capitals, end with a full stop and are short; what could be the first sentence of the clause is none.
"""

import re
from collections.abc import Sequence

from unabridged.ingest.clauses import RANK_CLAUSE, RANK_ITEM, Number

_TITLE = re.compile(r"[\s.)\]:–—-]*([A-Z][^.\n“”\"\[\]]{1,79})\.(?=\s+[A-Z“\"(\[*]|\s*\Z)")
_WORD = re.compile(r"[^\W\d_][\w’'-]*")
_MOST_WORDS = 12
_SMALL = 3  # letters of a word that titles write without a capital
_SMALL_WORDS = frozenset(("with", "from", "into", "upon", "under", "than", "that"))
_SENTENCE_WORDS = frozenset(("shall", "means", "mean", "will", "must", "agrees", "agree"))
_ABBREVIATIONS = frozenset(("inc", "no", "nos", "co", "corp", "ltd", "llc", "mr", "mrs", "ms", "dr", "st", "vs", "art", "sec"))
_PLAIN = "1."  # the style of items that are the clauses of many contracts
_FEWEST, _MOST_OF = 3, 0.5  # such items with titles, and their share


def title_lengths(bodies: Sequence[str], numbers: Sequence[Number | None]) -> list[int]:
    """For every block how many code points of its text (white space before it removed) are number and title; 0 for no title.

    Plain items (1., 2.) have titles only where most of them do and something stands under each: a contract's clauses.
    """
    lengths = [0 if number is None else _length(body, number) for body, number in zip(bodies, numbers, strict=True)]
    plain = [index for index, number in enumerate(numbers) if number is not None and number.style == _PLAIN]
    titled = [index for index in plain if lengths[index] and not (_is_whole(index, bodies, lengths) and index + 1 in plain)]
    if len(titled) < max(_FEWEST, _MOST_OF * len(plain)):
        titled = []
    for index in set(plain).difference(titled):
        lengths[index] = 0
    return lengths


def _is_whole(index: int, bodies: Sequence[str], lengths: Sequence[int]) -> bool:
    """Whether the block is its title and nothing else."""
    return not bodies[index][lengths[index] :].strip()


def _length(body: str, number: Number) -> int:
    is_clause = RANK_CLAUSE <= number.rank < RANK_ITEM and number.style != "条"
    if not is_clause and number.style != _PLAIN:
        return 0
    match = _TITLE.match(body, number.length)
    if match is None:
        return 0
    words = _WORD.findall(match[1])
    if not 0 < len(words) <= _MOST_WORDS or len(words[-1]) == 1 or words[-1].lower() in _ABBREVIATIONS:
        return 0  # Baum, L. and Smith Inc. go on
    if not all(word[0].isupper() or len(word) <= _SMALL or word in _SMALL_WORDS for word in words):
        return 0
    return 0 if _SENTENCE_WORDS.intersection(word.lower() for word in words) else match.end()


def is_lone_title(body: str, number: Number, *, under: Number | None) -> bool:
    """Whether 一、合同标的, or A. Methods under II. RESULTS, stands by itself as the title of what follows."""
    line = body.strip()
    if number.style == "A.":
        begins_like_one = line[number.length :].strip()[:1].isupper() and under is not None and under.style == "roman"
        return begins_like_one and len(line) <= 80 and not re.search(r"[\n.;,:]\Z", line)
    return number.style == "一、" and len(line) <= 40 and not re.search(r"[\n。；，：！？;,:]", line)
