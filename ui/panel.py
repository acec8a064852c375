"""A part of the page that draws itself: a Gradio HTML component with a script of ours and Python functions that it may call.

The template is constant on purpose. Gradio evaluates templates as code, so nothing that comes from a document or a model may
ever stand in one; it travels as JSON and is put on the page as text.
"""

from collections.abc import Callable
from typing import Any

import gradio as gr
from unabridged.errors import UnabridgedError
from unabridged.fault_report import report
from unabridged.ui.jobs import FAULT
from unabridged.ui.translated import told

Answer = Any  # what JSON can hold
Handler = Callable[[dict[str, Any]], Answer]

STYLES = ("unabridged", "chat", "source", "beside", "characters", "narrow")  # what comes later may overrule what came before
SCRIPTS = (
    *("core", "header", "library", "reading", "turns", "chat", "composer", "source", "text", "pages", "citations"),
    *("web", "memories", "talks", "characters", "scenes", "sheets", "lore", "models", "settings", "keys"),
)


def head(language: str) -> str:
    """What every panel needs first. Gradio loads it once, in this order, before a panel's own script runs."""
    scripts = "".join(f'<script src="/static/{name}.js"></script>' for name in SCRIPTS)
    styles = "".join(f'<link rel="stylesheet" href="/static/{name}.css">' for name in STYLES)
    return f'{styles}<link rel="icon" href="/static/icon.svg"><script src="/strings/{language}.js"></script>{scripts}'


def panel(name: str, *functions: Handler, language: str) -> gr.HTML:
    """`unabridged.panels[name]` of the scripts draws it; each function is there as `server.<its name>(object)`."""
    return gr.HTML(
        html_template=f'<div class="ub-panel" id="ub-{name}"></div>',
        js_on_load=f'unabridged.mount("{name}", element.firstElementChild, server, upload);',
        head=head(language),
        server_functions=[answering(function, language) for function in functions],
        apply_default_css=False,
        elem_id=f"panel-{name}",
    )


def answering(function: Handler, language: str) -> Handler:
    """Errors become values that the page shows: one sentence and one hint, in its language."""

    def answer(data: dict[str, Any]) -> Answer:
        try:
            return function(data)
        except UnabridgedError as error:
            return told(error.message, error.hint, language=language) | {"kind": type(error).__name__}
        except Exception as error:  # noqa: BLE001 a fault of ours: told to the user, and where it was is written down
            return told(FAULT, report(error), language=language) | {"kind": "Fault"}

    answer.__name__ = function.__name__
    return answer
