"""The server answers before the app is built, and is the app from then on."""

import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from starlette.types import ASGIApp
from unabridged.ui.opening import PAGE, WAITING, Opening


def nothing() -> None:
    pass


def opening(lived: list[str], wait: Callable[[], object]) -> Opening:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        lived.append("started")
        yield
        lived.append("ended")

    def build() -> ASGIApp:
        wait()
        app = FastAPI(lifespan=lifespan)

        @app.get("/")
        def home() -> str:
            return "the app"

        return app

    return Opening(build, failing=nothing)


def test_a_page_says_that_the_app_is_starting_until_it_is_there() -> None:
    lived: list[str] = []
    built = threading.Event()
    with TestClient(opening(lived, built.wait)) as client:
        waiting = client.get("/")
        assert WAITING in waiting.headers
        assert waiting.text == PAGE.read_text("utf-8")
        assert WAITING in PAGE.read_text("utf-8"), "the page looks for it"
        assert client.post("/upload").status_code == 503
        assert client.get("/live").status_code == 503
        built.set()
        deadline = time.monotonic() + 10
        while WAITING in (answer := client.get("/")).headers:
            assert time.monotonic() < deadline
        assert answer.json() == "the app"
        assert lived == ["started"]
    assert lived == ["started", "ended"]


def test_an_app_that_cannot_be_built_ends_the_server_and_says_why() -> None:
    ended = threading.Event()

    def build() -> ASGIApp:
        raise RuntimeError("no app")

    failed = Opening(build, failing=ended.set)
    with TestClient(failed):
        assert ended.wait(10)
    with pytest.raises(RuntimeError, match="no app"):
        raise failed.failed or AssertionError
