"""Decoding in threads, and with memory that runs out anywhere."""

import threading
from collections.abc import Callable, Sequence
from typing import Any
from unittest.mock import Mock

import pytest
import torch
from support.searching import EOS, network, options
from torch.utils._python_dispatch import TorchDispatchMode

from mtcli.decoding.engines import Outcome
from mtcli.decoding.engines import torch as torch_engine
from mtcli.decoding.engines.torch import TorchEngine, TorchEngines
from mtcli.decoding.pool import EnginePool, Worker
from mtcli.decoding.search import Hypothesis, Sentence, Task
from mtcli.decoding.stream import Call
from mtcli.errors import BackendUnavailableError, MtcliError

SENTENCES = [[4 + (7 * i + j) % 16 for j in range(1 + i % 9)] + [EOS] for i in range(12)]
LIMITS = [3 + i % 7 for i in range(12)]
MANY, MANY_LIMITS = 5 * SENTENCES, 5 * LIMITS  # enough for three engines


class Exhausted(TorchDispatchMode):
    """Memory runs out when so many operations have made a tensor, and is free again afterwards."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.left, self.raised = after, False

    def __torch_dispatch__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.left -= 1
        if self.left == 0:
            self.raised = True
            raise torch.OutOfMemoryError("no memory is left")
        return func(*args, **(kwargs or {}))


def pool(**how: Any) -> EnginePool:
    return EnginePool(TorchEngines(network(5).float(), options(3)), **{"num_workers": 1, **how})


def assert_same(found: list[list[Hypothesis]], expected: list[list[Hypothesis]], told: object = None) -> None:
    """Up to rounding: other sentences may have been beside them."""
    assert [[one.tokens for one in hypotheses] for hypotheses in found] == [
        [one.tokens for one in hypotheses] for hypotheses in expected
    ], told
    ours, theirs = ([one.score for hypotheses in each for one in hypotheses] for each in (found, expected))
    assert ours == pytest.approx(theirs, abs=1e-5), told


@pytest.mark.parametrize("growth", [1, pytest.param(5, marks=pytest.mark.slow)])
def test_memory_that_runs_out_anywhere_changes_nothing(growth: int, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = pool().decode(SENTENCES, LIMITS)
    turn, exhausted = Worker._turn, Exhausted(0)

    def exhausting(self: Worker, engine: Any) -> bool:
        with exhausted:  # of this thread alone
            return turn(self, engine)

    monkeypatch.setattr(Worker, "_turn", exhausting)
    sites = 0
    while True:
        sites += 1
        exhausted = Exhausted(sites)
        assert_same(pool().decode(SENTENCES, LIMITS), expected, sites)
        if not exhausted.raised:
            break
        sites += sites // growth  # every operation at first, and then ever fewer
    assert sites > 500


def test_slots_are_as_many_as_were_asked_for() -> None:
    few = pool(max_slots=3)
    assert few.slots == 3
    found = few.decode(SENTENCES, LIMITS)
    assert few.slots == 3
    assert_same(found, pool().decode(SENTENCES, LIMITS))


@pytest.mark.parametrize("wanted", [True, False])
def test_graphs_are_made_unless_they_are_not_wanted(monkeypatch: pytest.MonkeyPatch, wanted: bool) -> None:
    monkeypatch.setattr(torch_engine, "StepGraphs", Mock)
    monkeypatch.setattr(torch_engine, "_runs_kernels_alone", lambda network, options: True)
    engines = TorchEngines(network(5), options(3), graphs=wanted)
    assert engines.makes_graphs is wanted
    assert (engines.make(4)._graphs is not None) is wanted


def limit_slots(monkeypatch: pytest.MonkeyPatch, most: int) -> list[int]:
    """Let memory hold so many sentences; returns the sizes that were tried."""
    admit, sizes = TorchEngine.admit, []

    def narrow(self: TorchEngine, tasks: Sequence[Any]) -> None:
        sizes.append(self.num_live + len(tasks))
        if sizes[-1] > most:
            raise torch.OutOfMemoryError("no memory is left")
        admit(self, tasks)

    monkeypatch.setattr(TorchEngine, "admit", narrow)
    return sizes


def test_what_was_learnt_about_memory_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = pool().decode(SENTENCES, LIMITS)
    sizes = limit_slots(monkeypatch, 3)
    ours = pool()
    assert_same(ours.decode(SENTENCES, LIMITS), expected)
    assert max(sizes) > 3
    del sizes[:]
    assert_same(ours.decode(SENTENCES, LIMITS), expected)
    assert max(sizes) <= 3


def test_one_sentence_that_does_not_fit_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    limit_slots(monkeypatch, 0)
    with pytest.raises(MtcliError, match="Out of memory while translating one sentence of 10 tokens"):
        pool().decode(SENTENCES, LIMITS)


def test_more_threads_find_the_same() -> None:
    before, others = torch.get_num_threads(), set(threading.enumerate())
    several = pool(num_workers=3)
    assert_same(several.decode(MANY, MANY_LIMITS), pool().decode(MANY, MANY_LIMITS))
    assert torch.get_num_threads() == before
    for thread in set(threading.enumerate()) - others:
        thread.join()  # which ends, as there is nothing left to decode
    assert len(several._idle) == 3


def test_one_engine_has_all_threads_of_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 6)
    engines = TorchEngines(network(5), options(3))
    assert (engines.num_workers, engines.num_threads, engines.make().threads) == (1, 6, 6)


def test_an_engine_computes_with_its_threads_and_leaves_the_others_as_they_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, seen = torch.get_num_threads(), []
    model = network(5)
    step = model.step
    monkeypatch.setattr(model, "step", lambda *how: (seen.append(torch.get_num_threads()), step(*how))[1])
    engine = TorchEngines(model, options(3)).make()
    engine.threads = before + 1
    engine.admit([Task(0, tuple(SENTENCES[0]), 5)])
    engine.advance()
    assert seen == [before + 1]
    assert torch.get_num_threads() == before


def test_engines_with_sentences_divide_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 6)
    ours = pool(num_workers=3)
    monkeypatch.undo()
    workers = [Worker(ours, None) for _ in range(3)]
    ours._at_work += workers
    one, two, _ = (worker.ready_engine() for worker in workers)
    shares = []
    for busy in ([], [two], [two, one]):
        for each in busy:
            if not each.num_live:
                each.admit([Task(0, tuple(SENTENCES[0]), 5)])
        shares.append(ours.threads_for(one))
    assert shares == [6, 3, 3]


def test_a_pool_serves_several_threads_at_once() -> None:
    ours, expected = pool(num_workers=2), pool().decode(SENTENCES, LIMITS)
    found: dict[int, list[list[Hypothesis]]] = {}
    threads = [
        threading.Thread(target=lambda n=n: found.update({n: ours.decode(SENTENCES, LIMITS)}))  # type: ignore[misc]
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(4))
    for ours_found in found.values():
        assert_same(ours_found, expected)


def test_few_tokens_at_once_find_the_same() -> None:
    assert_same(pool(batch_tokens=5).decode(SENTENCES, LIMITS), pool().decode(SENTENCES, LIMITS))


def test_nothing_to_decode() -> None:
    assert pool().decode([], []) == []
    assert pool(num_workers=2).decode([], []) == []


def test_calls_of_one_sentence_share_the_slots_of_an_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = limit_slots(monkeypatch, 1000)
    ours, expected = pool(), pool().decode(SENTENCES, LIMITS)
    del sizes[:]
    calls = [ours.stream.open() for _ in SENTENCES]
    with ours.stream.lock:  # all are there before the engine looks
        for call, source, most in zip(calls, SENTENCES, LIMITS, strict=True):
            call.add([[Sentence(tuple(source), most)]], last=True)
    found = [list(wait_for(call)) for call in calls]
    assert_same([hypotheses for [[hypotheses]] in found], expected)
    assert sizes[0] == len(SENTENCES)


def wait_for(call: Call[list[Hypothesis]]) -> list[list[list[Hypothesis]]]:
    """The lines of a call that has all its sentences."""
    found: list[list[list[Hypothesis]]] = []
    with call.lock:
        while call.num_lines:
            found += call.ready()
            if call.num_lines:
                call.changed.wait(1)
    return found


def test_an_error_of_one_call_is_none_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sentence whose output is not a number, and one that memory does not hold, beside sound ones."""
    admit, advance = TorchEngine.admit, TorchEngine.advance

    def narrow(self: TorchEngine, tasks: Sequence[Task]) -> None:
        if any(len(task.source) > 20 for task in tasks):
            raise torch.OutOfMemoryError("no memory is left")
        admit(self, tasks)

    def confused(self: TorchEngine) -> list[Outcome]:
        return [(task, MtcliError("not a number") if 3 in task.source else found) for task, found in advance(self)]

    monkeypatch.setattr(TorchEngine, "admit", narrow)
    monkeypatch.setattr(TorchEngine, "advance", confused)
    ours, expected = pool(), pool().decode(SENTENCES, LIMITS)
    calls = [ours.stream.open() for _ in range(3)]
    with ours.stream.lock:
        calls[0].add([[Sentence(tuple(s), most)] for s, most in zip(SENTENCES, LIMITS, strict=True)], last=True)
        calls[1].add([[Sentence((3, EOS), 5)]], last=True)
        calls[2].add([[Sentence((*range(4, 19), *range(4, 19), EOS), 5)]], last=True)
    assert_same([hypotheses for [hypotheses] in wait_for(calls[0])], expected)
    with pytest.raises(MtcliError, match="not a number"):
        wait_for(calls[1])
    with pytest.raises(MtcliError, match="Out of memory while translating one sentence of 31 tokens"):
        wait_for(calls[2])
    assert_same(ours.decode(SENTENCES, LIMITS), expected)


def test_a_call_that_is_given_up_frees_its_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    stepped, go_on, others = threading.Event(), threading.Event(), set(threading.enumerate())
    advance = TorchEngine.advance

    def slow(self: TorchEngine) -> list[Outcome]:
        found = advance(self)
        stepped.set()
        go_on.wait()
        return found

    monkeypatch.setattr(TorchEngine, "advance", slow)
    ours = pool()
    call = ours.stream.open()
    call.add([[Sentence(tuple(source), 500)] for source in SENTENCES], last=True)
    stepped.wait()
    [worker] = ours._at_work
    assert worker.num_live
    call.close()
    go_on.set()
    for thread in set(threading.enumerate()) - others:
        thread.join()
    assert worker.num_live == 0
    assert not ours._at_work


def test_an_engine_that_cannot_be_made_is_an_error_of_those_who_wait() -> None:
    class Broken(TorchEngines):
        def make(self, max_slots: int | None = None, num_workers: int = 1) -> TorchEngine:
            raise BackendUnavailableError("no such engine here")

    ours = EnginePool(Broken(network(5), options(3)), num_workers=2)
    for _ in range(2):
        with pytest.raises(BackendUnavailableError, match="no such engine"):
            ours.decode(SENTENCES, LIMITS)


def test_a_thread_that_breaks_down_tells_those_who_wait_and_another_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, expected = pool(), pool().decode(SENTENCES, LIMITS)
    newcomers = Worker._newcomers

    def broken(self: Worker, engine: Any) -> Any:
        monkeypatch.setattr(Worker, "_newcomers", newcomers)
        raise OSError("no memory to free a slot")

    monkeypatch.setattr(Worker, "_newcomers", broken)
    with pytest.raises(OSError, match="no memory to free a slot"):
        ours.decode(SENTENCES, LIMITS)
    assert_same(ours.decode(SENTENCES, LIMITS), expected)
