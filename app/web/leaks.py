"""What may not leave: a search query that quotes a document. Eight words or fourteen Chinese characters in a row.

Case, width of characters, accents, punctuation, invisible characters and white space do not matter, nor whether Chinese is
written in simplified or traditional characters; words that are parted by Chinese ones still stand in a row, and the other way
round. Several queries of one question count as one text, so that no quotation leaves in pieces.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from typing import Any

from unabridged.errors import QueryRefused
from unabridged.ingest.document import Document
from unabridged.web.providers import LONGEST_QUERY
from unabridged.web.words import content_words, normal, times

WORDS_IN_A_ROW = 8
CHINESE_IN_A_ROW = 14
GLUED_LETTERS = 24  # eight words of so many letters are known without the spaces between them, too
_CHINESE = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_WORD = re.compile(rf"[^\W_{_CHINESE}]+")
_CHARACTER = re.compile(rf"[{_CHINESE}]")


def check_query(query: str, documents: Sequence[Document], *, earlier: Sequence[str] = ()) -> None:
    """Raises QueryRefused where the query, alone or after those of the same question, quotes one of the documents."""
    if not query.strip():
        raise QueryRefused("The search query is empty.", hint="Write what to search for.")
    if len(query) > LONGEST_QUERY:
        raise QueryRefused(f"The search query has {len(query):,} characters.", hint=f"At most {LONGEST_QUERY} are sent.")
    whole = " ".join([*earlier, query])
    for document in documents:
        if run := quoted_run(whole, document.text):
            raise QueryRefused(
                f"The search query quotes {document.name} (“{run}”), so it was not sent.",
                hint=f"Say it in other words: {WORDS_IN_A_ROW} words or {CHINESE_IN_A_ROW} Chinese characters in a row stay.",
            )


def telling_words(query: str, documents: Sequence[Document], known: str) -> list[str]:
    """Words of the query that the documents have and that are not known from elsewhere: sent, they would tell on a document."""
    texts = [normal(document.text) for document in documents]
    heard = normal(known)
    return [word for word in content_words(query) if not times(word, heard) and any(times(word, text) for text in texts)]


def quoted_run(query: str, text: str) -> str:
    """The first run of the query that is long enough to be a quotation of the text, normalised; "" for none."""
    asked = _plain(query)
    words, characters = _WORD.findall(asked), _CHARACTER.findall(asked)
    if len(words) < WORDS_IN_A_ROW and sum(map(len, words)) < GLUED_LETTERS and len(characters) < CHINESE_IN_A_ROW:
        return ""
    held = _plain(text)
    of_text = _WORD.findall(held)
    if run := _run(words, of_text, WORDS_IN_A_ROW, " ") or _glued(words, of_text):
        return run
    if len(characters) < CHINESE_IN_A_ROW:
        return ""
    return _run(_CHARACTER.findall(_one_script(asked)), _CHARACTER.findall(_one_script(held)), CHINESE_IN_A_ROW, "")


def _run(asked: Sequence[str], held: Sequence[str], length: int, glue: str) -> str:
    """The first `length` in a row of `asked` that stand in a row in `held`."""
    if len(asked) < length:
        return ""
    whole = glue + glue.join(held) + glue
    runs = (glue.join(asked[start : start + length]) for start in range(len(asked) - length + 1))
    return next((run for run in runs if f"{glue}{run}{glue}" in whole), "")


def _glued(asked: Sequence[str], held: Sequence[str]) -> str:
    """The first words in a row of `held` whose letters stand in a row in `asked`, however these are parted into words."""
    letters = "".join(asked)
    if len(letters) < GLUED_LETTERS:
        return ""
    whole = "".join(held)
    ends = [0, *accumulate(map(len, held))]
    for first in range(len(held) - WORDS_IN_A_ROW + 1):
        start, end = ends[first], ends[first + WORDS_IN_A_ROW]
        if end - start >= GLUED_LETTERS and whole[start:end] in letters:
            return " ".join(held[first : first + WORDS_IN_A_ROW])
    return ""


def _plain(text: str) -> str:
    """Normal, without accents and other marks, and without characters that nobody sees."""
    parts = unicodedata.normalize("NFKD", normal(text))
    return "".join(character for character in parts if unicodedata.category(character) not in ("Mn", "Cf"))


def _one_script(text: str) -> str:
    """Each Chinese character by itself as a simplified one."""
    found = sorted(set(_CHARACTER.findall(text)))
    simplified = str(_converter().convert("\n".join(found))).split("\n")
    return text.translate(dict(zip(map(ord, found), simplified, strict=True))) if found else text


@cache
def _converter() -> Any:  # noqa: ANN401 of a library without types
    from opencc import OpenCC

    return OpenCC("t2s")
