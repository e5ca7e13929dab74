"""An option given twice, of every command: refused, or allowed on purpose."""

import copy

import pytest
from typer.core import TyperGroup, TyperOption
from typer.main import get_command
from typer.testing import CliRunner

from mtcli.cli.main import app
from mtcli.cli.repetition import StrictCommand

MAY_BE_REPEATED = {
    ("train", "--src"),
    ("train", "--tgt"),
    ("train", "--tsv"),
    ("train", "--valid-src"),
    ("train", "--valid-tgt"),
    ("train", "--set"),
    ("translate", "--set"),
    ("translate", "--protect"),
    ("serve", "--model"),
    ("serve", "--cors"),
    ("serve", "--set"),
    ("evaluate", "--ref"),
    ("evaluate", "--hyp"),
    ("evaluate", "--set"),
    ("export", "--scores"),
}


def commands() -> dict[str, StrictCommand]:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    return {name: command for name, command in group.commands.items() if isinstance(command, StrictCommand)}


OPTIONS = [
    (name, option)
    for name, command in commands().items()
    for option in command.params
    if isinstance(option, TyperOption)
]
NAMES = [f"{name} {option.opts[-1]}" for name, option in OPTIONS]


def refusal(*arguments: str) -> str:
    """What is said of a command line that ends with exit code 2."""
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2, result.output
    return result.stderr


def test_all_commands_are_strict() -> None:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    assert set(commands()) == set(group.commands)
    assert len(commands()) >= 9


def test_options_that_may_be_repeated_are_so_on_purpose() -> None:
    assert {(name, option.opts[-1]) for name, option in OPTIONS if option.multiple} == MAY_BE_REPEATED


@pytest.mark.parametrize(("name", "option"), OPTIONS, ids=NAMES)
def test_every_option_twice(name: str, option: TyperOption) -> None:
    first, last = option.opts[0], option.opts[-1]
    if option.is_flag:
        command = copy.copy(commands()[name])
        command.params = [option]
        assert command.make_context(name, [first, last]).params[option.name or ""] is True
    elif option.multiple:
        command = copy.copy(commands()[name])
        command.params = [option]
        assert len(command.make_context(name, [first, "a.b=1", last, "a.c=2"]).params[option.name or ""]) == 2
    else:
        sentence = f"{' / '.join(option.opts)} takes one value and was given one and two. Give it once."
        assert sentence in refusal(name, first, "one", last, "two")
        assert sentence in refusal(name, first, "one", f"{last}=two" if last.startswith("--") else f"{last}two")


@pytest.mark.parametrize("name", ["train", "translate", "evaluate"])
def test_a_setting_has_one_value(name: str) -> None:
    said = refusal(name, "--set", "decoding.stop=best", "--set", "decoding.beam_size=2", "--set", "decoding.stop = all")
    assert "--set gives one setting several values: decoding.stop=best and decoding.stop = all. Give one." in said


def test_all_values_are_named() -> None:
    assert "was given 1, 2 and 3" in refusal("translate", "-b", "1", "-b2", "--beam-size", "3")


def test_help_is_shown_all_the_same() -> None:
    result = CliRunner().invoke(app, ["score", "--src", "a", "--src", "b", "--help"])
    assert (result.exit_code, "Score given translations" in result.output) == (0, True)


def test_what_looks_like_an_option_behind_two_dashes_is_a_file() -> None:
    assert "takes one value" not in CliRunner().invoke(app, ["translate", "-i", "a", "--", "-i", "b"]).output
