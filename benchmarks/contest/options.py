"""The command line of contests: options that all have, how one is run, and how a results file shows its command."""

import argparse
import shlex
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.contest.contestants import MTCLI, PEERS_PYTHON, refuse_to_end_without_mtcli
from benchmarks.contest.machine import RESULTS, save, torch_device
from benchmarks.contest.records import Result
from mtcli.bench.contest import ContestantError, Series
from mtcli.errors import MtcliError

FILES = ("--model", "--src", "--ref")  # a command that is shown names them without their folders
HIDDEN = ("--out", "--seconds")


class Question(NamedTuple):
    """What one subcommand measures.

    Attributes:
        words: what it does.
        rounds: how often each is measured by default.
        offered: short names of those who can take part.
        defaults: of the options that are its own.
    """

    words: str
    rounds: int
    offered: tuple[str, ...]
    defaults: dict[str, int]


Answer = tuple[Result, Sequence[Series[Any]]]
"""What came out: the file's content, and the series of all contests."""
Run = Callable[[argparse.Namespace, Path, Callable[[Result], None]], Answer]
"""Measures, given the options, a folder for files, and what is called with the result as far as it is known."""


def positive(text: str) -> int:
    """Read a number of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, got {value}")
    return value


def contestants(offered: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    """Return what reads a comma-separated choice, mtcli among it."""

    def read(text: str) -> tuple[str, ...]:
        names = set(text.split(","))
        if unknown := names - set(offered):
            raise argparse.ArgumentTypeError(f"expected some of {', '.join(offered)}; got {', '.join(sorted(unknown))}")
        if MTCLI not in names:
            raise argparse.ArgumentTypeError("expected mtcli among them: the ratios are to it")
        return tuple(name for name in offered if name in names)

    return read


def parsers(
    parser: argparse.ArgumentParser, questions: Mapping[str, Question]
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Yield a parser for each question, with the options of every contest."""
    subparsers = parser.add_subparsers(dest="question", required=True, metavar="QUESTION")
    for name, question in questions.items():
        one = subparsers.add_parser(name, help=question.words, description=question.words + ".")
        one.add_argument("--data", type=Path, help="folder that holds the corpora's folders")
        one.add_argument("--device", default="cpu", help="cpu or cuda (%(default)s)")
        one.add_argument(
            "--rounds", type=positive, default=question.rounds, help="how often each is measured (%(default)s)"
        )
        one.add_argument("--only", action="append", default=[], help="pattern of names, as '*int8*'; may be repeated")
        one.add_argument("--seed", type=int, default=1)
        one.add_argument("--seconds", type=float, help="for all of it; what they do not suffice for is left out")
        one.add_argument("--out", type=Path, help="the JSON file; by default in benchmarks/results/cpu")
        one.add_argument(
            "--contestants", type=contestants(question.offered), help=f"of {', '.join(question.offered)} (all)"
        )
        yield name, one


def refuse_without_joeynmt(parser: argparse.ArgumentParser, names: Sequence[str]) -> None:
    """End with a sentence where JoeyNMT is to take part and is not there."""
    if "joeynmt" in names and not PEERS_PYTHON.exists():
        others = ",".join(name for name in names if name != "joeynmt")
        parser.error(
            f"{PEERS_PYTHON}, the Python of JoeyNMT, does not exist: run `make peers`, or leave it out: "
            f"--contestants {others}"
        )


def measure(task: str, arguments: Callable[[], argparse.Namespace], run: Run) -> None:
    """Measure and write benchmarks/results/cpu/TASK-QUESTION.json, or where `--out` says.

    With `--seconds` the file is written whenever something more is known. Exits with 1 and a sentence where something
    is missing or wrong, and with 130 after Ctrl-C.
    """
    # What `kill` ends is to end its own processes first, as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    given = arguments()
    try:
        _measure(task, given, run)
    except (MtcliError, ContestantError, ValueError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def _measure(task: str, given: argparse.Namespace, run: Run) -> None:
    from mtcli.devices import resolve_device
    from mtcli.processors import share_processors

    share_processors()  # as mtcli's command line does; here for the peers too
    resolve_device(torch_device(given.device))  # which says what is missing
    out = given.out or RESULTS / "cpu" / f"{task}-{given.question}.json"

    def save_so_far(result: Result) -> None:
        if given.seconds:
            save(result, out, quiet=True)

    with tempfile.TemporaryDirectory() as folder:
        result, series = run(given, Path(folder), save_so_far)
    save_so_far(result)
    refuse_to_end_without_mtcli(series)
    save(result, out)


def clock(seconds: float | None) -> Callable[[], float]:
    """Return what tells the seconds that are left; a day where there is no limit."""
    ends_at = time.monotonic() + (seconds or 86_400.0)
    return lambda: ends_at - time.monotonic()


def longest(seconds: float | None) -> float:
    """Return the seconds that one figure may take, where there are so many for all: one that hangs costs no more."""
    return 1800.0 if seconds is None else min(240.0, seconds)


def shown_command(module: str, words: Sequence[str]) -> str:
    """Return the command line without where things lie on this machine."""
    shown = ["python", "-m", f"benchmarks.{module}"]
    split = [part for word in words for part in (word.split("=", 1) if word.startswith("--") else [word])]
    for before, word in pairwise(["", *split]):
        if word in HIDDEN or before in HIDDEN:
            continue
        shown.append("DATA" if before == "--data" else Path(word).name if before in FILES else word)
    return shlex.join(shown)
