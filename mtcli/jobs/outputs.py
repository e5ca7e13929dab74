"""The outputs of a file job, checked before any work is done and counted at its end."""

from collections.abc import Sequence
from pathlib import Path

from mtcli.errors import DataError, MtcliError, UsageError
from mtcli.files import STDIN, refuse_to_overwrite


def outputs_in(directory: Path, inputs: Sequence[Path]) -> list[Path]:
    """Name each input's output in a directory: a file of the input's own name (`--output-dir`).

    Raises:
        UsageError: an input is stdin, or two have one name.
        DataError: the directory does not exist, or is none.
    """
    by_name: dict[str, Path] = {}
    for path in inputs:
        if path == STDIN:
            raise UsageError("--output-dir names outputs after their inputs, and stdin has no name. Use -o FILE.")
        if path.name in by_name:
            raise UsageError(
                f"--output-dir: {by_name[path.name]} and {path} would both be written to {directory / path.name}. "
                "Translate them apart."
            )
        by_name[path.name] = path
    if not directory.is_dir():
        what = "is a file" if directory.exists() else "does not exist. Create it first"
        raise DataError(f"The output directory {directory} {what}.")
    return [directory / name for name in by_name]


def check_outputs(paths: Sequence[Path | None], force: bool, inputs: Sequence[Path] = ()) -> None:
    """Check all names that will be written, before any work is done.

    Raises:
        UsageError: two of them are one file, or one of the inputs, or two are stdout.
        DataError: one exists and `force` is not given, or its directory does not exist.
    """
    named = [path for path in paths if path is not None and path != STDIN]
    if len(paths) - len(named) > 1:
        raise UsageError("Two outputs would go to stdout. Give all but one a file.")
    for path in named:
        refuse_to_overwrite(path, force)
    read = {path.resolve() for path in inputs if path.is_file()}
    if both := [path for path in named if path.resolve() in read]:
        raise UsageError(f"{both[0]} is an input, and would be overwritten. Give the output another name.")
    files = [path.resolve() for path in named if path.is_file() or not path.exists()]
    if twice := [path for path in files if files.count(path) > 1]:
        raise UsageError(f"Two outputs would be written to {twice[0]}. Give each a file of its own.")


def miscounted(lines_in: int, lines_out: int) -> MtcliError:
    """Make the error that must never be seen: lines were lost, or came from nowhere."""
    return MtcliError(
        f"{lines_in} lines were read and {lines_out} translated. This is a bug in mtcli: please report it. "
        "No output file was left."
    )
