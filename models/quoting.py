"""Constrained copying: the model chooses where a quotation starts and ends, never what it says. Knows bytes and tokens.

A passage is a string of bytes, and a token is allowed where its bytes are the next bytes of the passage; so it works for
every tokenizer, also where a token ends inside a character. While several starts are possible the most probable allowed
token decides, step by step, which remain. Then the text is certain and is fed a stretch at a time, from one possible end
to the next; at each end the model is asked whether it would rather close (end of turn, closing quotation mark, new line)
or go on with the passage.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from unabridged.errors import UsageError
from unabridged.models.choosing import log_softmax
from unabridged.models.engine import Tokens
from unabridged.models.llama_context import Logits

STEP = 64  # tokens fed at once, all with logits
_CLOSERS = tuple(mark.encode() for mark in '"”’」』»›)）]】\n')

LogProbs = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Span:
    """In code points; `logprob` is the mean per token."""

    start: int
    end: int
    logprob: float


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A possible start, the byte reached from it, and the nearest possible end."""

    start: int
    at: int
    end: int


class Copyist:
    """For one vocabulary: `pieces[t]` are the bytes of token t, `ends[t]` says whether it ends an answer."""

    def __init__(self, pieces: Sequence[bytes], ends: NDArray[np.bool_], tokenize: Callable[[str], Tokens]) -> None:
        self._pieces, self._tokenize = pieces, tokenize
        self._tokens_of: dict[bytes, list[int]] = {}
        for token, piece in enumerate(pieces):
            if piece and not ends[token]:
                self._tokens_of.setdefault(piece, []).append(token)
        self._longest = max(map(len, self._tokens_of), default=1)
        self._spells_all = all(bytes([byte]) in self._tokens_of for byte in range(256))
        closes = np.fromiter((piece.lstrip(b" ").startswith(_CLOSERS) for piece in pieces), bool, len(pieces))
        self._closes = np.flatnonzero(closes | ends)

    def copy(
        self, logits: Logits, passage: str, *, starts: Sequence[int], ends: Sequence[int], limit: int
    ) -> Generator[Tokens, Sequence[Logits], Span]:
        """Yields the tokens to feed next (at most STEP), wants one row of logits for each, returns the span.

        `limit` is in tokens; it never cuts a quotation before its first possible end.
        """
        offsets = _byte_offsets(passage)
        text = passage.encode("utf-8", "surrogatepass")
        stops = sorted({offsets[end] for end in ends if 0 < end <= len(passage)})
        candidates = _candidates([offsets[start] for start in sorted(set(starts)) if 0 <= start < len(passage)], stops)
        if not candidates:
            raise UsageError("No quotation can be made: no start stands before an end.", hint="Report this as a bug.")
        leads = self._leads(text, stops)
        candidates = [candidate for candidate in candidates if leads[candidate.at]]
        if not candidates:
            raise _no_tokens()
        now, total, count, first = log_softmax(logits), 0.0, 0, True
        while len(candidates) > 1 and all(candidate.at < candidate.end for candidate in candidates):
            token, candidates = self._step(now, text, candidates, leads, first=first)
            total, count, first = total + float(now[token]), count + 1, False
            rows = yield np.array([token], np.int32)
            now = log_softmax(rows[0])
        chosen = next((c for c in candidates if c.at >= c.end), candidates[0])
        at, best = chosen.at, chosen.end
        best_margin, best_mean, reached = -np.inf, 0.0, False
        for stop in [stop for stop in stops if stop >= chosen.end]:
            tokens = self._cover(text[at:stop])
            if tokens is None or (reached and count + len(tokens) > limit):
                break
            for start in range(0, len(tokens), STEP):
                step = tokens[start : start + STEP]
                rows = yield step
                for token, row in zip(step, rows, strict=True):
                    total, now = total + float(now[token]), log_softmax(row)
            at, count = stop, count + len(tokens)
            margin = self._margin_to_close(now, text, at)
            if margin > best_margin or not reached:
                best, best_margin, best_mean, reached = stop, margin, total / max(count, 1), True
            if margin >= 0:
                break
        position = {byte: index for index, byte in enumerate(offsets)}
        return Span(position[chosen.start], position[best], best_mean)

    def _step(
        self, now: LogProbs, text: bytes, candidates: Sequence[_Candidate], leads: NDArray[np.bool_], *, first: bool
    ) -> tuple[int, list[_Candidate]]:
        """The most probable token that some candidate allows, and the candidates that allow it.

        The first token may bring a space of its own, as words in the middle of a line do.
        """
        allowed: dict[int, list[_Candidate]] = {}
        for candidate in candidates:
            rest = text[candidate.at : min(candidate.at + self._longest, candidate.end)]
            for lead in (b"", b" ") if first else (b"",):
                for size in range(1, len(rest) + 1):
                    moved = _Candidate(candidate.start, candidate.at + size, candidate.end)
                    if moved.at < moved.end and not leads[moved.at]:
                        continue
                    for token in self._tokens_of.get(lead + rest[:size], ()):
                        allowed.setdefault(token, []).append(moved)
        token = max(allowed, key=lambda token: now[token])
        return token, allowed[token]

    def _leads(self, text: bytes, stops: Sequence[int]) -> NDArray[np.bool_]:
        """[bytes + 1] from where tokens lead to the next stop; everywhere, in a vocabulary that has every single byte."""
        leads = np.full(len(text) + 1, self._spells_all)
        for before, stop in zip([0, *stops], () if self._spells_all else stops, strict=False):
            for at in range(stop - 1, before - 1, -1):
                sizes = [size for size in range(1, min(self._longest, stop - at) + 1) if at + size == stop or leads[at + size]]
                leads[at] = any(text[at : at + size] in self._tokens_of for size in sizes)
        return leads

    def _cover(self, data: bytes) -> Tokens | None:
        """Tokens that spell `data` exactly: as the tokenizer would, or else the longest that lead to its end; None without."""
        if not data:
            return np.empty(0, np.int32)
        try:
            tokens = self._tokenize(data.decode("utf-8"))
        except UnicodeDecodeError:  # a chosen token ended inside a character
            tokens = np.empty(0, np.int32)
        if b"".join(self._pieces[token] for token in tokens) == data:
            return tokens
        leads, found, at = self._leads(data, [len(data)]), [], 0
        if not leads[0]:
            return None
        while at < len(data):
            longest = range(min(self._longest, len(data) - at), 0, -1)
            useful = (size for size in longest if at + size == len(data) or leads[at + size])
            size = next(size for size in useful if data[at : at + size] in self._tokens_of)
            found.append(self._tokens_of[data[at : at + size]][0])
            at += size
        return np.array(found, np.int32)

    def _margin_to_close(self, now: LogProbs, text: bytes, at: int) -> float:
        """log P(close) - log P(go on with the passage); above or at 0 the model would rather close."""
        rest = text[at : at + self._longest]
        on = [token for size in range(1, len(rest) + 1) for token in self._tokens_of.get(rest[:size], ())]
        if not on:
            return float(np.inf)
        return _log_sum(now[np.setdiff1d(self._closes, on)]) - _log_sum(now[np.array(on)])


def _no_tokens() -> UsageError:
    return UsageError("The passage has bytes that the model has no tokens for.", hint="Choose another model.")


def _log_sum(values: LogProbs) -> float:
    return float(np.logaddexp.reduce(values)) if len(values) else float(-np.inf)


def _byte_offsets(text: str) -> list[int]:
    """offsets[i] is where code point i begins in UTF-8; one more at the end."""
    sizes = [len(character.encode("utf-8", "surrogatepass")) for character in text]
    return [0, *np.cumsum(sizes).tolist()] if sizes else [0]


def _candidates(starts: Sequence[int], stops: Sequence[int]) -> list[_Candidate]:
    found = []
    for start in starts:
        end = next((stop for stop in stops if stop > start), None)
        if end is not None:
            found.append(_Candidate(start, start, end))
    return found
