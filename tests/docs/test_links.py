"""Links between the repository's Markdown files lead somewhere, and files that they name exist. Needs no network."""

import re
from pathlib import Path

import pytest
from support.markdown import ROOT, anchors, code_spans, links, name_of, pages

_TOP = ("mtcli", "kernels", "docs", "benchmarks", "tests", "configs")
_PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)*/?")


def broken(page: Path) -> list[str]:
    """The links of a page that lead to no file, or to no heading of it."""
    text, found = page.read_text(encoding="utf-8"), []
    for target in links(text):
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = (page.parent / path).resolve() if path else page
        if not file.exists():
            found.append(f"{target}: no such file")
        elif anchor and file.suffix == ".md" and anchor not in anchors(file.read_text(encoding="utf-8")):
            found.append(f"{target}: no such heading")
    return found


def missing(page: Path, root: Path = ROOT) -> list[str]:
    """The files of the repository that a page names in code, and that do not exist.

    A path that begins with one of the repository's folders must exist, but for results, which may not have been
    measured yet; any other `.py` must end the path of a file.
    """
    modules = [path.relative_to(root).as_posix() for top in _TOP for path in (root / top).rglob("*.py")]
    found = []
    for span in filter(_PATH.fullmatch, code_spans(page.read_text(encoding="utf-8"))):
        is_rooted = "/" in span and span.partition("/")[0] in _TOP
        if span.startswith("benchmarks/results/"):
            continue
        is_relative = span.startswith("../")
        if (is_rooted and not (root / span).exists()) or (is_relative and not (page.parent / span).exists()):
            found.append(span)
        elif is_rooted or is_relative:
            continue
        elif span.endswith(".py") and not any(f"/{path}".endswith(f"/{span}") for path in modules):
            found.append(span)
    return found


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    assert broken(page) == []


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_files_that_are_named_exist(page: Path) -> None:
    assert missing(page) == []


def test_a_dead_link_and_a_dead_anchor_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    (tmp_path / "other.md").write_text("# Input: `--format`\n\n## Twice\n\n## Twice\n", encoding="utf-8")
    page.write_text(
        "[a](gone.md) [b](other.md#input---format) [c](other.md#twice-1) [d](other.md#none) [e](#none)\n"
        "[f](https://example.org/gone) `[g](gone.md)`\n\n```text\n[h](gone.md)\n```\n",
        encoding="utf-8",
    )
    assert broken(page) == [
        "gone.md: no such file",
        "other.md#none: no such heading",
        "#none: no such heading",
    ]


def test_a_file_that_does_not_exist_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("`mtcli/errors.py` `mtcli/gone.py` `scheduler.py` `gone.py` `docs/` `book.de`\n", encoding="utf-8")
    assert missing(page) == ["mtcli/gone.py", "gone.py"]
