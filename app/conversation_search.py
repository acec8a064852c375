"""Words of conversations as the search index wants them, and hits as people want to see them. Knows text, not the database.

The index knows words between spaces, and Chinese has none: every Chinese or Japanese character becomes a word of its own and a
sought word the sequence of its characters, so that words of one or two characters are found as well as long ones.
"""

import re
from dataclasses import dataclass

_IDEOGRAPHS = re.compile(r"([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f])")
_BEFORE, _AFTER = 40, 80  # characters of a hit's surroundings


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a conversation has the words: in a turn, or in its title (`turn_id` is None)."""

    conversation_id: str
    title: str
    turn_id: str | None
    before: str
    words: str
    after: str


def spaced(text: str) -> str:
    return _IDEOGRAPHS.sub(r" \1 ", text)


def query(words: str) -> str:
    """The index's own language for: all of these words, in any order, the last one perhaps unfinished. "" for no words."""
    phrases = ['"{}"'.format(" ".join(spaced(word).replace('"', " ").split())) for word in words.split()]
    phrases = [phrase for phrase in phrases if any(map(str.isalnum, phrase))]
    return " AND ".join(phrases) + "*" if phrases else ""


def surroundings(text: str, words: str) -> tuple[str, str, str]:
    """What stands before the first of the words that the text has, the word as it stands there, and what follows."""
    found = [match for word in words.split() if (match := re.search(re.escape(word), text, re.IGNORECASE))]
    if not found:  # the index folds accents; the text then begins the line
        return "", "", text[:_AFTER]
    first = min(found, key=lambda match: match.start())
    start, end = first.span()
    return text[max(0, start - _BEFORE) : start], first.group(), text[end : end + _AFTER]
