"""A model's words as HTML: Markdown, tables, formulas, numbered citations, folded reasoning. Everything else is text.

No raw HTML, no links and no images: a model that read a hostile document could be led to write a link that tells on it.
Such things stand there as they were written.
"""

import html
import re
from collections.abc import Collection, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from mdit_py_plugins.dollarmath import dollarmath_plugin
from unabridged.marks import QUOTATION_MARKS
from unabridged.ui.formulas import formula

_MARKER = re.compile(r"\[(\d{1,4})\]")
_THINKING = re.compile(r"\s*<think>(.*?)(</think>|\Z)", re.DOTALL)
_PLACE = re.compile("\ue000([0-9]+)\ue001")
_BRACKETS = re.compile(r"\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL)  # the other way to write formulas


def answer_html(
    text: str,
    *,
    cited: Collection[int],
    from_web: Collection[int] = (),
    quotes: Sequence[str] = (),
    thinking_label: str,
    pending: bool = False,
) -> str:
    """`cited` are the numbers of placed citations: they become links, those that are `from_web` of another look.
    Others are shown only while `pending`, and greyed. `quotes` stand, between quotation marks, as they are in the source: a
    document's own stars, dollars and lines are no Markdown."""
    thought = _THINKING.match(text)
    folded = ""
    if thought:
        folded = (
            f'<details class="ub-thinking"><summary>{html.escape(thinking_label)}</summary>'
            f"<div>{_markdown().render(thought[1].strip())}</div></details>"
        )
        text = text[thought.end() :]
    text = _set_aside(text, quotes)
    text = _BRACKETS.sub(lambda match: f"${match[1]}$" if match[1] else f"$$\n{match[2].strip()}\n$$", text)
    body: str = _markdown().render(text, {"cited": frozenset(cited), "from_web": frozenset(from_web), "pending": pending})
    return folded + _PLACE.sub(lambda match: html.escape(quotes[int(match[1])]).replace("\n", "<br>\n"), body)


def _set_aside(text: str, quotes: Sequence[str]) -> str:
    """With a place in private-use characters for every quotation, whose number in `quotes` it holds."""
    text = _PLACE.sub("", text)
    for n in sorted(range(len(quotes)), key=lambda n: -len(quotes[n])):
        for opening, closing in QUOTATION_MARKS:
            text = text.replace(f"{opening}{quotes[n]}{closing}", f"{opening}\ue000{n}\ue001{closing}")
    return text


def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
    markdown.disable(["link", "image", "autolink", "html_inline", "html_block", "reference", "entity"])
    markdown.use(dollarmath_plugin, allow_space=False, allow_digits=False, renderer=_formula)
    markdown.add_render_rule("text", _text)
    return markdown


def _formula(latex: str, options: dict[str, Any]) -> str:
    return formula(latex, block=options["display_mode"])


def _text(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: dict[str, Any]) -> str:
    """Text with its citation numbers. A rule of the renderer, so that numbers in code and formulas stay what they are."""
    cited, pending = env.get("cited", frozenset()), env.get("pending", False)
    pieces: list[str] = []
    at = 0
    content = tokens[index].content
    for match in _MARKER.finditer(content):
        n = int(match[1])
        if n in cited:
            looks = "ub-cite ub-web" if n in env.get("from_web", ()) else "ub-cite"
            mark = f'<a class="{looks}" role="button" tabindex="0" data-n="{n}">{n}</a>'
        elif pending:
            mark = f'<span class="ub-cite ub-pending">{n}</span>'
        else:
            continue
        pieces += [html.escape(content[at : match.start()], quote=False).rstrip(" "), mark]
        at = match.end()
    return "".join(pieces) + html.escape(content[at:], quote=False)
