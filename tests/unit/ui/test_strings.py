"""Every word of the page is there in each language."""

import re
from pathlib import Path

import pytest
from unabridged.ui import server
from unabridged.ui.panel import SCRIPTS
from unabridged.ui.sample import SAMPLES
from unabridged.ui.strings import LANGUAGES, language_of, texts

COMPUTED = {"theme_auto", "theme_light", "theme_dark"}  # t(`theme_${name}`)
STEPS = {f"{step}{more}" for step in ("step_add", "step_ask", "step_check") for more in ("", "_more")}


def test_both_languages_have_the_same_strings_with_the_same_values() -> None:
    english, chinese = texts("en"), texts("zh")
    assert english.keys() == chinese.keys()
    for key in english:
        assert set(re.findall(r"\{\w+\}", english[key])) == set(re.findall(r"\{\w+\}", chinese[key])), key
        assert english[key].strip()
        assert chinese[key].strip()


def test_every_string_is_used_and_every_used_string_is_there() -> None:
    scripts = "\n".join((server.STATIC / f"{name}.js").read_text("utf-8") for name in SCRIPTS)
    python = "\n".join(path.read_text("utf-8") for path in Path(server.__file__).parent.glob("*.py"))
    called = set(re.findall(r"""\bt\((?:[^()"'`]*\? *)?["'](\w+)["']""", scripts))
    known = set(texts("en"))
    assert called <= known
    for key in known - COMPUTED - STEPS:
        setting = key.removeprefix("setting_").removesuffix("_help")
        assert f'"{key}"' in scripts or f'"{key}"' in python or f'labelled("{setting}")' in python, f"{key} is not used"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("fr-FR,fr;q=0.9", "en"),
        ("fr, zh;q=0.5, en;q=0.4", "zh"),
        ("zh;q=bad, en;q=0.1", "en"),
    ],
)
def test_the_browser_chooses_the_language(header: str, language: str) -> None:
    assert language_of(header) == language


def test_the_sample_is_there_with_questions_in_each_language() -> None:
    assert set(SAMPLES) == set(LANGUAGES)
    for sample in SAMPLES.values():
        assert sample.path.is_file()
        assert sample.questions
