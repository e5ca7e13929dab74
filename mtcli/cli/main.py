"""`mtcli`: the commands together."""

import os
import sys
from typing import Annotated

import typer

from mtcli.cli import demo, evaluate, info, score, train, translate

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}

app = typer.Typer(
    name="mtcli",
    help="Train encoder-decoder Transformers on your own parallel text, and translate with them.",
    epilog="Start with: mtcli demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings=_SETTINGS,
)
for module in (train, translate, score, evaluate, info, demo):
    app.command(name=module.NAME, epilog=module.EXAMPLE, context_settings=_SETTINGS)(module.command)


def _print_versions(wanted: bool) -> None:
    if not wanted:
        return
    from mtcli.cli.versions import version_lines

    print("\n".join(version_lines()))
    raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_versions, is_eager=True, help="Print versions and devices."),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line, in UTF-8 whatever the locale."""
    _stand_in_for_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    app()


def _stand_in_for_closed_streams() -> None:
    """Put something in the place of streams that were closed by the caller (`<&-`, `>&-`, `2>&-`).

    Else the next file opened would get their number. What is put there refuses to be used, so that a command
    that needs the stream says so; only talk to a closed stderr is lost.
    """
    if sys.stdin is None:
        sys.stdin = open(os.devnull, "w")  # noqa: SIM115, PTH123
    if sys.stdout is None:
        sys.stdout = open(os.devnull)  # noqa: SIM115, PTH123
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123
