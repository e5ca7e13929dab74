"""Options that several questions share, and how a results file shows the command that was run."""

import argparse
import shlex
import signal
import sys
import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from fnmatch import fnmatch
from itertools import pairwise
from pathlib import Path
from typing import Protocol, TypeVar

from mtcli.bench.contest import ContestantError, Series
from mtcli.errors import MtcliError

FILES = ("--model", "--src", "--ref")  # a command that is shown names them without their folders
HIDDEN = ("--out", "--seconds")


def positive(text: str) -> int:
    """Read a number of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, got {value}")
    return value


def some_of(offered: Sequence[str], always: str | None = None) -> Callable[[str], tuple[str, ...]]:
    """Return what reads a comma-separated choice, `always` among it."""

    def read(text: str) -> tuple[str, ...]:
        names = set(text.split(","))
        if unknown := names - set(offered):
            raise argparse.ArgumentTypeError(f"expected some of {', '.join(offered)}; got {', '.join(sorted(unknown))}")
        if always is not None and always not in names:
            raise argparse.ArgumentTypeError(f"expected {always} among them: the ratios are to it")
        return tuple(name for name in offered if name in names)

    return read


def add_shared(parser: argparse.ArgumentParser, *, rounds: int) -> None:
    """Add the options of every contest."""
    parser.add_argument("--data", type=Path, help="folder that holds the corpora's folders")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (%(default)s)")
    parser.add_argument("--rounds", type=positive, default=rounds, help="how often each is measured (%(default)s)")
    parser.add_argument("--only", action="append", default=[], help="pattern of names, as '*int8*'; may be repeated")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, help="for all of it; what they do not suffice for is left out")
    parser.add_argument("--out", type=Path, help="the JSON file; by default in benchmarks/results/cpu")


def clock(seconds: float | None) -> Callable[[], float]:
    """Return what tells the seconds that are left; a day where there is no limit."""
    ends_at = time.monotonic() + (seconds or 86_400.0)
    return lambda: ends_at - time.monotonic()


def longest(seconds: float | None) -> float:
    """Return the seconds that one figure may take, where there are so many for all: one that hangs costs no more."""
    return 1800.0 if seconds is None else min(240.0, seconds)


def told(name: str, figure: float) -> float:
    """Tell a person a figure, and return it."""
    print(f"{name}: {figure:,.1f}", file=sys.stderr, flush=True)
    return figure


def shown_command(module: str, words: Sequence[str]) -> str:
    """Return the command line without where things lie on this machine."""
    shown = ["python", "-m", f"benchmarks.{module}"]
    split = [part for word in words for part in (word.split("=", 1) if word.startswith("--") else [word])]
    for before, word in pairwise(["", *split]):
        if word in HIDDEN or before in HIDDEN:
            continue
        shown.append("DATA" if before == "--data" else Path(word).name if before in FILES else word)
    return shlex.join(shown)


def exits_with_a_sentence(main: Callable[[], None]) -> None:
    """Run a command: 1 with a sentence where something is missing or wrong, 130 after Ctrl-C."""
    # What `kill` ends is to end its own processes first, as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        main()
    except (MtcliError, ContestantError, ValueError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


class Entry(Protocol):
    """One contestant with one way to do the work (`mtcli.bench.contest`)."""

    @property
    def name(self) -> str:
        """Unlike all others', for people."""

    @property
    def kind(self) -> Hashable:
        """Of entries of one kind a user would take the best."""

    @property
    def is_reference(self) -> bool:
        """Whether the others' ratios are to this one: mtcli as it is by default."""


E = TypeVar("E", bound=Entry)


def refuse_to_end_without_mtcli(series: Iterable[Series[E]]) -> None:
    """Raise where mtcli itself has no figure: there is nothing to compare with.

    Raises:
        ContestantError: why it has none.
    """
    for one in series:
        if one.contestant.is_reference and one.status != "right":
            raise ContestantError(f"{one.name} {one.status}: {one.why or 'the time did not suffice'}")


def matching(found: Sequence[E], patterns: Sequence[str]) -> list[E]:
    """Return those whose name fits one of the patterns; all, if there are none. References always stay."""
    return [
        one
        for one in found
        if not patterns or one.is_reference or any(fnmatch(one.name.lower(), text.lower()) for text in patterns)
    ]
