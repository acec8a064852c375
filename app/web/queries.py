"""What to search for: a chat model proposes it, for a finder the question's own words do. Never a quotation of a document."""

import json
from collections.abc import Sequence

from unabridged.assistant import Assistant, Request
from unabridged.errors import QueryRefused
from unabridged.events import drained
from unabridged.ingest.document import Document
from unabridged.models.engine import Reading, Sampling
from unabridged.prompts import ChatPrompt
from unabridged.web.leaks import check_query
from unabridged.web.words import one_line, question_query

QUERY_TOKENS = 96
_SCHEMA = json.dumps(
    {"type": "object", "properties": {"query": {"type": "string", "minLength": 1, "maxLength": 120}}, "required": ["query"]}
)
_REQUEST = (
    "The documents do not answer this question:\n{question}\n\nWrite a short query for a web search engine that may find the "
    "answer. Use the words of the question and general terms; nothing that only the documents tell. Answer as JSON with "
    "the one field query."
)


def proposed_query(assistant: Assistant, reading: Reading, request: Request, documents: Sequence[Document]) -> str:
    """A query that may leave; where the model's own would not, the words of the question stand in."""
    if isinstance(assistant.prompt, ChatPrompt):
        asked = assistant.prompt.question(
            assistant.engine, _REQUEST.format(question=request.question), request.history, request.notes
        )
        steps = assistant.engine.generate(reading, asked, limit=QUERY_TOKENS, sampling=Sampling(json_schema=_SCHEMA))
        query = _query_in(drained(steps).text)
        try:
            check_query(query, documents)
        except QueryRefused:
            return question_query(request.question)
        return query
    return question_query(request.question)


def _query_in(text: str) -> str:
    """The query in a model's JSON; "" where there is none."""
    try:
        found = json.loads(text[text.find("{") :], strict=False)
    except ValueError:
        return ""
    query = found.get("query", "") if isinstance(found, dict) else ""
    return one_line(query) if isinstance(query, str) else ""
