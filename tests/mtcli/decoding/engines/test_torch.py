"""Sentences that come into slots and leave them, whenever and beside whomever, find what a plain search finds."""

import random

import pytest
from support.searching import EOS, network, options, plain_search

from mtcli.decoding.engines.torch import TorchEngine
from mtcli.decoding.search import Hypothesis, Task
from mtcli.decoding.shapes import AnyLayout, IndependentLayout
from mtcli.errors import MtcliError


def random_tasks(count: int, seed: int) -> list[Task]:
    """Short and long, some of them equal."""
    rng = random.Random(seed)
    tasks = []
    for key in range(count):
        source = [rng.randrange(4, 20) for _ in range(rng.randint(1, 12))]
        tasks.append(Task(key, (*source, EOS), rng.randint(2, 14)))
    return tasks


def run(engine: TorchEngine, tasks: list[Task], rng: random.Random) -> dict[int, list[Hypothesis]]:
    """Let the tasks in at random moments, a few at a time or as many as there is room for."""
    waiting, found = list(tasks), {}
    while waiting or engine.num_live:
        if waiting and (rng.random() < 0.4 or not engine.num_live):
            count = min(engine.num_free, rng.choice([1, 2, 3, 100]))
            engine.admit(waiting[:count])
            del waiting[:count]
        for task, hypotheses in engine.advance():
            assert task.key not in found
            assert isinstance(hypotheses, list)
            found[task.key] = hypotheses
    assert sorted(found) == list(range(len(tasks)))
    return found


@pytest.mark.parametrize("look_every", [1, 4, 8])
@pytest.mark.parametrize(("beam", "n_best"), [(1, 1), (3, 1), (4, 4)])
@pytest.mark.parametrize("delayed", [False, True])
@pytest.mark.parametrize("seed", range(2))
def test_random_arrivals_and_refills_find_what_a_plain_search_finds(
    look_every: int, beam: int, n_best: int, delayed: bool, seed: int
) -> None:
    model, how = network(seed, sharpness=2.0), options(beam, 1.0, n_best)
    tasks = random_tasks(14, seed)
    engine = TorchEngine(model, how, AnyLayout(), max_slots=4, look_every=look_every, delayed=delayed)
    found = run(engine, tasks, random.Random(seed))
    for task in tasks:
        expected = plain_search(model, list(task.source), task.max_tokens, how)
        ours = found[task.key]
        assert [h.tokens for h in ours] == [h.tokens for h in expected]
        assert [h.score for h in ours] == pytest.approx([h.score for h in expected], abs=1e-4)


@pytest.mark.parametrize("beam", [1, 3])
def test_more_slots_and_tokens_than_there_are_change_no_translation(beam: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a GPU computes: in shapes that round alike, filled up with what does not count."""
    monkeypatch.setattr("mtcli.decoding.shapes._Rows.agree", lambda self, rows: rows in (64, 8 * beam))
    model, how = network(3, sharpness=2.0), options(beam, n_best=1)
    tasks, encode, sizes = random_tasks(12, 3), model.encode, set()
    monkeypatch.setattr(model, "encode", lambda src, packing: (sizes.add(len(src)), encode(src, packing))[1])
    layout = IndependentLayout(model, beam)
    engine = TorchEngine(model, how, layout, max_slots=8)
    found = run(engine, tasks, random.Random(0))
    assert engine.max_slots == 8
    assert sizes <= {64, 8 * beam}
    for task in tasks:
        [expected] = plain_search(model, list(task.source), task.max_tokens, how)
        [ours] = found[task.key]
        assert ours.tokens == expected.tokens
        assert ours.score == pytest.approx(expected.score, abs=1e-4)


def test_slots_become_fewer_when_nobody_comes() -> None:
    model = network(1)
    sizes = []
    engine = TorchEngine(model, options(2), AnyLayout(), max_slots=16)
    step = model.step
    model.step = lambda tokens, *rest: (sizes.append(len(tokens)), step(tokens, *rest))[1]  # type: ignore[method-assign,assignment,func-returns-value]
    run(engine, [Task(key, (5, EOS), 2 + key) for key in range(16)], random.Random(0))
    assert max(sizes) == 32
    assert sizes == sorted(sizes, reverse=True) or min(sizes) < 16
    assert sizes[-1] <= 4


def test_an_engine_that_is_reset_tells_what_was_not_done() -> None:
    model = network(2)
    engine = TorchEngine(model, options(2), AnyLayout(), max_slots=8)
    tasks = random_tasks(5, 1)
    engine.admit(tasks)
    done = {task.key for task, _ in engine.advance()}
    left = engine.reset()
    assert {task.key for task in left} | done == set(range(5))
    assert engine.num_live == 0
    fresh = TorchEngine(model, options(2), AnyLayout(), max_slots=8)
    assert run(engine, tasks, random.Random(1)) == run(fresh, tasks, random.Random(1))


def test_output_that_is_no_number_is_an_error_of_its_sentence() -> None:
    model = network(4)
    model.output.weight.data[7] = float("nan")
    engine = TorchEngine(model, options(2), AnyLayout(), max_slots=2)
    task = Task(0, (5, EOS), 8)
    engine.admit([task])
    [(found, error)] = engine.advance()
    assert found == task
    assert isinstance(error, MtcliError)
    assert "not a number" in str(error)
    assert engine.num_live == 0


@pytest.mark.parametrize("delayed", [False, True])
def test_sentences_that_are_dropped_make_room_and_change_nothing(delayed: bool) -> None:
    model, how = network(2, sharpness=2.0), options(2)
    tasks = random_tasks(12, 4)
    expected = run(TorchEngine(model, how, AnyLayout(), max_slots=4), tasks, random.Random(0))
    engine = TorchEngine(model, how, AnyLayout(), max_slots=4, delayed=delayed)
    for first in range(0, 12, 4):
        engine.admit([Task(100 + first, (5, 6, 7, EOS), 14), Task(200 + first, (8, EOS), 14)])
        engine.advance()
        engine.drop(lambda task: task.key >= 100)
        assert engine.num_live == 0
        assert engine.num_free == 4
        wanted = tasks[first : first + 4]
        engine.admit(wanted)
        found = {}
        while engine.num_live:
            found.update((task.key, hypotheses) for task, hypotheses in engine.advance())
        for task in wanted:
            assert [h.tokens for h in found[task.key]] == [h.tokens for h in expected[task.key]]
            assert [h.score for h in found[task.key]] == pytest.approx([h.score for h in expected[task.key]], abs=1e-6)
