"""How fast do models train, beside other trainers with the same batches? Each figure is a process of its own."""

import shutil
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from benchmarks.contest.contestants import MTCLI, NAMES, contest_of, say
from benchmarks.contest.machine import joined_versions, package_path
from benchmarks.contest.processes import peak_mib, run, tree, why_ended
from benchmarks.contest.records import Model, Trained
from benchmarks.peers.training import LABEL_SMOOTHING
from benchmarks.questions.models import model_record, write_random
from benchmarks.questions.tasks import Task
from benchmarks.questions.trainers import Trainer, TrainingEntry
from mtcli.bench.contest import Contest, ContestantError, Series
from mtcli.bench.training.gradients import judged, loss_and_norm
from mtcli.bench.workload.sentences import PairBatch
from mtcli.model_directory.loading import load_model


@dataclass
class TrainingContest:
    """A task's contest.

    Attributes:
        task, entries: what is trained, and in which ways.
        trainers: by short name.
        folder: for what they leave.
        left: seconds that are left.
        longest: seconds that one figure may take.
        save: is called whenever something more is known.
    """

    task: Task
    entries: Sequence[TrainingEntry]
    trainers: Mapping[str, Trainer]
    folder: Path
    left: Callable[[], float]
    longest: float
    save: Callable[["TrainingContest"], None] = lambda contest: None
    contest: Contest[TrainingEntry] = field(init=False)
    _peaks: dict[str, list[float]] = field(default_factory=dict)
    _parameters: dict[str, int] = field(default_factory=dict)
    _expected: dict[str, float] | None = None

    def __post_init__(self) -> None:
        self.contest = contest_of(self.entries, self._figure, left=self.left, save=lambda: self.save(self))

    def _figure(self, entry: TrainingEntry) -> float:
        """Target tokens a second of one run."""
        folder = self.folder / "running"
        folder.mkdir()
        try:
            return self._train(entry, self.trainers[entry.short], folder)
        finally:
            shutil.rmtree(folder)

    def _train(self, entry: TrainingEntry, trainer: Trainer, folder: Path) -> float:
        log, seconds = folder / "log", min(self.longest, max(self.left(), 1.0))
        peak: float | None = None

        def watch(pid: int) -> None:
            """Saving and validating behind the last window count no more for the memory."""
            nonlocal peak
            if len(trainer.windows(folder)) < self.task.windows:
                found = [memory for memory in map(peak_mib, tree(pid)) if memory is not None]
                peak = max([*found, *([] if peak is None else [peak])], default=None)

        command, cores = trainer.command(self.task, entry, folder), entry.cores
        code = run(command, log, seconds=seconds, cwd=folder, environment=package_path(), cores=cores, glance=watch)
        if code != 0:
            raise ContestantError(why_ended(code, log, seconds))
        rate = self.task.rate(trainer.windows(folder))
        self._compare(entry, trainer, folder)
        if peak is not None:
            self._peaks.setdefault(entry.name, []).append(peak)
        return rate

    def _compare(self, entry: TrainingEntry, trainer: Trainer, folder: Path) -> None:
        """Is it the same model? As many numbers as mtcli's, and for those that tell, the same loss and gradient."""
        self._parameters[entry.name] = parameters = trainer.parameters(folder)
        first = next(iter(self._parameters.values()))
        if parameters != first:
            raise ContestantError(f"it learns {parameters:,} numbers where mtcli learns {first:,}", "wrong")
        found = trainer.check(folder)
        if found is not None:
            passed, detail = judged(found, self._of_mtcli(), "float32")
            if not passed:
                raise ContestantError(f"its first batch, in float32: {detail}", "wrong")

    def _of_mtcli(self) -> dict[str, float]:
        if self._expected is None:
            task, cpu = self.task, torch.device("cpu")
            directory = write_random(self.folder / "expected", task.preset, task.corpus.vocab_size, task.seed)
            loaded = load_model(directory, cpu)
            batch = PairBatch(**task.batches()[0]).on_device(loaded.tokenizers.tgt.start_id, cpu)
            self._expected = loss_and_norm(loaded.network, batch, LABEL_SMOOTHING, torch.float32)
        return self._expected

    def rows(self) -> list[Trained]:
        """Return what is known, as the results file has it."""
        return [self._row(one) for one in self.contest.series]

    def _row(self, series: Series[TrainingEntry]) -> Trained:
        entry = series.contestant
        references = (one for one in self.contest.series if one.contestant.is_reference)
        reference = next((one for one in references if one.contestant.cores == entry.cores), None)
        peaks = self._peaks.get(entry.name)
        return Trained(
            **{name: getattr(entry, name) for name in ("contestant", "dtype", "way", "cores")},
            **series.as_json(reference),
            parameters=self._parameters.get(entry.name),
            peak_mib=statistics.median(peaks) if peaks else None,
        )

    def model(self) -> Model:
        """Return the model in numbers."""
        task = self.task
        return model_record(task.preset, task.model, task.corpus.vocab_size, next(iter(self._parameters.values()), 0))


def trainers_there(
    short_names: Sequence[str], made: Callable[[str], Trainer]
) -> tuple[dict[str, Trainer], dict[str, str]]:
    """Return those that are installed, and mtcli's versions with those that they add; stderr says who is missing."""
    trainers: dict[str, Trainer] = {}
    versions: dict[str, Any] = {}
    for short in short_names:
        trainer = made(short)
        try:
            versions[NAMES[short]] = trainer.versions()
        except ValueError as error:
            if short == MTCLI:
                raise
            say(f"{NAMES[short]} takes no part: {error}")
            continue
        trainers[short] = trainer
    return trainers, joined_versions(versions)
