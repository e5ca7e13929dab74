"""Decoding in threads, and with memory that runs out anywhere."""

import threading
from collections.abc import Callable, Sequence
from typing import Any
from unittest.mock import Mock

import pytest
import torch
from support.searching import EOS, network, options
from torch.utils._python_dispatch import TorchDispatchMode

from mtcli.config import ModelConfig, VocabularySizes
from mtcli.decoding import shapes as independence
from mtcli.decoding.engines import torch as engine
from mtcli.decoding.pool import Decoder
from mtcli.decoding.search import Hypothesis, Task
from mtcli.errors import MtcliError
from mtcli.model.transformer import Transformer

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


def decoder(**how: Any) -> Decoder:
    return Decoder(network(5).float(), options(3), **{"workers": 1, **how})


def test_memory_that_runs_out_anywhere_changes_nothing() -> None:
    expected = decoder().decode(SENTENCES, LIMITS)
    sites = 0
    while True:
        sites += 1
        ours = decoder()
        with Exhausted(sites) as exhausted:
            assert ours.decode(SENTENCES, LIMITS) == expected, sites
        if not exhausted.raised:
            break
        sites += sites // 5  # every operation at first, and then ever fewer
    assert sites > 500


def test_slots_are_as_many_as_were_asked_for() -> None:
    few = decoder(max_slots=3, independent=False)
    assert few.slots == 3
    found = few.decode(SENTENCES, LIMITS)
    assert few.slots == 3
    expected = decoder().decode(SENTENCES, LIMITS)
    assert [[one.tokens for one in hypotheses] for hypotheses in found] == [
        [one.tokens for one in hypotheses] for hypotheses in expected
    ]


@pytest.mark.parametrize("wanted", [True, False])
def test_graphs_are_made_unless_they_are_not_wanted(monkeypatch: pytest.MonkeyPatch, wanted: bool) -> None:
    monkeypatch.setattr(engine, "StepGraphs", Mock)
    monkeypatch.setattr(engine.Engine, "_runs_kernels_alone", lambda self: True)
    assert decoder(graphs=wanted).makes_graphs is wanted


def limit_slots(monkeypatch: pytest.MonkeyPatch, most: int) -> list[int]:
    """Let memory hold so many sentences; returns the sizes that were tried."""
    from mtcli.decoding.engines.torch import Engine

    admit, sizes = Engine.admit, []

    def narrow(self: Engine, tasks: Sequence[Any]) -> None:
        sizes.append(self.num_live + len(tasks))
        if sizes[-1] > most:
            raise torch.OutOfMemoryError("no memory is left")
        admit(self, tasks)

    monkeypatch.setattr(Engine, "admit", narrow)
    return sizes


def test_what_was_learnt_about_memory_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = decoder().decode(SENTENCES, LIMITS)
    sizes = limit_slots(monkeypatch, 3)
    ours = decoder()
    assert ours.decode(SENTENCES, LIMITS) == expected
    assert max(sizes) > 3
    del sizes[:]
    assert ours.decode(SENTENCES, LIMITS) == expected
    assert max(sizes) <= 3


def test_one_sentence_that_does_not_fit_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    limit_slots(monkeypatch, 0)
    with pytest.raises(MtcliError, match="Out of memory while translating one sentence of 10 tokens"):
        decoder().decode(SENTENCES, LIMITS)


@pytest.mark.parametrize("independent", [True, False])
def test_more_threads_find_the_same(independent: bool) -> None:
    before = torch.get_num_threads()
    expected = decoder(independent=independent).decode(MANY, MANY_LIMITS)
    several = decoder(independent=independent, workers=3)
    found = several.decode(MANY, MANY_LIMITS)
    assert len(several._idle) == 3
    for ours, theirs in zip(found, expected, strict=True):
        assert [h.tokens for h in ours] == [h.tokens for h in theirs]
        assert not independent or ours == theirs
    assert torch.get_num_threads() == before
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("decoding")]


@pytest.mark.parametrize("beam", [1, 3])
def test_the_number_of_threads_changes_nothing(beam: int) -> None:
    """Products wide enough to be divided, and sentences on both sides of every width that attention is padded to."""
    torch.manual_seed(0)
    config = ModelConfig(encoder_layers=1, decoder_layers=1, d_model=128, ffn_dim=512, heads=2, max_length=160)
    model = Transformer(config, VocabularySizes(source=2000, target=2000, shared=True)).eval()
    lengths = (1, 15, 16, 31, 33, 63, 64, 65, 127, 128, 140)
    sources = [[4 + (7 * i + j) % 1900 for j in range(length - 1)] + [EOS] for i, length in enumerate(lengths)]
    found = []
    for threads in (1, 2, 3):
        with independence.divided_among(threads):
            for workers in (1, 3):
                ours = Decoder(model, options(beam), workers=workers)
                found.append(ours.decode(2 * sources, [6] * 2 * len(sources)))
                found.append([ours.decode([source], [6])[0] for source in 2 * sources])
    assert all(each == found[0] for each in found)


def test_engines_with_sentences_divide_the_threads() -> None:
    with independence.divided_among(6):
        ours = decoder(workers=3)
    with ours._engine() as one, ours._engine() as two, ours._engine():
        shares = []
        for busy in ([], [two], [two, one]):
            for each in busy:
                if not each.num_live:
                    each.admit([Task(0, tuple(SENTENCES[0]), 5)])
            ours.share_threads(one)
            shares.append(one.threads)
    assert shares == [6, 3, 3]
    assert ours._working == []


def test_a_decoder_serves_several_threads_at_once() -> None:
    ours, expected = decoder(workers=2), decoder().decode(SENTENCES, LIMITS)
    found: dict[int, list[list[Hypothesis]]] = {}
    threads = [
        threading.Thread(target=lambda n=n: found.update({n: ours.decode(SENTENCES, LIMITS)}))  # type: ignore[misc]
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == dict.fromkeys(range(4), expected)


def test_few_tokens_at_once_find_the_same() -> None:
    assert decoder(batch_tokens=5).decode(SENTENCES, LIMITS) == decoder().decode(SENTENCES, LIMITS)


def test_nothing_to_decode() -> None:
    assert decoder().decode([], []) == []
    assert decoder(workers=2).decode([], []) == []
