"""Groups of a profile of training: by made-up events, and of real updates."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.questions.training.base import RandomModel
from benchmarks.questions.training.profiling import (
    ATTENTION,
    DATA,
    GROUPS,
    LOSS,
    NORMS,
    OTHER,
    PRODUCTS,
    PYTHON,
    forward_groups,
    group_of,
    profile_of,
)
from benchmarks.questions.training.tasks import Task

BACKWARD = "autograd::engine::evaluate_function: "


def event(name: str, parent: Any = None, number: int = -1) -> Any:
    return SimpleNamespace(name=name, cpu_parent=parent, sequence_nr=number)


def test_backward_belongs_to_what_it_differentiates() -> None:
    attention = event("group: attention")
    linear = event("aten::linear", event("group: projections and feed-forward", attention), 4)
    forward = [
        event("aten::empty", event("group: norms"), 4),  # nothing differentiates it: it has the next one's number
        linear,
        event("aten::addmm", linear, 4),
        event("aten::softmax", attention, 5),
        event("aten::add", None, 6),
    ]
    backward = [event(f"{BACKWARD}X", None, number) for number in (6, 5, 4, 99)]
    inside = event("aten::mm", backward[0], 4)
    groups = forward_groups([*forward, *backward, inside])
    assert groups == {4: PRODUCTS, 5: ATTENTION, 6: OTHER}
    assert [group_of(one, groups) for one in backward] == [OTHER, ATTENTION, PRODUCTS, OTHER]
    assert group_of(inside, groups) is None
    assert [group_of(one, groups) for one in forward] == [NORMS, PRODUCTS, None, ATTENTION, OTHER]


def test_batches_are_made_outside_of_pytorch_and_count_as_a_whole() -> None:
    batches = event("group: batches")
    assert group_of(batches, {}) == DATA
    assert group_of(event("aten::to", batches), {}) is None
    assert group_of(event("group: attention"), {}) is None


def test_updates_show_in_every_group(tmp_path: Path) -> None:
    corpus = RandomModel(preset="tiny", vocab_size=100, data=None).corpus(tmp_path, 1500, seed=1)
    task = Task(preset="tiny", corpus=corpus, batch_tokens=200, warm_up=1, steps=2, window=1, seed=1)
    part = profile_of(task, tmp_path)
    seconds = {share.group: share.seconds for share in part.groups}
    assert set(seconds) == {*GROUPS, PYTHON}
    for group in GROUPS:
        assert seconds[group] > 0, group
    named = sum(seconds[group] for group in GROUPS if group != OTHER)
    assert seconds[OTHER] < 0.2 * named, "too much belongs to no part"
    assert seconds[PRODUCTS] > seconds[LOSS]
    assert 0 < part.target_tokens <= 200
    assert sum(share.share for share in part.groups) == pytest.approx(1.0)
