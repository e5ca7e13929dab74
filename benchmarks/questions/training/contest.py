"""The contestants at work, in turn: every figure is a command of its own, from its start to its end."""

import contextlib
import shutil
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from benchmarks.contest.answering import ContestantError
from benchmarks.contest.machine import joined_versions, opening
from benchmarks.contest.processes import Command, run_to_its_end
from benchmarks.contest.rounds import Series, run_rounds
from benchmarks.questions.decoding.records import Model
from benchmarks.questions.training.entries import MTCLI, Entry
from benchmarks.questions.training.records import Corpus, Row, Trained
from benchmarks.questions.training.tasks import Task


class Contestant(Protocol):
    """One tool, as commands and as what they leave in a folder."""

    def versions(self) -> dict[str, str]:
        """Of its packages.

        Raises:
            ValueError: it is not installed.
        """

    def command(self, task: Task, entry: Entry, folder: Path) -> Command:
        """What trains in this folder."""

    def windows(self, folder: Path) -> list[float]:
        """Target tokens a second of each window that its log has so far."""

    def parameters(self, folder: Path) -> int:
        """The numbers that it learns, once it has ended."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a question is asked.

    Attributes:
        rounds: how often each is measured.
        seconds: that one figure may take.
        seed: of everything random.
        command: as results files show it.
    """

    rounds: int
    seconds: float
    seed: int
    command: str


class Contest:
    """Measures entries; one that fails is recorded with the reason and takes no part any more."""

    def __init__(self, contestants: Mapping[str, Contestant], task: Task, folder: Path, seconds: float) -> None:
        self._contestants, self._task, self._folder, self._seconds = contestants, task, folder, seconds
        self._peaks: dict[str, list[float | None]] = {}
        self._parameters: dict[str, int] = {}
        self._why: dict[str, str] = {}

    def figure(self, entry: Entry) -> float | None:
        """Target tokens a second of one run; None when it failed."""
        folder = self._folder / "running"
        folder.mkdir()
        try:
            return self._train(entry, folder)
        except (ContestantError, ValueError) as error:
            self._why[entry.name] = str(error)
            print(f"{entry.name}: {error}", file=sys.stderr, flush=True)
            return None
        finally:
            shutil.rmtree(folder)

    def _train(self, entry: Entry, folder: Path) -> float:
        contestant, task = self._contestants[entry.contestant], self._task
        command = contestant.command(task, entry, folder)
        peak = run_to_its_end(
            command,
            folder,
            cores=entry.cores,
            seconds=self._seconds,
            is_trained=lambda: len(contestant.windows(folder)) >= task.windows,
        )
        rate = task.rate(contestant.windows(folder))
        self._peaks.setdefault(entry.name, []).append(peak)
        self._parameters[entry.name] = parameters = contestant.parameters(folder)
        first = next(iter(self._parameters.values()))
        if parameters != first:
            raise ValueError(f"it learns {parameters:,} numbers where mtcli learns {first:,}: the models differ")
        return rate

    def row(self, series: Series[Entry], references: Sequence[Series[Entry]]) -> Row:
        """An entry's part of the results; `references` are those of all numbers of cores."""
        entry, taken = series.entry, series.taken
        reference = next((one for one in references if one.entry.cores == entry.cores), None)
        both = reference is not None and any(
            None not in pair for pair in zip(series.figures, reference.figures, strict=True)
        )
        peaks = [peak for peak in self._peaks.get(entry.name, []) if peak is not None]
        return Row(
            contestant=entry.contestant,
            dtype=entry.dtype,
            cores=entry.cores,
            way=entry.way,
            parameters=self._parameters.get(entry.name),
            rounds=list(series.figures),
            median=statistics.median(taken) if taken else None,
            min=min(taken, default=None),
            max=max(taken, default=None),
            ratio=series.ratio(reference) if reference is not None and both else None,
            peak_mib=statistics.median(peaks) if peaks else None,
            why=self._why.get(entry.name),
        )


def measure(
    plan: Plan, title: str, task: Task, contestants: Mapping[str, Contestant], entries: Sequence[Entry], folder: Path
) -> Trained:
    """Let all entries train in turns.

    Raises:
        ValueError: mtcli failed: there is nothing to compare with.
    """
    versions = versions_of(contestants)
    contest = Contest(contestants, task, folder, plan.seconds)
    series = run_rounds(entries, contest.figure, plan.rounds)
    references = [one for one in series if one.entry.is_reference]
    rows = [contest.row(one, references) for one in series]
    if why := [f"{one.entry.name}: {row.why}" for one, row in zip(series, rows, strict=True) if _broke(one, row)]:
        raise ValueError(f"mtcli failed, nothing was recorded: {'; '.join(why)}")
    parameters = next(row.parameters for row in rows if row.contestant == MTCLI)
    return Trained(
        **head(plan, title, versions),
        model=Model(**shape(task, parameters or 0)),
        corpus=Corpus(**task.corpus.record()),
        batch_tokens=task.batch_tokens,
        warm_up=task.warm_up,
        steps=task.steps,
        rows=rows,
    )


def _broke(series: Series[Entry], row: Row) -> bool:
    return series.entry.is_reference and row.why is not None


def versions_of(contestants: Mapping[str, Contestant]) -> dict[str, str]:
    """mtcli's versions, and those that the peers add or have of their own, named after them, if they are there."""
    found = {}
    for name, contestant in contestants.items():
        with contextlib.suppress(ValueError):
            found[name] = contestant.versions()
    return joined_versions(found)


def head(plan: Plan, title: str, versions: Mapping[str, str]) -> dict[str, Any]:
    """What every results file begins with."""
    return {**opening(title, plan.command, versions), "seed": plan.seed}


def shape(task: Task, parameters: int) -> dict[str, Any]:
    """The `model` entry of a results file."""
    model = task.model
    return {
        "name": task.preset,
        "encoder_layers": model.encoder_layers,
        "decoder_layers": model.decoder_layers,
        "d_model": model.d_model,
        "ffn_dim": model.ffn_dim,
        "heads": model.heads,
        "norm": model.norm,
        "vocabulary": task.corpus.vocab_size,
        "parameters": parameters,
    }
