"""Mounts Gradio's page, once in each language. The only module of the server that imports Gradio; see opening.py for why."""

import asyncio
from collections.abc import Callable
from functools import partial

import gradio as gr
from fastapi import FastAPI
from unabridged.ui.handlers import Handlers
from unabridged.ui.page import page
from unabridged.ui.strings import LANGUAGES
from unabridged.ui.theme import theme


def mount_pages(app: FastAPI, handlers: Handlers, *, max_upload_bytes: int) -> None:
    """Each language stands under its own path."""
    _within_a_loop(partial(_mount, app, handlers, max_upload_bytes))


def _mount(app: FastAPI, handlers: Handlers, max_upload_bytes: int) -> None:
    for language in LANGUAGES:
        gr.mount_gradio_app(
            app,
            page(handlers, language=language),
            path=f"/{language}",
            theme=theme(),
            footer_links=[],
            run_history=False,
            ssr_mode=False,
            enable_monitoring=False,
            show_error=False,
            max_file_size=max_upload_bytes,
        )


def _within_a_loop(work: Callable[[], object]) -> None:
    """Gradio opens an event loop for each lock that it makes outside of one, and never closes it."""

    async def inside() -> None:
        work()

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(inside())
    else:
        work()
