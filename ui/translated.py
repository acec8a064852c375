"""Sentences of the program in the language of the page. Errors, hints, problems and advice arise in English;
languages/said.<language>.json holds their templates: `sentences` as they stand in the sources, every value a `{}`, and `words`
that can stand at such a place. A test finds every template in the sources, so that none is forgotten. Knows no errors.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "languages"
TRANSLATED = frozenset({"zh"})
_BETWEEN = re.compile(r"(?<=\.) (?=[A-Z])")
CHOICE = "; or "  # between ways out that are told in one hint: see errors.DoesNotFit


@dataclass(frozen=True, slots=True)
class _Template:
    """`pattern` has a group for each value; `literal` counts the letters that are not values."""

    pattern: re.Pattern[str]
    translation: str
    literal: int


def translated(text: str, language: str) -> str:
    """The same in `language`, as far as it is known; values, names and what another program said stay as they are."""
    if language not in TRANSLATED or not text:
        return text
    return _translated(text, language) or _in_parts(text, language)


def translated_sentences(text: str, language: str) -> str:
    """Several sentences in a row, as errors are told where there is one line for sentence and hint."""
    if language not in TRANSLATED:
        return text
    return "".join(translated(sentence, language) for sentence in _BETWEEN.split(text))


def told(message: str, hint: str, *, language: str) -> dict[str, str]:
    """An error as every part of the page tells it."""
    return {"error": translated(message, language), "hint": translated(hint, language)}


def _translated(text: str, language: str) -> str | None:
    """The best template is the one that leaves least to its values."""
    for template in _templates(language):
        match = template.pattern.fullmatch(text)
        if match:
            return template.translation.format(*(translated(value or "", language) for value in match.groups()))
    return None


def _in_parts(text: str, language: str) -> str:
    """Ways out and lines are translated one by one."""
    for mark, between in ((CHOICE, "；或者"), ("\n", "\n")):
        if mark in text:
            return between.join(translated(part, language) for part in text.split(mark))
    return text


@cache
def _templates(language: str) -> tuple[_Template, ...]:
    found = []
    for english, translation in _catalogue(language).items():
        literals = english.split("{}")
        pattern = re.compile("(.*)".join(map(re.escape, literals)), re.DOTALL)
        numbered = translation
        for number in range(translation.count("{}")):
            numbered = numbered.replace("{}", f"{{{number}}}", 1)
        found.append(_Template(pattern, numbered, sum(map(len, literals))))
    return tuple(sorted(found, key=lambda template: template.literal, reverse=True))


def _catalogue(language: str) -> Mapping[str, str]:
    kept: dict[str, dict[str, str]] = json.loads((_FOLDER / f"said.{language}.json").read_text(encoding="utf-8"))
    return {**kept["sentences"], **kept["words"]}
