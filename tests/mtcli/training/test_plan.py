"""Steps go through the epochs in order, from any place on, and say where the next one begins."""

from itertools import islice

import numpy as np

from mtcli.data.batching import TokenBatches
from mtcli.training.plan import Plan, PlannedStep

LENGTHS = np.random.default_rng(1).integers(2, 20, (2, 200))


def plan(accumulate: int) -> Plan:
    return Plan(TokenBatches(LENGTHS[0], LENGTHS[1], 100, 3), accumulate)


def indices(step: PlannedStep) -> list[list[int]]:
    return [batch.tolist() for batch in step.batches]


def test_an_epoch_has_every_pair_once_and_then_comes_the_next() -> None:
    steps = list(islice(plan(3).steps(0, 0), 40))
    first = [step for step in steps if step.epochs <= 1]
    assert sorted(index for step in first for batch in indices(step) for index in batch) == list(range(200))
    assert (first[-1].epoch, first[-1].batch, first[-1].epochs) == (1, 0, 1.0)
    assert steps[len(first)].epochs > 1
    assert sum(step.num_tokens for step in first) == LENGTHS[1].sum()


def test_a_run_goes_on_from_any_step() -> None:
    whole = list(islice(plan(2).steps(0, 0), 30))
    for number in (0, 3, 11, 28):
        rest = islice(plan(2).steps(whole[number].epoch, whole[number].batch), 29 - number)
        assert [indices(step) for step in rest] == [indices(step) for step in whole[number + 1 :]]


def test_epochs_count_with_a_fraction() -> None:
    steps = list(islice(plan(4).steps(0, 0), 20))
    assert [step.epochs for step in steps] == sorted(step.epochs for step in steps)
    for step in steps:
        assert plan(4).epochs(step.epoch, step.batch) == step.epochs
