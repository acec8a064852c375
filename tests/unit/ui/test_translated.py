"""Whatever the program can say on the page, it can say in Chinese. The sources themselves are searched for what is said."""

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from unabridged import errors
from unabridged.errors import DoesNotFit
from unabridged.ui import translated as module
from unabridged.ui.translated import CHOICE, translated

ROOT = Path(__file__).parents[3]
FOLDERS = ("app", "ingest", "models", "ui")
NOT_ON_THE_PAGE = (
    *("app/cli.py", "app/console.py", "app/commands_", "app/doctor.py", "app/fault_report.py"),
    "models/starter/",
)
ERRORS = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
ADVISING = {  # functions whose every sentence is told
    ("app/context.py", "choices"),
    ("app/errors.py", "__init__"),
    ("app/store.py", "_hint"),
    ("ingest/pdf_ocr.py", "_advice"),
    ("ingest/reader_process.py", "_stopped"),
    ("models/connection.py", "_cause"),
    ("models/connection.py", "_live"),
    ("models/segment_cache.py", "make_room"),
    ("models/plan.py", "_advice"),
    ("models/window.py", "check"),
}
SAID = json.loads((Path(module.__file__).parent / "languages" / "said.zh.json").read_text("utf-8"))


def sources() -> list[Path]:
    found = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path for path in found if not str(path.relative_to(ROOT)).startswith(NOT_ON_THE_PAGE)]


@cache
def said() -> dict[str, str]:
    """Template → where it stands, of everything that is said."""
    found: dict[str, str] = {}
    for path in sources():
        tree = ast.parse(path.read_text("utf-8"))
        constants = {
            target.id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        name = str(path.relative_to(ROOT))
        for expression in told(tree, name):
            for template in templates(expression, constants):
                if " " in template and template != CHOICE and any(letter.isalpha() for letter in template.replace("{}", "")):
                    found.setdefault(template, f"{name}:{expression.lineno}")
    return found


def told(tree: ast.Module, name: str) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ERRORS:
                yield from node.args[:1]
            if called in ("_stopped", "_damaged", "_too_costly"):  # they put a reason into their sentence
                yield from node.args[1:]
            if called == "_report":  # what is wrong with a key of a lorebook
                yield from node.args[:1]
            if called == "problem":
                yield from node.args[1:]
            yield from (word.value for word in node.keywords if word.arg in ("hint", "what", "choices"))
        if isinstance(node, ast.FunctionDef) and (name, node.name) in ADVISING:
            words = (inner for inner in ast.walk(node) if isinstance(inner, ast.JoinedStr | ast.Constant))
            yield from (inner for inner in words if sentence(inner, node))


def sentence(node: ast.expr, function: ast.FunctionDef) -> bool:
    """Words that are told: not a piece of a longer sentence, not what something is compared with, not the docstring."""
    if isinstance(node, ast.JoinedStr):
        return True
    if not isinstance(node.value, str) or node.value == ast.get_docstring(function, clean=False):  # type: ignore[attr-defined]
        return False
    inside = [inner for inner in ast.walk(function) if isinstance(inner, ast.JoinedStr | ast.Compare) or searches(inner)]
    return not any(node is piece for outer in inside for piece in ast.walk(outer))


def searches(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") == "re"


def templates(node: ast.expr, constants: dict[str, ast.expr]) -> list[str]:
    """The sentences that an expression can be, with `{}` for every value."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.Name(id=name) if name in constants:
            return templates(constants[name], {})
        case ast.IfExp():
            return templates(node.body, constants) + templates(node.orelse, constants)
        case ast.BoolOp():
            return [template for value in node.values for template in templates(value, constants)]
        case ast.List():
            return [template for value in node.elts for template in templates(value, constants)]
        case ast.JoinedStr():
            built = [""]
            for piece in node.values:
                options = ["{}"]
                if isinstance(piece, ast.Constant):
                    options = [str(piece.value)]
                elif isinstance(piece, ast.FormattedValue) and isinstance(piece.value, ast.IfExp):
                    options = templates(piece.value, constants) or ["{}"]
                built = [before + option for before in built for option in options]
            return built
    return []


def test_everything_that_is_said_can_be_said_in_chinese() -> None:
    missing = {template: place for template, place in said().items() if template not in SAID["sentences"]}
    assert not missing, "add to ui/languages/said.zh.json:\n" + json.dumps(missing, indent=2, ensure_ascii=False)


def test_nothing_is_translated_that_is_not_said() -> None:
    assert set(SAID["sentences"]) <= set(said()), "these sentences are gone from the sources"


def test_translations_keep_every_value() -> None:
    for english, chinese in {**SAID["sentences"], **SAID["words"]}.items():
        assert chinese.strip(), english
        assert len(re.findall(r"\{\d?\}", chinese)) == english.count("{}"), english


@pytest.mark.parametrize("template", sorted(SAID["sentences"]))
def test_a_sentence_is_found_by_its_own_template(template: str) -> None:
    values = [f"v{number}" for number in range(template.count("{}"))]
    text = template.format(*values)
    result = translated(text, "zh")
    assert result != text
    for value in values:
        assert value in result


def test_a_choice_of_ways_is_translated_way_by_way() -> None:
    ways = ["choose a smaller model", "choose fewer or shorter documents"]
    error = DoesNotFit(needed_tokens=9000, window_tokens=4096, choices=ways)
    assert translated(error.message, "zh") == "阅读需要 9,000 个词元，而窗口仅容 4,096；没有读入，也没有截断任何内容。"
    assert translated(error.hint, "zh") == "换用更小的模型；或者选择更少或更短的文档"


def test_what_another_program_said_stays_and_english_is_left_alone() -> None:
    assert translated("llama.cpp: some words", "zh") == "llama.cpp: some words"
    assert translated("No document is chosen.", "en") == "No document is chosen."


def test_a_value_that_is_a_known_word_is_translated_too() -> None:
    assert "没有这个文件或文件夹" in translated("The model file /x.gguf cannot be opened: No such file or directory.", "zh")
