"""Every command has a help, an example that its options allow, and a page; what pages call is what there is."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from support.markdown import ROOT, code_spans, mtcli_calls, name_of, pages, shell_commands

from mtcli.cli.main import app

DOCS = ROOT / "docs"
TREE: Any = typer.main.get_command(app)


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """All commands with the words that call them; a group's subcommands in its stead."""
    children = getattr(command, "commands", {})
    if not children:
        yield path, command
    for name, child in children.items():
        yield from leaves(child, (*path, name))


COMMANDS = dict(leaves(TREE))


def parse(arguments: list[str]) -> None:
    """Read the arguments of a call as the command does, without running it; raises what it raises."""
    command, words = TREE, list(arguments)
    while getattr(command, "commands", {}) and words and not words[0].startswith("-"):
        command = command.commands[words.pop(0)]
    if getattr(command, "commands", {}) or {"-h", "--help"} & set(words):
        assert set(words) <= {"-h", "--help", "--version"}
    else:
        command.make_context("mtcli", words)


def options_of(command: Any) -> set[str]:
    named = [*(option for parameter in command.params for option in parameter.opts), "-h", "--help"]
    return {option for option in named if option.startswith("-")}


@pytest.fixture
def generator(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(DOCS))
    import generator.commands

    return generator.commands


def test_the_generated_pages_are_up_to_date() -> None:
    checked = subprocess.run(
        [sys.executable, str(DOCS / "generate.py"), "--check"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={"COLUMNS": "40", "PYTHONPATH": ":".join(filter(None, sys.path))},
    )
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("name", sorted({path[0] for path in COMMANDS}))
def test_a_command_has_a_page(name: str) -> None:
    page = (DOCS / "reference" / "commands" / f"{name}.md").read_text(encoding="utf-8")
    assert f"# mtcli {name}\n" in page
    options = [line for line in page.splitlines() if line.startswith("- `")]
    assert len(options) > 2
    assert [line for line in options if not re.search(r"`: [^*\s]", line)] == []
    assert f"[{name}]({name}.md)" in (DOCS / "reference" / "commands" / "index.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(COMMANDS), ids=" ".join)
def test_a_command_explains_itself(path: tuple[str, ...], generator: Any) -> None:
    command = COMMANDS[path]
    assert command.help
    examples = generator.examples_of(command)
    calls = [call for example in examples for call in mtcli_calls(example)]
    assert any(tuple(call[: len(path)]) == path for call in calls)
    for call in calls:
        parse(call)


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_commands_of_pages_are_understood(page: Path) -> None:
    for line in shell_commands(page.read_text(encoding="utf-8")):
        for call in mtcli_calls(line):
            parse(call)


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_options_named_in_the_text_exist(page: Path) -> None:
    for span in code_spans(page.read_text(encoding="utf-8")):
        words = span.split()
        if words[:1] == ["mtcli"] and words[1:2] and words[1] in TREE.commands:
            used = {word.partition("=")[0] for word in words if word.startswith("-") and len(word) > 1}
            groups = [command for path, command in COMMANDS.items() if path[0] == words[1]]
            assert used <= set().union(*map(options_of, groups)), span


def test_a_command_that_does_not_exist_is_found() -> None:
    with pytest.raises(KeyError):
        parse(["translat"])


@pytest.mark.parametrize("call", ["translate --beam 3", "train --src a.en", "translate --beam-size many"])
def test_a_call_that_would_fail_is_found(call: str) -> None:
    with pytest.raises(Exception, match=r"(?i)no such option|missing|valid integer"):
        parse(call.split())


def test_calls_are_found_among_other_programs() -> None:
    line = (
        "OMP_NUM_THREADS=1 mtcli train -o a \\\n  --nproc 2 > log 2> err; cat x | mtcli translate | wc -l  # mtcli no"
    )
    assert list(mtcli_calls(line)) == [["train", "-o", "a", "--nproc", "2"], ["translate"]]
    assert list(mtcli_calls("torchrun --nproc-per-node 4 -m mtcli train -o a")) == [["train", "-o", "a"]]


def test_a_new_command_gets_its_page_unasked(generator: Any) -> None:
    fresh = typer.Typer(add_completion=False)
    group = typer.Typer(help="Look after corpora.")
    fresh.add_typer(group, name="corpus")

    @fresh.callback()
    def root() -> None:
        """Everything."""

    @fresh.command("check", epilog="\b\nExamples:\n  mtcli check a.txt\n\nA note.")
    def check(
        files: Annotated[list[Path], typer.Argument(help="What to check.")],
        limit: Annotated[int, typer.Option("-l", "--limit", min=1, max=9, help="At most <so> many.")] = 3,
        strict: Annotated[bool, typer.Option("--strict", help="Be strict.")] = False,
    ) -> None:
        """Find faults.

        All of them.
        """

    @group.command("stats", epilog="\b\nExample:\n  mtcli corpus stats a.txt")
    def stats(path: Annotated[Path, typer.Option("--path", help="Where.")]) -> None:
        """Count."""

    written = generator.command_pages(fresh)
    assert set(written) == {"index", "check", "corpus"}
    assert "| [check](check.md) | Find faults. |" in written["index"]
    page = written["check"]
    assert "```text\nmtcli check [OPTIONS] FILES...\n```" in page
    assert "```sh\nmtcli check a.txt\n```\n\nA note.\n" in page
    assert "- `-l`, `--limit INTEGER`: At most \\<so\\> many. *(at least 1; at most 9; default `3`)*" in page
    assert "- `--strict`: Be strict.\n" in page
    assert "## mtcli corpus stats\n\nCount.\n" in written["corpus"]
    assert "- `--path PATH`: Where. *(required)*" in written["corpus"]


def test_pages_of_commands_that_are_gone_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(DOCS))
    import generate

    generate.write({"commands/a.md": "a", "errors.md": "e"}, tmp_path)
    assert generate.out_of_date({"commands/a.md": "a", "errors.md": "e"}, tmp_path) == []
    assert generate.out_of_date({"commands/b.md": "b", "errors.md": "x"}, tmp_path) == [
        "commands/b.md",
        "errors.md",
        "commands/a.md",
    ]
    generate.write({"commands/b.md": "b", "errors.md": "e"}, tmp_path)
    assert [path.name for path in (tmp_path / "commands").iterdir()] == ["b.md"]
