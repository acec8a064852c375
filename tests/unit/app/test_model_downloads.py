"""Models are fetched whole, go on where they stopped, and are checked. Over a hub of our own on this machine."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from unabridged.errors import HomeError, ModelFileError, UsageError
from unabridged.home import Home
from unabridged.model_downloads import STEP_BYTES, Downloading, download
from unabridged.offered_models import OFFERED, OfferedModel, offered
from unabridged.settings import load_settings
from unabridged.store import Store
from unabridged.web.network_log import NetworkLog

from tests.hub import CONTENT, Hub

MODEL = OfferedModel("Tiny", "someone/Tiny-GGUF", "tiny.gguf", 0.02, "Apache-2.0", 4096, 2, 2, 64)


@pytest.fixture
def hub() -> Iterator[Hub]:
    running = Hub()
    yield running
    running.close()


@pytest.fixture
def log(home: Home) -> Iterator[NetworkLog]:
    store = Store(home.database)
    yield NetworkLog(store)
    store.close()


def fetched(hub: Hub, home: Home, log: NetworkLog) -> tuple[Path, list[Downloading]]:
    steps, seen = download(MODEL, home, log, endpoint=hub.address), []
    while True:
        try:
            seen.append(next(steps))
        except StopIteration as end:
            return end.value, seen


def test_a_model_arrives_whole_with_progress(hub: Hub, home: Home, log: NetworkLog) -> None:
    path, seen = fetched(hub, home, log)
    assert path == home.models / "tiny.gguf"
    assert path.read_bytes() == CONTENT
    counts = [step.done for step in seen if not step.checking]
    assert counts == sorted(set(counts))
    assert counts[-1] == len(CONTENT)
    assert [step.done for step in seen if step.checking][-1] == len(CONTENT)
    assert list(home.models.iterdir()) == [path], "no part is left behind"


def test_only_the_file_is_asked_for_and_the_machine_is_not_described(hub: Hub, home: Home, log: NetworkLog) -> None:
    fetched(hub, home, log)
    assert hub.asked == [("HEAD", "/someone/Tiny-GGUF/resolve/main/tiny.gguf", None), ("GET", "/bytes", None)]
    noted = [(line.host, line.purpose, line.received) for line in log.requests()]
    assert noted == [("localhost", "model", len(CONTENT)), ("127.0.0.1", "model", None)], "the network log holds both"
    assert not any("torch" in agent or "agent/" in agent for agent in hub.agents)


def test_a_stopped_transfer_goes_on_where_it_stopped(hub: Hub, home: Home, log: NetworkLog) -> None:
    steps = download(MODEL, home, log, endpoint=hub.address)
    next(steps)
    steps.close()
    have = next(home.models.glob("*.part")).stat().st_size
    assert 0 < have < len(CONTENT)
    path, _ = fetched(hub, home, log)
    assert path.read_bytes() == CONTENT
    assert hub.asked[-1] == ("GET", "/bytes", f"bytes={have}-")


def test_a_broken_connection_is_taken_up_again(hub: Hub, home: Home, log: NetworkLog) -> None:
    hub.breaks_after = 2 * STEP_BYTES
    path, _ = fetched(hub, home, log)
    assert path.read_bytes() == CONTENT
    first, second = [range_ for method, _, range_ in hub.asked if method == "GET"]
    assert (first, second) == (None, f"bytes={2 * STEP_BYTES}-")


def test_bytes_that_differ_from_the_checksum_are_deleted(hub: Hub, home: Home, log: NetworkLog) -> None:
    hub.content = CONTENT[:-1] + b"!"
    with pytest.raises(ModelFileError, match="its checksum differs"):
        fetched(hub, home, log)
    assert list(home.models.iterdir()) == []


def test_a_file_that_is_here_is_not_fetched_again(hub: Hub, home: Home, log: NetworkLog) -> None:
    fetched(hub, home, log)
    before = len(hub.asked)
    fetched(hub, home, log)
    assert len(hub.asked) == before


def test_a_hub_that_refuses_or_is_away_is_told_in_one_sentence(hub: Hub, home: Home, log: NetworkLog) -> None:
    hub.status = 404
    with pytest.raises(ModelFileError, match=r"The hub refused tiny\.gguf \(HTTP 404\)\."):
        fetched(hub, home, log)
    hub.close()
    with pytest.raises(ModelFileError, match="The hub cannot be reached"):
        fetched(hub, home, log)


def test_a_file_too_large_for_the_disk_is_refused_before_it_is_fetched(
    hub: Hub, home: Home, log: NetworkLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 1000})())
    with pytest.raises(HomeError, match="GB are free"):
        fetched(hub, home, log)
    assert [method for method, *_ in hub.asked] == ["HEAD"]


def test_a_disk_that_fills_up_meanwhile_is_told_and_nothing_is_called_done(hub: Hub, home: Home, log: NetworkLog) -> None:
    home.models.mkdir()
    part = home.models / f"tiny.gguf.{hub.checksum[:12]}.part"
    part.symlink_to("/dev/full")
    with pytest.raises(HomeError, match="No space left on device"):
        fetched(hub, home, log)
    assert not (home.models / "tiny.gguf").exists()


def test_the_catalogue_names_files_and_windows_that_shrink_with_the_memory() -> None:
    assert len({model.name for model in OFFERED}) == len(OFFERED)
    for model in OFFERED:
        assert model.file.endswith(".gguf")
        windows = [model.window_here(kv_type="f16", free_bytes=gib << 30) for gib in (1, 8, 32, 4096)]
        assert windows == sorted(windows)
        assert (windows[0], windows[-1]) == (0, model.trained_window)
        assert model.window_here(kv_type="q8_0", free_bytes=24 << 30) >= model.window_here(kv_type="f16", free_bytes=24 << 30)
    with pytest.raises(UsageError, match="no model called nothing"):
        offered("nothing")


@pytest.mark.parametrize(
    ("name", "f16"),
    [("Qwen3 4B Instruct 2507", 147_456), ("Qwen2.5 7B Instruct 1M", 57_344), ("Llama 3.1 8B Instruct", 131_072)],
)
def test_kv_sizes_are_those_of_the_architectures(name: str, f16: int) -> None:
    assert offered(name).kv_bytes_per_token("f16") == f16


def test_the_command_line_fetches_an_offered_model_and_uses_it(hub: Hub, home: Home, log: NetworkLog) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        """In a process of its own: the hub's library looks for its endpoint when it is imported."""
        command = [sys.executable, "-m", "unabridged", "models", *words]
        return subprocess.run(
            command, env={**os.environ, "HF_ENDPOINT": hub.address}, capture_output=True, text=True, check=False
        )

    assert OFFERED[0].name in run("list").stdout
    done = run("pull", OFFERED[0].name)
    assert (done.returncode, done.stdout) == (0, f"{home.models / OFFERED[0].file} is whole and answers from now on.\n")
    assert "Fetching" in done.stderr
    assert (home.models / OFFERED[0].file).read_bytes() == CONTENT
    assert load_settings(home).model == str(home.models / OFFERED[0].file)
    assert run("pull", "Nothing 7B").returncode == 2
