"""The shape of the project: one-way imports, every package shipped, every command in the README, nothing done by importing."""

import argparse
import ast
import runpy
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from unabridged.cli import parser

ROOT = Path(__file__).parents[2]
FOLDERS = {"unabridged": "app", "unabridged.ingest": "ingest", "unabridged.models": "models", "unabridged.ui": "ui"}
MAY_IMPORT = {
    "app": {"app", "ingest", "models"},
    "ingest": {"ingest"},
    "models": {"models"},
    "ui": {"ui", "app", "ingest", "models"},
}


def modules() -> list[Path]:
    return [path for folder in FOLDERS.values() for path in sorted((ROOT / folder).rglob("*.py"))]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_one_way(path: Path) -> None:
    own = path.relative_to(ROOT).parts[0]
    for name, inside_function in imported(path):
        folder = folder_of(name)
        if folder is None or name == "unabridged.errors" or name.startswith("unabridged.errors."):
            continue
        if path == ROOT / "app" / "cli.py" and folder == "ui":
            assert inside_function, "cli.py imports ui only when the app is served"
            continue
        assert folder in MAY_IMPORT[own], f"{own} must not know {name}"


def test_every_package_is_shipped() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    folders = {path.parent for folder in FOLDERS.values() for path in (ROOT / folder).rglob("*.py")}
    shipped = {ROOT / folder_for(package, project["package-dir"]) for package in project["packages"]}
    assert folders == shipped


def test_every_folder_of_code_is_a_package() -> None:
    for path in modules():
        assert (path.parent / "__init__.py").exists(), path


def test_the_packaging_folder_does_not_shadow_the_library() -> None:
    assert not (ROOT / "packaging" / "__init__.py").exists()


def test_the_readme_shows_every_file_and_what_it_is_for() -> None:
    written = runpy.run_path(str(ROOT / "packaging" / "readme_tree.py"))
    readme = (ROOT / "README.md").read_text("utf-8")
    assert written["with_tree"](readme) == readme, "run: python packaging/readme_tree.py"


def test_no_module_shadows_a_package_and_none_has_an_idle_name() -> None:
    names = {path.stem for path in (ROOT / "app").glob("*.py")}
    assert not names & {"ingest", "models", "ui"}
    assert not {path.stem for path in modules()} & {"utils", "types", "helpers", "common", "misc"}


def test_every_module_says_what_it_is_for() -> None:
    silent = [path for path in modules() if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]
    assert silent == []


def test_every_command_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for words in commands(parser()):
        group, _, action = words.partition(" ")
        assert f"unabridged {group}" in readme, words
        assert action in readme, words


def test_importing_the_program_opens_nothing() -> None:
    probe = (
        "import sys, socket, os\n"
        "before = set(os.listdir('.'))\n"
        "import unabridged.workspace, unabridged.commands_read, unabridged.commands_library, unabridged.commands_models\n"
        "assert set(os.listdir('.')) == before\n"
        "heavy = ('gradio', 'torch', 'llama_cpp', 'pymupdf', 'docx', 'httpx', 'trafilatura', 'keyring', 'ddgs')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def imported(path: Path) -> Iterator[tuple[str, bool]]:
    """Modules that a file imports, and whether it does so inside a function."""

    def visit(node: ast.AST, inside: bool) -> Iterator[tuple[str, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from ((alias.name, inside) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{path} imports relatively"
                yield child.module or "", inside
                yield from ((f"{child.module}.{alias.name}", inside) for alias in child.names)
            yield from visit(child, inside or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef))

    yield from visit(ast.parse(path.read_text("utf-8")), False)


def folder_of(module: str) -> str | None:
    """The top folder that a module of ours stands in; the package itself belongs to nobody."""
    if not module.startswith("unabridged."):
        return None
    part = module.split(".")[1]
    return part if part in MAY_IMPORT and part != "app" else "app"


def folder_for(package: str, mapping: dict[str, str]) -> str:
    if package in mapping:
        return mapping[package]
    parent, _, name = package.rpartition(".")
    return f"{folder_for(parent, mapping)}/{name}"


def commands(of: argparse.ArgumentParser) -> Iterator[str]:
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, sub in action.choices.items():
                inner = list(commands(sub))
                yield from (f"{name} {words}" for words in inner) if inner else [name]
