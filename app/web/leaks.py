"""What may not leave: a search query that quotes a document. Eight words or fourteen Chinese characters in a row.

Case, width of characters, punctuation and white space do not matter; words that are parted by Chinese ones still stand in a
row, and the other way round. Several queries of one question count as one text, so that no quotation leaves in pieces.
"""

import re
from collections.abc import Sequence

from unabridged.errors import QueryRefused
from unabridged.ingest.document import Document
from unabridged.web.providers import LONGEST_QUERY
from unabridged.web.words import content_words, normal, times

WORDS_IN_A_ROW = 8
CHINESE_IN_A_ROW = 14
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
    for pattern, length, glue in ((_WORD, WORDS_IN_A_ROW, " "), (_CHARACTER, CHINESE_IN_A_ROW, "")):
        asked = pattern.findall(normal(query))
        if len(asked) < length:
            continue
        held = glue + glue.join(pattern.findall(normal(text))) + glue
        for start in range(len(asked) - length + 1):
            run = glue.join(asked[start : start + length])
            if f"{glue}{run}{glue}" in held:
                return run
    return ""
