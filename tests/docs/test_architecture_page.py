"""docs/explanation/architecture.md names the packages and modules that there are."""

import ast
import re
from pathlib import Path

from support.pages import ROOT

PAGE = ROOT / "docs/explanation/architecture.md"
DIAGRAM = ROOT / "docs/assets/architecture.svg"


def packages() -> set[str]:
    """The packages right below mtcli."""
    return {path.parent.name for path in (ROOT / "mtcli").glob("*/__init__.py")}


def imported_modules(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}


def test_every_path_on_the_page_exists() -> None:
    paths = [code for code in re.findall(r"`([\w./-]+)`", PAGE.read_text("utf-8")) if "/" in code]
    assert len(paths) > 30
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_table_and_the_diagram_have_every_package() -> None:
    in_table = set(re.findall(r"^\| `(\w+)` \|", PAGE.read_text("utf-8"), re.MULTILINE))
    assert in_table == packages() | {"mtcli_kernels"}, "the table of packages on the page names each package of mtcli"
    titles = re.findall(r'<text class="title"[^>]*>([^<]+)</text>', DIAGRAM.read_text("utf-8"))
    drawn = {name for title in titles for name in title.split(", ")}
    assert packages() <= drawn, "docs/assets/diagrams.py draws each package of mtcli"


def test_kernels_import_nothing_of_mtcli() -> None:
    modules = list((ROOT / "kernels/mtcli_kernels").rglob("*.py"))
    assert modules
    upward = {
        str(path.relative_to(ROOT)): name
        for path in modules
        for name in imported_modules(path)
        if name.split(".")[0] == "mtcli"
    }
    assert upward == {}
