"""`mtcli`: the commands together."""

from collections.abc import Callable
from typing import Annotated

import typer

from mtcli.cli import (
    bench,
    check,
    demo,
    doctor,
    evaluate,
    export,
    extract,
    fill,
    importing,
    info,
    models,
    quantize,
    score,
    serve,
    train,
    translate,
)
from mtcli.cli.errors import leave_threads_behind, run_reporting_errors
from mtcli.cli.repetition import StrictCommand
from mtcli.cli.startup import end_without_search
from mtcli.cli.streams import prepare_streams
from mtcli.processors import share_processors

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


def _leave_files_to_the_command(command: Callable[..., None]) -> None:
    """Else typer itself refuses a file without permission, as a wrong command line: exit 2, in its own words."""
    for annotation in command.__annotations__.values():
        for parameter in getattr(annotation, "__metadata__", ()):
            parameter.readable = False


_COMMANDS = (
    *(train, translate, extract, fill, score, evaluate, check, info, models, doctor),
    *(quantize, bench, importing, export, serve, demo),
)
for module in _COMMANDS:
    _leave_files_to_the_command(module.command)
    register = app.command(name=module.NAME, cls=StrictCommand, epilog=module.EXAMPLE, context_settings=_SETTINGS)
    register(module.command)


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
        typer.Option(
            "--version", callback=_print_versions, is_eager=True, help="Print versions, the CPU's kernels and devices."
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line, in UTF-8 whatever the locale."""
    share_processors()
    prepare_streams()
    try:
        run_reporting_errors(app)
    except SystemExit as end:
        leave_threads_behind(end.code)
        end_without_search()
        raise
