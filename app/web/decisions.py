"""What a model may decide while it looks around on the web, and in which words: as its own template has tools called, or as
JSON in answer to a plain question.

Either way the words come under a grammar, in answer to our question, and are taken only whole: a decision is never found
inside other text. An address is never among them; a result is opened by its number.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from unabridged.errors import ModelFileError
from unabridged.models.chat_template import ToolPieces, cut_tools
from unabridged.models.engine import Sampling
from unabridged.web.words import one_line

LONGEST_QUERY = 120  # characters
_MAY = "You may look at the web for the question below before you answer it. "
_LEFT = " {left} steps are left.\n\nThe question: {question}"
_PLAINLY = (
    f"{_MAY}Decide the next step: open one of the results by its number, search again with another short query, or answer when "
    f"the pages above suffice. Answer as JSON.{_LEFT}"
)
_BY_CALL = (
    f"{_MAY}Call one function: open_result reads one of the results by its number, search_web searches again with another "
    f"short query, answer_now ends the search when the pages above suffice.{_LEFT}"
)


@dataclass(frozen=True, slots=True)
class Open:
    """Read the result of this number, counted from 1."""

    result: int


@dataclass(frozen=True, slots=True)
class Search:
    query: str


Decision = Open | Search | None  # None: answer now; or nothing that is a decision, which comes to the same


class Decisions(Protocol):
    def request(self, question: str, *, left: int) -> str:
        """What the model is asked, with so many steps left."""
        ...

    def sampling(self, results: int) -> Sampling:
        """The grammar of a decision among so many results."""
        ...

    def decision(self, text: str, *, results: int) -> Decision:
        """What the whole of a model's words decides."""
        ...


class PlainDecisions:
    """{"action": "open", "result": 2}, {"action": "search", "query": "…"} or {"action": "answer"}."""

    def request(self, question: str, *, left: int) -> str:
        return _PLAINLY.format(left=left, question=question)

    def sampling(self, results: int) -> Sampling:
        def one(action: str, **more: object) -> dict[str, object]:
            properties = {"action": {"const": action}, **more}
            return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}

        choices = [one("search", query={"type": "string", "minLength": 1, "maxLength": LONGEST_QUERY}), one("answer")]
        if results:
            choices.insert(0, one("open", result={"enum": list(range(1, results + 1))}))
        return Sampling(json_schema=json.dumps({"oneOf": choices}))

    def decision(self, text: str, *, results: int) -> Decision:
        match _parsed(text):
            case {"action": "open", "result": number, **rest} if not rest:
                return _open(number, results)
            case {"action": "search", "query": query, **rest} if not rest:
                return _search(query)
        return None


def _tool(name: str, description: str, **properties: Mapping[str, str]) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


TOOLS = (
    _tool("open_result", "Read one of the results of the search.", result={"type": "integer", "description": "Its number."}),
    _tool("search_web", "Search the web again.", query={"type": "string", "description": "A short query."}),
    _tool("answer_now", "End the search and answer the question."),
)


@dataclass(frozen=True, slots=True)
class ToolCalls:
    """Calls as the model's template writes them; see `tool_calls`."""

    pieces: ToolPieces

    def request(self, question: str, *, left: int) -> str:
        return f"{self.pieces.description}\n\n{_BY_CALL.format(left=left, question=question)}"

    def sampling(self, results: int) -> Sampling:
        character = r'[^"\\\x00-\x1F] | "\\" ["\\/bfnrt]'
        calls = [self._call("search_web", '{"query": "', "query", '"}'), self._call("answer_now", "{}")]
        rules = [f"query ::= character{{1,{LONGEST_QUERY}}}", f"character ::= {character}"]
        if results:
            calls.insert(0, self._call("open_result", '{"result": ', "result", "}"))
            rules.append("result ::= " + " | ".join(f'"{number}"' for number in range(1, results + 1)))
        before, after = _literal(self.pieces.before_call), _literal(self.pieces.after_call)
        return Sampling(grammar="\n".join([f"root ::= {before} ({' | '.join(calls)}) {after}", *rules]))

    def decision(self, text: str, *, results: int) -> Decision:
        """With or without the texts around a call: where they are control tokens, they do not come out as text."""
        before, after = self.pieces.before_call.strip(), self.pieces.after_call.strip()
        call = _parsed(text.strip().removeprefix(before).removesuffix(after))
        if not isinstance(call, dict) or set(call) != {"name", self.pieces.arguments}:
            return None
        match call["name"], call[self.pieces.arguments]:
            case "open_result", {"result": number, **rest} if not rest:
                return _open(number, results)
            case "search_web", {"query": query, **rest} if not rest:
                return _search(query)
        return None

    def _call(self, name: str, begin: str, rule: str = "", end: str = "") -> str:
        head = _literal(f'{{"name": "{name}", "{self.pieces.arguments}": {begin}')
        return f"{head} {rule} {_literal(end + '}')}"


def tool_calls(template: str, *, without: str = "") -> ToolCalls | None:
    """How a chat template has our tools called; None where it knows none, does not render, or writes calls not in JSON.

    `without` is the template for talk without tools, where that is another one.
    """
    try:
        pieces = cut_tools(template, TOOLS, without=without or template)
    except ModelFileError:
        return None
    return ToolCalls(pieces) if pieces else None


def _parsed(text: str) -> object:
    try:
        return json.loads(text, strict=False)  # the grammar of a JSON schema lets control characters into strings
    except ValueError:
        return None


def _open(number: object, results: int) -> Open | None:
    return Open(number) if isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= results else None


def _search(query: object) -> Search | None:
    return Search(one_line(query)) if isinstance(query, str) and one_line(query) else None


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
