"""The page of errors and exit codes, from mtcli/errors.py and mtcli/cli/errors.py."""

import inspect
from collections.abc import Iterator

from generator import GENERATED
from mtcli.cli.errors import RULES
from mtcli.errors import ExitCode, MtcliError


def errors_page() -> str:
    """Return docs/reference/errors.md."""
    codes = [f"| {code.value} | {code.meaning} |" for code in ExitCode]
    own = [
        f"### {kind.__name__} (exit {kind.exit_code.value})\n\n{inspect.getdoc(kind)}\n" for kind in family(MtcliError)
    ]
    others = [f"| {rule.name} | {rule.code.value} | {rule.meaning} |" for rule in RULES]
    return "\n".join(
        [
            GENERATED,
            "# Errors and exit codes",
            "",
            "An error is a line on stderr that begins with `Error:` and says what was wrong, where, what was expected",
            "and what to do; a wrong command line also gets its usage. Every command takes `--traceback`, which shows",
            "the stack above the line. Standard output holds data alone. An output file is written beside its name and",
            "renamed when it is whole, so a failed command leaves nothing half-written.",
            "",
            "## Exit codes",
            "",
            "| code | meaning |",
            "|--:|---|",
            *codes,
            "",
            "## Errors that mtcli raises",
            "",
            "```text",
            *tree(MtcliError),
            "```",
            "",
            *own,
            "## What becomes of other exceptions",
            "",
            "The first row that fits decides.",
            "",
            "| exception | exit code | what it means |",
            "|---|--:|---|",
            *others,
            "",
        ]
    )


def family(kind: type[MtcliError]) -> Iterator[type[MtcliError]]:
    """Yield the class and all below it, in the order of their definition."""
    yield kind
    for child in _children(kind):
        yield from family(child)


def tree(kind: type[MtcliError], head: str = "", below: str = "") -> Iterator[str]:
    """Yield the lines of a tree of the class and all below it, with their exit codes."""
    yield f"{head + kind.__name__:<32}exit {kind.exit_code.value}"
    children = _children(kind)
    for child in children:
        last = child is children[-1]
        yield from tree(child, below + ("└── " if last else "├── "), below + ("    " if last else "│   "))


def _children(kind: type[MtcliError]) -> list[type[MtcliError]]:
    return [child for child in kind.__subclasses__() if child.__module__ == kind.__module__]
