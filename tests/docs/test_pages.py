"""Pages read alike on GitHub and on the site, and README can be scanned in a minute."""

import importlib
import re
from itertools import pairwise
from pathlib import Path

import pytest
from support.markdown import ROOT, code_spans, fences, name_of, pages, prose, shell_commands

_README_BYTES = 9_000
_README_TABLE_ROWS = 8


def unseparated(markdown: str) -> list[str]:
    """Lists and tables that follow text without a blank line: the site takes them for the text's."""
    lines, found = prose(markdown).splitlines(), []
    for before, line in pairwise(lines):
        starts_list = re.match(r"(- |\d+\. )", line) and not re.match(r"(- |\d+\. | )", before)
        starts_table = line.startswith("|") and not before.startswith("|")
        if before.strip() and not before.startswith("<!--") and (starts_list or starts_table):
            found.append(line)
    return found


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_lists_and_tables_stand_alone(page: Path) -> None:
    assert unseparated(page.read_text(encoding="utf-8")) == []


def test_a_list_at_the_end_of_a_text_is_found() -> None:
    assert unseparated("text\n- one\n- two\n\n- three\n  more\n- four\n\ntext\n| a |\n") == ["- one", "| a |"]


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=name_of)
def test_a_page_has_one_title_and_it_comes_first(page: Path) -> None:
    lines = [line for line in prose(page.read_text(encoding="utf-8")).splitlines() if not line.startswith("<!--")]
    assert lines[0].startswith("# ")
    assert sum(line.startswith("# ") for line in lines) == 1


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_what_pages_import_of_mtcli_exists(page: Path) -> None:
    examples = [fence.text for fence in fences(page.read_text(encoding="utf-8")) if fence.language == "python"]
    for module, names in re.findall(r"^from (mtcli[\w.]*) import (.+)$", "\n".join(examples), re.MULTILINE):
        imported = importlib.import_module(module)
        assert all(hasattr(imported, name) for name in names.split(", "))


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_targets_of_make_that_pages_name_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    commands = [*code_spans(text), *shell_commands(text)]
    named = {name for command in commands for name in re.findall(r"^make ([a-z][a-z0-9-]*)", command)}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert named <= set(re.findall(r"^([a-z0-9-]+):", makefile, re.MULTILINE))


def test_the_readme_can_be_scanned() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.encode()) <= _README_BYTES
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert sum(line.startswith("|-") for line in rows) <= 1
    assert len(rows) - 2 <= _README_TABLE_ROWS
