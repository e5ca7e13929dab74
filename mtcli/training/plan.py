"""Which sentence pairs each step trains on: the epochs' batches one after the other, from any place on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mtcli.data.arrays import IntArray
from mtcli.data.batching import TokenBatches


@dataclass(frozen=True)
class PlannedStep:
    """The batches whose gradients are added for one update.

    Attributes:
        batches: each the indices of its pairs.
        num_tokens: target tokens of them all.
        epoch, batch: where the step after this one begins.
        epochs: passes made with this step, with a fraction.
    """

    batches: Sequence[IntArray]
    num_tokens: int
    epoch: int
    batch: int
    epochs: float


class Plan:
    """The steps of a run in order."""

    def __init__(self, batches: TokenBatches, accumulate: int) -> None:
        self._batches, self._accumulate = batches, accumulate
        self._epoch: tuple[int, list[IntArray]] = (-1, [])

    def epoch(self, number: int) -> list[IntArray]:
        """The batches of an epoch; the newest is kept."""
        known, batches = self._epoch
        if known != number:
            batches = self._batches.epoch(number)
            self._epoch = (number, batches)
        return batches

    def epochs(self, epoch: int, batch: int) -> float:
        """Passes made when this batch is the next."""
        return epoch + batch / len(self.epoch(epoch))

    def steps(self, epoch: int, batch: int) -> Iterator[PlannedStep]:
        """All steps from this batch on, without end."""
        while True:
            batches = self.epoch(epoch)
            group = batches[batch : batch + self._accumulate]
            batch += len(group)
            done = epoch + batch / len(batches)
            if batch >= len(batches):
                epoch, batch = epoch + 1, 0
            num_tokens = sum(int(self._batches.tgt_lengths[indices].sum()) for indices in group)
            yield PlannedStep(group, num_tokens, epoch, batch, done)
