"""A GGUF's own chat template, rendered once in a sandbox and cut into the pieces around what people say, and around tools.

The pieces are token ids; what people say never passes through the template, so it cannot close a turn, and a prefix never
changes when turns are added. There is no date in it, which would change the prefix every day: `strftime_now` is undefined, as
templates with a default expect, and gives an empty text to those that insist.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from unabridged.errors import ModelFileError

_SYSTEM, _QUESTION, _REPLY, _NEXT = "UNABRIDGED-SYSTEM-0", "UNABRIDGED-USER-1", "UNABRIDGED-REPLY-2", "UNABRIDGED-USER-3"
_TOOL, _ARGUMENTS = "unabridged_tool_4", {"words": "UNABRIDGED-ARGUMENT-5"}
_HINT = "Choose a chat model with another template."
_BEFORE_CALL, _AFTER_CALL = re.compile(r"\s*(?:<\w+>\s*\[?)?"), re.compile(r"\]?(?:\s*</\w+>)?")
_CONTROL = re.compile(r"\s*(?:<\|[^|<>\s]+\|>|</?s>)(?:system|user|assistant)?\s*")


class _Refused(jinja2.TemplateError):
    pass


@dataclass(frozen=True, slots=True)
class TemplatePieces:
    """Template text (control tokens meant) around the system text, a question and a reply.

    `after_system` is None where the template has no system role: then the system text opens the first question.
    """

    before_system: str
    after_system: str | None
    answer: str
    next_question: str


def cut_template(template: str, *, bos: str, eos: str) -> TemplatePieces:
    """Raises ModelFileError where nothing that can be cut comes out."""
    turns = [
        {"role": "user", "content": _QUESTION},
        {"role": "assistant", "content": _REPLY},
        {"role": "user", "content": _NEXT},
    ]
    text = _render(template, [{"role": "system", "content": _SYSTEM}, *turns], bos=bos, eos=eos)
    if parts := _around([_SYSTEM, _QUESTION, _REPLY, _NEXT], text):
        return TemplatePieces(parts[0], parts[1], answer=parts[4], next_question=parts[3])
    # No system role; or one that moves on to the last question, behind what was read already.
    if parts := _around([_QUESTION, _REPLY, _NEXT], _render(template, turns, bos=bos, eos=eos)):
        return TemplatePieces(parts[0], None, answer=parts[3], next_question=parts[2])
    raise ModelFileError("The model's chat template does not show a conversation in order.", hint=_HINT)


def _around(marks: Sequence[str], text: str) -> list[str]:
    """What stands before, between and after the marks; nothing unless each is there once, in this order."""
    if any(text.count(mark) != 1 for mark in marks) or sorted(marks, key=text.find) != list(marks):
        return []
    return re.split("|".join(map(re.escape, marks)), text)


@dataclass(frozen=True, slots=True)
class ToolPieces:
    """What a template writes where there are tools: their description, and a call as JSON between two texts.

    A call is {"name": …, `arguments`: {…}}. Control tokens are left out.
    """

    description: str
    before_call: str
    after_call: str
    arguments: str


def cut_tools(
    template: str, tools: Sequence[Mapping[str, Any]], *, without: str, bos: str = "", eos: str = ""
) -> ToolPieces | None:
    """`without` is the template where there are no tools; often the same.

    None where the template knows no tools, or writes a call as anything but one JSON object of name and arguments.
    Raises ModelFileError where it does not render.
    """
    asked: list[dict[str, Any]] = [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": _QUESTION}]
    plain, told = _render(without, asked, bos=bos, eos=eos), _render(template, asked, bos=bos, eos=eos, tools=tools)
    inserted = _inserted(plain, told).rpartition(_SYSTEM)[2]
    if any(tool["function"]["name"] not in inserted for tool in tools):
        return None
    call = {"type": "function", "id": "call00004", "function": {"name": _TOOL, "arguments": _ARGUMENTS}}
    by_call = [*asked, {"role": "assistant", "content": "", "tool_calls": [call]}]
    by_words = [*asked, {"role": "assistant", "content": _REPLY}]
    called, said = (_render(template, turns, bos=bos, eos=eos, tools=tools) for turns in (by_call, by_words))
    start = called.rfind("{", 0, max(called.find(_TOOL), 0))
    head = said.partition(_REPLY)[0]
    if start < 0 or not called.startswith(head):
        return None
    try:
        found, end = json.JSONDecoder().raw_decode(called, start)
    except ValueError:
        return None
    arguments = next((name for name in ("arguments", "parameters") if found == {"name": _TOOL, name: _ARGUMENTS}), None)
    before, after = _BEFORE_CALL.fullmatch(called, len(head), start), _AFTER_CALL.match(called, end)
    if arguments is None or before is None or after is None:
        return None
    return ToolPieces(_CONTROL.sub("\n", inserted).strip(), before.group(), after.group(), arguments)


def _inserted(plain: str, told: str) -> str:
    """What `told` has between its longest beginning and its longest end that are those of `plain`."""
    most = min(len(plain), len(told))
    start = next((i for i in range(most) if plain[i] != told[i]), most)
    end = next((i for i in range(most - start) if plain[-1 - i] != told[-1 - i]), most - start)
    return told[start : len(told) - end]


def _render(
    template: str,
    messages: list[dict[str, Any]],
    *,
    bos: str,
    eos: str,
    tools: Sequence[Mapping[str, Any]] | None = None,
) -> str:
    """Empty where the template itself refuses these messages (many refuse a system role)."""
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", _Generation]
    )
    environment.filters["tojson"] = _as_json
    names: Mapping[str, Any] = {
        "messages": messages,
        "add_generation_prompt": True,
        "enable_thinking": False,
        "bos_token": bos,
        "eos_token": eos,
        "raise_exception": _refuse,
    }
    if tools is not None:
        names = {**names, "tools": tools}
    try:
        made = environment.from_string(template)
        try:
            return made.render(names)
        except jinja2.UndefinedError as error:
            if "strftime_now" not in str(error):
                raise
            return made.render({**names, "strftime_now": _undated})
    except _Refused:
        return ""
    except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError) as error:
        raise ModelFileError(f"The model's chat template does not render ({type(error).__name__}).", hint=_HINT) from error


class _Generation(Extension):
    """{% generation %} … {% endgeneration %}: marks for training what the model says; here just its text."""

    tags = {"generation"}  # noqa: RUF012  as the base class has it

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _undated(_format: str) -> str:
    return ""


def _as_json(
    value: object, indent: int | None = None, *, ensure_ascii: bool = False, separators: tuple[str, str] | None = None
) -> str:
    """As those who write chat templates know it: nothing escaped for HTML, keys in their order."""
    return json.dumps(value, indent=indent, ensure_ascii=ensure_ascii, separators=separators)


def _refuse(message: str) -> NoReturn:
    raise _Refused(message)
