"""Section `train`: how fast mtcli trains here, and how near that is to the best matrix product of its number type.

A preset with random weights, or a model directory's (which stays as it is), on random sentence pairs as long as news,
in batches of like lengths, which lie on the device beforehand. What gives a wrong loss or gradient gets no time.
"""

import time
from collections.abc import Sequence

import torch

from mtcli.bench.asked import Asked
from mtcli.bench.contest.memory import Peak
from mtcli.bench.measuring.contest import first_lines, raise_if_broken
from mtcli.bench.records.record import Ceilings, Check, Status, Train, Trained
from mtcli.bench.training.gradients import judged, loss_and_norm
from mtcli.bench.training.parts import Parts
from mtcli.bench.training.updates import Contestant, Entry, entries
from mtcli.bench.work.sentences import PairBatch, random_batches
from mtcli.bench.work.shapes import LONGEST
from mtcli.bench.work.subject import Subject, opened
from mtcli.config import TrainingConfig
from mtcli.devices import dtype_name, prepare_cpu, resolve_device, resolve_dtype
from mtcli.errors import MtcliError, is_out_of_memory
from mtcli.training.batch import Batch
from mtcli.training.step import TrainingStep
from mtcli_kernels.dispatch import UnavailableError

CONFIG = TrainingConfig()
LEARNING_RATE = 1e-4  # low, so that random sentences spoil nothing
CHECKED_TOKENS = 128
MOST_ROUNDS, TOY_ROUNDS = 20, 2
FEWEST_ROUNDS = 2  # that there should be time for, where an entry is begun


def measure_train(asked: Asked, ceilings: Ceilings, left_out: list[str]) -> Train:
    """Measure as much as the time suffices for, most wanted first.

    Args:
        asked: what, on which device, for how long.
        ceilings: what the device can do.
        left_out: gets a sentence for what the time did not suffice for.

    Raises:
        MtcliError: there is no such device, number type or preset, or the model is missing or damaged.
    """
    asked.say("train: making the model ready")
    device = resolve_device(asked.torch_device)
    if device.type == "cpu":
        prepare_cpu()
    wanted = asked.dtype or "auto"
    if wanted == "float16":
        wanted = "auto"
        left_out.append("train: float16, in which mtcli does not train")
    dtype = resolve_dtype(wanted, device)
    section = _Section(asked, ceilings, left_out, opened(asked, device, torch.float32), dtype)
    section.run()
    return Train(
        model=section.subject.record,
        dtype=dtype_name(dtype),
        sources="random tokens in pairs as long as news",
        checks=tuple(section.checks),
        rows=tuple(section.rows),
    )


class _Section:
    """One measurement."""

    def __init__(
        self, asked: Asked, ceilings: Ceilings, left_out: list[str], subject: Subject, dtype: torch.dtype
    ) -> None:
        self._asked, self._ceilings, self._left_out, self._dtype = asked, ceilings, left_out, dtype
        self.subject, self._network = subject, subject.network
        self._device = self._network.output.weight.device
        self._step = TrainingStep(self._network, CONFIG, dtype=dtype)
        self._updates = 0
        self._contestants: list[Contestant] = []
        self.checks: list[Check] = []
        self.rows: list[Trained] = []

    def run(self) -> None:
        found, refused, has_time = entries(self._asked), {}, self._asked.left() > 0
        if has_time:
            refused = self._check(list(dict.fromkeys(entry.attention for entry in found)))
        for entry in found:
            if entry.attention in refused:
                self._add_row(entry, *refused[entry.attention])
            # The first is begun however slow the machine, for the section to say something.
            elif self._asked.left() <= self._to_come(entry) and (self._contestants or not has_time):
                self._add_row(entry, "left out", "the time did not suffice")
                self._left_out.append(f"train: {entry.name}")
            else:
                self._begin(entry)
        self._take_turns(0, FEWEST_ROUNDS)
        self._take_apart()
        self._take_turns(FEWEST_ROUNDS, TOY_ROUNDS if self._asked.toy else MOST_ROUNDS)
        self._tell_what_was_left_out()
        self.rows += [one.row(self._ceilings) for one in self._contestants]

    def _add_row(self, entry: Entry, status: Status, why: str) -> None:
        self.rows.append(Trained(way=entry.way, status=status, batch_tokens=entry.batch_tokens, why=why))

    def _batches(self, tokens: int, count: int) -> list[PairBatch]:
        longest = min(LONGEST + 1, self._network.config.max_length)
        src, tgt = self.subject.src, self.subject.tgt
        return random_batches(src, tgt, tokens=tokens, count=count, seed=self._asked.seed, longest=longest)

    def _on_device(self, batch: PairBatch) -> Batch:
        return batch.on_device(self.subject.start_id, self._device)

    def _check(self, attentions: Sequence[str]) -> dict[str, tuple[Status, str]]:
        """The forms of attention that get no time, and why."""
        self._asked.say("train: checking the loss and its gradient")
        [batch] = self._batches(CHECKED_TOKENS, 1)
        on_device, name = self._on_device(batch), dtype_name(self._dtype)
        self._network.attention = "reference"
        expected = loss_and_norm(self._network, on_device, CONFIG.label_smoothing, torch.float32)
        refused: dict[str, tuple[Status, str]] = {}
        for attention in attentions:
            self._network.attention = attention
            what = f"attention {attention}: the loss and its gradient's norm in float32 with plain attention"
            try:
                found = loss_and_norm(self._network, on_device, CONFIG.label_smoothing, self._dtype)
                passed, detail = judged(found, expected, name)
            except UnavailableError as error:
                refused[attention] = ("cannot run", str(error))
                continue
            except (MtcliError, RuntimeError, ValueError) as error:
                raise_if_broken(what, error)
                passed, detail = False, first_lines(error)
            self.checks.append(Check(what=what, passed=passed, detail=detail))
            if not passed:
                refused[attention] = ("wrong", detail)
        return refused

    def _to_come(self, entry: Entry) -> float:
        """Seconds that an entry would take, and those begun will yet: a few rounds, and one to see the parts."""
        costs = sum(one.cost for one in self._contestants)
        newest = self._contestants[-1] if self._contestants else None
        expected = newest.cost * entry.batch_tokens / newest.entry.batch_tokens if newest else 0.0
        return (1 + FEWEST_ROUNDS) * costs + (2 + FEWEST_ROUNDS) * expected

    def _begin(self, entry: Entry) -> None:
        """Make an entry's batches, and the updates that do not count."""
        self._asked.say(f"train: {entry.name}")
        batches = self._batches(entry.batch_tokens, entry.batches)
        on_device = [self._on_device(batch) for batch in batches]
        contestant = Contestant(
            entry=entry, subject=self.subject, dtype=self._dtype, batches=batches, on_device=on_device
        )
        self._contestants.append(contestant)
        seconds = self._run(contestant, entry.warm_up)
        contestant.cost = (seconds or 0.0) * entry.updates / entry.warm_up

    def _run(self, one: Contestant, updates: int, parts: Parts | None = None) -> float | None:
        """Seconds of so many updates; None where they cannot be made."""
        self._network.attention = one.entry.attention
        peak = Peak(self._device)
        try:
            self._synchronize()
            start = time.perf_counter()
            for number in range(updates):
                self._update(one.on_device[number % len(one.on_device)], parts)
            self._synchronize()
        except (MtcliError, RuntimeError) as error:
            raise_if_broken(one.entry.name, error)
            one.status = "out of memory" if is_out_of_memory(error) else "cannot run"
            one.why = first_lines(error)
            self._network.zero_grad()
            return None
        seconds, one.peak = time.perf_counter() - start, peak.bytes
        return seconds

    def _update(self, batch: Batch, parts: Parts | None) -> None:
        self._updates += 1
        if parts is not None:
            parts.begin()
        self._step.step([batch], LEARNING_RATE, self._updates)
        if parts is not None:
            parts.end()

    def _synchronize(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize()

    def _take_turns(self, first: int, end: int) -> None:
        """Rounds of these numbers, every other one backwards, as long as there is time for another."""
        for number in range(first, end):
            running = [one for one in self._contestants if one.runs]
            if not running or (number and self._asked.left() < sum(one.cost for one in running)):
                break
            self._asked.say(f"train: round {number + 1}")
            for one in running if number % 2 == 0 else reversed(running):
                if self._asked.left() <= one.cost and any(other.samples for other in self._contestants):
                    continue
                if (seconds := self._run(one, one.entry.updates)) is not None:
                    one.cost, one.status = seconds, "right"
                    one.samples.append(seconds / one.entry.updates)

    def _take_apart(self) -> None:
        for one in self._contestants:
            if one.status != "right" or self._asked.left() < one.cost:
                continue
            with Parts(self._network, self._step, self._device) as parts:
                if self._run(one, one.entry.updates, parts) is not None:
                    one.take_in(parts.medians(), self._ceilings)

    def _tell_what_was_left_out(self) -> None:
        for one in self._contestants:
            if one.status == "left out":
                self._left_out.append(f"train: {one.entry.name}")
            elif one.status == "right" and not one.phases:
                self._left_out.append(f"train: where the time goes, {one.entry.name}")
