"""A page for each command, from what typer knows of it: the same on every terminal and with every version of typer.

A command that is added to mtcli/cli/main.py gets its page without a change here.
"""

import inspect
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import typer

from generator import GENERATED
from mtcli.cli.main import app

_VALUES = {"int": "INTEGER", "float": "NUMBER", "Path": "PATH", "str": "TEXT"}
_HELP = "- `-h`, `--help`: Show the help and exit."


def command_pages(application: typer.Typer = app) -> dict[str, str]:
    """Return the Markdown of each command's page by the command's name, and of their list as `index`."""
    root = typer.main.get_command(application)
    commands: Mapping[str, Any] = getattr(root, "commands", {})
    visible = {name: command for name, command in commands.items() if not command.hidden}
    pages = {name: "\n".join([GENERATED, *_command(f"mtcli {name}", command)]) for name, command in visible.items()}
    return {"index": "\n".join([GENERATED, *_index(root, visible)]), **pages}


def _index(root: Any, commands: Mapping[str, Any]) -> Iterator[str]:
    yield from ("# Commands", "", _escaped(inspect.cleandoc(root.help)), "")
    yield from ("| command | what it does |", "|---|---|")
    for name, command in commands.items():
        summary = " ".join(_paragraphs(command.help)[0].split())
        yield f"| [{name}]({name}.md) | {_escaped(summary)} |"
    yield from ("", *_options(root), "")
    yield "Every command ends with one of these [exit codes](../errors.md); `--set` and `--config` take these"
    yield from ("[settings](../settings.md).", "")


def _command(name: str, command: Any, level: int = 1) -> Iterator[str]:
    """Yield the lines of a command, and below it those of its subcommands if it has any."""
    heading = "#" * level
    yield from (f"{heading} {name}", "")
    for paragraph in _paragraphs(command.help):
        yield from (_escaped(paragraph), "")
    subcommands: Mapping[str, Any] = getattr(command, "commands", {})
    if not subcommands:
        yield from ("```text", f"{name} [OPTIONS]{_usage(command)}", "```", "")
    examples, notes = examples_of(command), _notes(command.epilog)
    if examples:
        yield from (f"{heading}# Examples", "", "```sh", *examples, "```", "")
    for note in notes:
        yield from (_escaped(note), "")
    if any(_is_argument(parameter) for parameter in command.params):
        yield from (f"{heading}# Arguments", "", *_arguments(command), "")
    yield from (f"{heading}# Options", "", *_options(command), "")
    for child, subcommand in subcommands.items():
        if not subcommand.hidden:
            yield from _command(f"{name} {child}", subcommand, level + 1)


def examples_of(command: Any) -> list[str]:
    """Return the command lines that the command's help shows as examples."""
    for paragraph in _paragraphs(command.epilog):
        title, *lines = paragraph.splitlines()
        if title.strip() in ("Example:", "Examples:"):
            return [line.strip() for line in lines]
    return []


def _notes(epilog: str | None) -> list[str]:
    return [text for text in _paragraphs(epilog) if not text.startswith(("Example:", "Examples:"))]


def _paragraphs(text: str | None) -> list[str]:
    """Split a help text where it has blank lines; `\\b`, by which typer is told not to wrap, is left out."""
    lines = inspect.cleandoc(text or "").replace("\b\n", "")
    return [paragraph.strip("\n") for paragraph in lines.split("\n\n") if paragraph.strip()]


def _is_argument(parameter: Any) -> bool:
    return bool(parameter.param_type_name == "argument")


def _usage(command: Any) -> str:
    shown = []
    for parameter in filter(_is_argument, command.params):
        name = _argument_name(parameter)
        shown.append(name if parameter.required or name.startswith("[") else f"[{name}]")
    return "".join(f" {name}" for name in shown)


def _argument_name(parameter: Any) -> str:
    name = parameter.metavar or str(parameter.name).upper()
    return f"{name}..." if parameter.nargs == -1 and not name.endswith("...") else str(name)


def _arguments(command: Any) -> Iterator[str]:
    for parameter in filter(_is_argument, command.params):
        yield f"- `{_argument_name(parameter)}`: {_described(parameter, *_declared(command, parameter))}"


def _options(command: Any) -> Iterator[str]:
    for parameter in command.params:
        if _is_argument(parameter) or parameter.hidden:
            continue
        kind, info = _declared(command, parameter)
        value = "" if parameter.is_flag else f" {parameter.metavar or _value(kind)}"
        names: list[str] = [*parameter.opts, *parameter.secondary_opts]
        shown = ", ".join([*(f"`{name}`" for name in names[:-1]), f"`{names[-1]}{value}`"])
        yield f"- {shown}: {_described(parameter, kind, info)}"
    yield _HELP


def _declared(command: Any, parameter: Any) -> tuple[Any, Any]:
    """Return the type of a parameter, as the command's function declares it, and what it tells typer.

    Read from the function, since what typer makes of it differs from version to version.
    """
    function = inspect.unwrap(command.callback)
    hint = get_type_hints(function, include_extras=True)[parameter.name]
    kind, *metadata = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    infos = [one for one in metadata if isinstance(one, typer.models.ParameterInfo)]
    return _without_none(kind), infos[0] if infos else None


def _without_none(kind: Any) -> Any:
    if get_origin(kind) not in (Union, UnionType):
        return kind
    [present] = [one for one in get_args(kind) if one is not NoneType]
    return present


def _value(kind: Any) -> str:
    """Return how the help names a value: its choices where there are any, else its type."""
    if get_origin(kind) is list:
        [kind] = get_args(kind)
    if get_origin(kind) is Literal:
        return "|".join(map(str, get_args(kind)))
    if issubclass(kind, Enum):
        return "|".join(str(choice.value) for choice in kind)
    return _VALUES.get(kind.__name__, "TEXT")


def _described(parameter: Any, kind: Any, info: Any) -> str:
    """Return the help of a parameter, then its bounds, its default and whether it must or may be repeated."""
    told = info.help if info is not None and info.help else parameter.help or ""
    facts = ["required"] if parameter.required and not _is_argument(parameter) else []
    if info is not None and info.min is not None:
        facts.append(f"at least {info.min:g}")
    if info is not None and info.max is not None:
        facts.append(f"at most {info.max:g}")
    if get_origin(kind) is list and not _is_argument(parameter) and "repeated" not in told:
        facts.append("may be repeated")
    if parameter.default not in (None, False, (), []):
        facts.append(f"default `{getattr(parameter.default, 'value', parameter.default)}`")
    return _escaped(told) + (f" *({'; '.join(facts)})*" if facts else "")


def _escaped(text: str) -> str:
    """Escape what Markdown would take for markup, but in code between backticks."""
    pieces = text.split("`")
    pieces[::2] = [re.sub(r"([\\*_<>\[\]|])", r"\\\1", piece) for piece in pieces[::2]]
    return "`".join(pieces)
