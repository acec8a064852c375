"""For every test: a home folder of its own, and no deadlines. The network is blocked by pytest-socket (see pyproject.toml)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from unabridged.home import Home, open_home
from unabridged.workspace import Workspace

from tests.fakes import FakeEngine, FakeEngines

settings.register_profile("untimed", deadline=None)  # a crowded machine is no fault of the program
settings.load_profile("untimed")

CONTRACT = """\
SERVICES AGREEMENT

This agreement is made between Alder Mills and Birch Works on 3 May 2021.

1. Term

The term of this agreement is five years from the date of signature.

2. Governing law

This agreement is governed by the laws of Norway. Disputes go to the courts of Oslo.

3. Payment

Birch Works pays nine thousand crowns each month. Payment is due on the tenth day.
"""

LAW = """\
第一章 总则

第一条 为了保证刑法的正确实施,惩罚犯罪,保护人民,制定本法。

第二条 人民法院、人民检察院和公安机关进行刑事诉讼,应当分工负责,互相配合,互相制约。

第三条 上诉的期限为十日,从接到判决书的第二日起算。
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A fresh home folder, also for what a test starts as a process."""
    folder = tmp_path / "home"
    monkeypatch.setenv("UNABRIDGED_HOME", str(folder))
    return open_home()


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    return written(tmp_path / "contract.txt", CONTRACT)


@pytest.fixture
def law(tmp_path: Path) -> Path:
    return written(tmp_path / "law.txt", LAW)


@pytest.fixture
def engines() -> FakeEngines:
    """Engines that answer by a script; `engines.script` is what the next one to start follows."""
    return FakeEngines()


@pytest.fixture
def workspace(home: Home, engines: FakeEngines, tmp_path: Path) -> Iterator[Workspace]:
    """A workspace whose engine is scripted."""
    model = tmp_path / "scripted.gguf"
    model.write_bytes(b"GGUF")
    with Workspace(home, model=str(model), start_engine=engines.start) as opened:
        yield opened


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
