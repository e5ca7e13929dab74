"""Corpora that come through pipes: read once, into files of the run's cache, and from there as often as needed."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from mtcli.config import CorpusConfig, DataConfig
from mtcli.errors import DataError
from mtcli.files import STDIN, atomic_path, file_error


def is_pipe(path: Path) -> bool:
    """Whether a path can be read only once: a FIFO, `<(...)` of a shell, or a device."""
    return path.exists() and not path.is_file() and not path.is_dir()


def refuse_pipes(config: DataConfig) -> None:
    """See that no file is a pipe of this process alone, which those that it starts could not open.

    Raises:
        DataError: one is.
    """
    parts: list[DataConfig | CorpusConfig] = [config, *config.corpora]
    named = [path for part in parts for path in (*part.src, *part.tgt, *part.tsv)]
    for path in (*named, *config.valid_src, *config.valid_tgt):
        if path != STDIN and is_pipe(path):
            raise DataError(
                f"{path} is a pipe, and the processes of --nproc cannot all read it. Write it into a file first, or "
                "train in one process."
            )


def kept(paths: Sequence[Path], stem: Path, *, reads: bool = True) -> tuple[Path, ...]:
    """Read each pipe among some paths into a file; gives the paths, with these files in the places of pipes.

    Args:
        stem: what the files' paths begin with; the place of a path among the others ends them.
        reads: False where another process of the run does it.

    Raises:
        DataError: a pipe cannot be read, or a file not written.
    """
    places = [stem.with_name(f"{stem.name}-{number}.txt") for number in range(len(paths))]
    piped = [is_pipe(path) for path in paths]
    for path, place, is_piped in zip(paths, places, piped, strict=True):
        if is_piped and reads:
            _keep(path, place)
    return tuple(place if is_piped else path for path, place, is_piped in zip(paths, places, piped, strict=True))


def _keep(pipe: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        stream = pipe.open("rb")
    except OSError as error:
        raise file_error(pipe, error, "read") from error
    with stream, atomic_path(place) as partial, partial.open("wb") as file:
        shutil.copyfileobj(stream, file)


def keep_stdin(place: Path) -> None:
    """Read stdin into a file; where nothing comes, what came at an earlier call stays.

    An empty stdin on a repeated command means that the run goes on with what was piped before.

    Raises:
        DataError: the file cannot be written.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    incoming = place.with_suffix(".incoming")
    with incoming.open("wb") as stream:
        shutil.copyfileobj(sys.stdin.buffer, stream)
    if incoming.stat().st_size or not place.exists():
        with atomic_path(place) as partial:
            incoming.replace(partial)
    incoming.unlink(missing_ok=True)
