"""A GGUF's own chat template, rendered once in a sandbox and cut into the pieces around what people say.

The pieces are token ids; what people say never passes through the template, so it cannot close a turn, and a prefix never
changes when turns are added. `strftime_now` is left undefined on purpose: a date would change the prefix every day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment
from unabridged.errors import ModelFileError

_SYSTEM, _QUESTION, _REPLY, _NEXT = "UNABRIDGED-SYSTEM-0", "UNABRIDGED-USER-1", "UNABRIDGED-REPLY-2", "UNABRIDGED-USER-3"
_HINT = "Choose a chat model with another template."


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
    question = {"role": "user", "content": _QUESTION}
    turns = [question, {"role": "assistant", "content": _REPLY}, {"role": "user", "content": _NEXT}]
    text = _render(template, [{"role": "system", "content": _SYSTEM}, *turns], bos=bos, eos=eos)
    has_system = _SYSTEM in text
    if not has_system:
        text = _render(template, turns, bos=bos, eos=eos)
    order = ([_SYSTEM] if has_system else []) + [_QUESTION, _REPLY, _NEXT]
    positions = [text.find(mark) for mark in order]
    if -1 in positions or positions != sorted(positions) or any(text.count(mark) != 1 for mark in order):
        raise ModelFileError("The model's chat template does not show a conversation in order.", hint=_HINT)
    rest, parts = text, []
    for mark in order:
        before, _, rest = rest.partition(mark)
        parts.append(before)
    parts.append(rest)
    if has_system:
        return TemplatePieces(parts[0], parts[1], answer=parts[4], next_question=parts[3])
    return TemplatePieces(parts[0], None, answer=parts[3], next_question=parts[2])


def _render(template: str, messages: list[dict[str, str]], *, bos: str, eos: str) -> str:
    """Empty where the template itself refuses these messages (many refuse a system role)."""
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"])
    names: Mapping[str, Any] = {
        "messages": messages,
        "add_generation_prompt": True,
        "enable_thinking": False,
        "bos_token": bos,
        "eos_token": eos,
        "raise_exception": _refuse,
    }
    try:
        return environment.from_string(template).render(names)
    except _Refused:
        return ""
    except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError) as error:
        raise ModelFileError(f"The model's chat template does not render ({type(error).__name__}).", hint=_HINT) from error


def _refuse(message: str) -> NoReturn:
    raise _Refused(message)
