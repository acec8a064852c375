"""Whether the keys of a lorebook stand in what was said: words, or patterns that are kept from running away.

A pattern is measured before it is compiled, because nested repetitions grow without bound there, and searched with a time
limit; the `regex` package has one, Python's own `re` has not.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import regex

LONGEST_PATTERN = 500  # characters
LARGEST_PATTERN = 20_000  # parts, repetitions multiplied out
SEARCH_TIMEOUT_S = 0.05
ALL_SEARCHES_TIMEOUT_S = 1.0  # of one turn

_SLASHED = re.compile(r"/(.+)/([a-z]*)", re.DOTALL)
_FLAGS = {"i": regex.IGNORECASE, "m": regex.MULTILINE, "s": regex.DOTALL, "g": 0, "u": 0, "v": 0, "y": 0, "d": 0}
# Scripts that put spaces between words; in the others a word has no border that could be checked.
_SPACED = "0-9A-Za-z_\u00aa-\u024f\u0370-\u052f\u0590-\u06ff\u1e00-\u1fff"
_SPACED_LETTER = re.compile(f"[{_SPACED}]")


@dataclass(slots=True)
class KeySearch:
    """Keys of one turn. `problems` are sentences about keys that could not be searched, each once."""

    problems: list[str] = field(default_factory=list)
    _left_s: float = ALL_SEARCHES_TIMEOUT_S
    _compiled: dict[tuple[str, bool, bool, bool], "Callable[[str], bool]"] = field(default_factory=dict)

    def found(self, key: str, text: str, *, as_pattern: bool, case_sensitive: bool, whole_words: bool) -> bool:
        slot = (key, as_pattern, case_sensitive, whole_words)
        if slot not in self._compiled:
            self._compiled[slot] = self._prepared(*slot)
        return self._compiled[slot](text)

    def _prepared(self, key: str, as_pattern: bool, case_sensitive: bool, whole_words: bool) -> Callable[[str], bool]:
        slashed = _SLASHED.fullmatch(key)
        if slashed and set(slashed[2]) <= set(_FLAGS):
            flags = sum({_FLAGS[flag] for flag in slashed[2]})
            return self._pattern(slashed[1].replace("\\/", "/"), flags)
        if as_pattern:
            return self._pattern(key, 0 if case_sensitive else regex.IGNORECASE)
        if not case_sensitive:
            key = key.lower()
        pattern = _bordered(key) if whole_words else ""

        def search(text: str) -> bool:  # most keys are not there at all: only the others are compiled
            said = text if case_sensitive else text.lower()
            return key in said and (not pattern or re.search(pattern, said) is not None)

        return search

    def _pattern(self, pattern: str, flags: int) -> Callable[[str], bool]:
        if len(pattern) > LONGEST_PATTERN or size_of(pattern) > LARGEST_PATTERN:
            self._report(f"The pattern {_short(pattern)} is too large to be searched.")
            return _never
        try:
            compiled = regex.compile(pattern, flags | regex.VERSION0)
        except (regex.error, RecursionError, OverflowError) as error:
            self._report(f"The pattern {_short(pattern)} is not well formed ({error}).")
            return _never

        def search(text: str) -> bool:
            if self._left_s <= 0:
                self._report("The patterns of the lorebook take too long; the rest of them was not searched.")
                return False
            limit = min(SEARCH_TIMEOUT_S, self._left_s)
            try:
                return compiled.search(text, timeout=limit) is not None
            except TimeoutError:
                self._left_s -= limit
                self._report(f"The pattern {_short(pattern)} takes too long and was given up.")
                return False

        return search

    def _report(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)


def size_of(pattern: str) -> int:
    """About how many parts a pattern has once its repetitions are written out; groups count as what they hold."""
    sizes = [0]  # of the open groups
    last = 0  # of what a repetition would repeat
    position = 0
    while position < len(pattern):
        step = _STEP.match(pattern, position)
        sign = step.group() if step else pattern[position]
        position += len(sign)
        if sign == "(":
            sizes.append(1)
            last = 0
        elif sign == ")" and len(sizes) > 1:
            last = sizes.pop()
            sizes[-1] += last
        elif times := _times(sign):
            sizes[-1] += last * (times - 1)
            last *= times
        else:
            last = 1
            sizes[-1] += 1
        if sizes[-1] > LARGEST_PATTERN:
            return sizes[-1]
    return sum(sizes)


_STEP = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{\d*,?\d*\}|[*+?()]", re.DOTALL)


def _times(sign: str) -> int:
    """How often the largest finite part of a repetition is written out; 0 for what is no repetition."""
    if sign in ("*", "+", "?"):
        return 2
    if sign[:1] == "{":
        return max((int(number[:9]) for number in re.findall(r"\d+", sign)), default=1) + 1
    return 0


def _bordered(key: str) -> str:
    """Not in the middle of a longer word, where the script has words with borders."""
    before = f"(?<![{_SPACED}])" if _SPACED_LETTER.match(key[0]) else ""
    after = f"(?![{_SPACED}])" if _SPACED_LETTER.match(key[-1]) else ""
    return before + re.escape(key) + after


def _never(_: str) -> bool:
    return False


def _short(pattern: str) -> str:
    return f"/{pattern[:40]}{'…' if len(pattern) > 40 else ''}/"
