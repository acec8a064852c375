"""Pages of earlier turns, put back where they stood: the same passages, the same numbers, so nothing is read again."""

import dataclasses
from collections.abc import Sequence

from unabridged.assistant import Request
from unabridged.errors import UsageError
from unabridged.library import Library
from unabridged.prompts import Numbered
from unabridged.turns import Turn
from unabridged.web.retrieved import PageRead, Retrieved


def with_pages(request: Request, turns: Sequence[Turn], library: Library, *, first_number: int) -> Request:
    """The request with each earlier exchange's pages; `turns` are those of its history. A page that was removed stays away."""
    history = []
    number = first_number
    for exchange, turn in zip(request.history, turns, strict=True):
        pages: list[Numbered] = []
        for page in turn.pages:
            pages += _passages(library, page, number + len(pages))
        number += len(pages)
        history.append(dataclasses.replace(exchange, pages=tuple(pages)))
    return dataclasses.replace(request, history=tuple(history))


def _passages(library: Library, page: PageRead, number: int) -> list[Numbered]:
    try:
        document = library.document(page.document_id)
    except UsageError:
        return []
    web = Retrieved(page.url, page.retrieved_at)
    passages = library.passages(page.document_id)[: page.passages]
    return [Numbered(number + position, document, passage, web) for position, passage in enumerate(passages)]
