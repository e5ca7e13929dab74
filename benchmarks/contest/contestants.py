"""Who takes part in contests, and what all entries are alike in."""

import sys
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import TypeVar

from benchmarks.contest.machine import ROOT
from mtcli.bench.contest import Contest, ContestantError, Series

MTCLI = "mtcli"
NAMES = {
    "mtcli": MTCLI,
    "ct2": "CTranslate2",
    "hf": "Hugging Face Marian",
    "joeynmt": "JoeyNMT",
    "torch": "PyTorch",
    "torch-compiled": "PyTorch, compiled",
}
PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"  # JoeyNMT's


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One contestant with one way to do the work.

    Attributes:
        short: of NAMES.
        dtype: number type of the matrix products, as the contestant calls it.
        is_reference: whether the others' ratios are to this one: mtcli as it is by default.
    """

    short: str
    dtype: str
    is_reference: bool = False

    @property
    def contestant(self) -> str:
        return NAMES[self.short]

    @property
    def words(self) -> tuple[str, ...]:
        """What it has to do, and what else was chosen for it; empty words do not count."""
        raise NotImplementedError

    @property
    def name(self) -> str:
        """Unlike all others', for people."""
        return ", ".join(filter(None, (self.contestant, self.dtype, *self.words)))

    @property
    def kind(self) -> Hashable:
        """Of entries of one kind a user would take the best."""
        return self.name


E = TypeVar("E", bound=Entry)


def contest_of(
    entries: Sequence[E],
    measure: Callable[[E], float],
    *,
    better: Callable[[Sequence[float]], float] = max,
    left: Callable[[], float],
    save: Callable[[], None],
) -> Contest[E]:
    """Return the contest of these entries, each of whose figures a person is told on stderr."""

    def told(entry: E) -> float:
        figure = measure(entry)
        say(f"{entry.name}: {figure:,.1f}")
        return figure

    return Contest(entries, told, better=better, left=left, say=say, save=save)


def say(words: str) -> None:
    """Tell a person something."""
    print(words, file=sys.stderr, flush=True)


def matching(found: Sequence[E], patterns: Sequence[str]) -> list[E]:
    """Return those whose name fits one of the patterns; all, if there are none. References always stay."""
    return [
        one
        for one in found
        if not patterns or one.is_reference or any(fnmatch(one.name.lower(), text.lower()) for text in patterns)
    ]


def refuse_to_end_without_mtcli(series: Iterable[Series[E]]) -> None:
    """Raise where mtcli itself has no figure: there is nothing to compare with.

    Raises:
        ContestantError: why it has none.
    """
    for one in series:
        if one.contestant.is_reference and one.status != "right":
            raise ContestantError(f"{one.name} {one.status}: {one.why or 'the time did not suffice'}")
