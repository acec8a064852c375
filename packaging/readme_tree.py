"""Writes the README's tree: every module with the first line of its docstring. `python packaging/readme_tree.py`"""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("app", "app/characters", "app/web", "ingest", "models", "models/starter", "ui")
BLOCK = re.compile(r"(?<=<!-- tree -->\n).*?(?=<!-- /tree -->)", re.DOTALL)


def tree() -> str:
    """Markdown: a heading line per folder, a line per module. Raises ValueError for a module without a docstring."""
    lines = ["```"]
    for folder in FOLDERS:
        lines.append(f"{folder}/")
        for path in sorted((ROOT / folder).glob("*.py")):
            purpose = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
            if not purpose:
                raise ValueError(f"{path} does not say what it is for")
            if path.name not in ("__init__.py", "__main__.py"):
                lines.append(f"  {path.name:<22} {purpose.splitlines()[0]}")
    return "\n".join([*lines, "```", ""])


def with_tree(readme: str) -> str:
    if not BLOCK.search(readme):
        raise ValueError("README.md has no place for the tree")
    return BLOCK.sub(lambda _: tree(), readme)


if __name__ == "__main__":
    target = ROOT / "README.md"
    target.write_text(with_tree(target.read_text(encoding="utf-8")), encoding="utf-8")
