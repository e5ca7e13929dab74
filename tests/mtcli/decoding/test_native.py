"""The native engine with the PyTorch engine as oracle.

The two sum in different orders, and random networks have hypotheses that nearly tie: other tokens are right where the
scores are those of the oracle's within 1e-4.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from threading import Thread
from typing import Any
from unittest.mock import Mock

import pytest
import torch
from support.searching import BANNED, EOS, START, VOCABULARY
from support.tiny import untrained_model

from mtcli.config import ModelConfig, VocabularySizes
from mtcli.decoding.engines import native, native_slots
from mtcli.decoding.engines.native import NativeEngine, NativeEngines, obstacle
from mtcli.decoding.engines.torch import TorchEngines
from mtcli.decoding.pool import EnginePool
from mtcli.decoding.search import Hypothesis, SearchOptions, Task
from mtcli.errors import MtcliError
from mtcli.model.transformer import Transformer
from mtcli.model_directory.loading import LoadedModel

SOURCES = [[5, 6, 7, EOS], [EOS], [9, 10, 11, 12, 13, EOS], [4, EOS], [4 + i % 16 for i in range(20)] + [EOS]]
LIMITS = [9, 2, 30, 12, 70]  # 2: a token and the end; 70: beyond the rooms that slots have at first
BASE = SearchOptions(beam_size=3, length_penalty=1.0, start_id=START, eos_id=EOS, banned=BANNED, n_best=3)


def model(seed: int = 1, **shape: Any) -> LoadedModel:
    """A random network whose output is rather sure of itself."""
    torch.manual_seed(seed)
    sizes = {"encoder_layers": 1, "decoder_layers": 2, "d_model": 24, "ffn_dim": 40, "heads": 2, "max_length": 80}
    config = ModelConfig(**{**sizes, "dropout": 0.0, **shape})
    vocabulary = VocabularySizes(source=VOCABULARY, target=VOCABULARY, shared=True)
    network = Transformer(config, vocabulary).eval()
    network.output.weight.data *= 4
    if network.output.bias is not None:
        network.output.bias.data.normal_()
    known = untrained_model()
    return LoadedModel(network, known.tokenizers, replace(known.architecture, model=config, vocabulary=vocabulary))


def decode(
    engines: Any, sources: Sequence[Sequence[int]] = SOURCES, limits: Sequence[int] = LIMITS, **how: Any
) -> list[list[Hypothesis]]:
    return EnginePool(engines, **{"num_workers": 1, **how}).decode(sources, limits)


def assert_alike(loaded: LoadedModel, search: SearchOptions) -> None:
    ours = decode(NativeEngines(loaded, search))
    theirs = decode(TorchEngines(loaded.network, search, independent=False))
    for mine, expected in zip(ours, theirs, strict=True):
        assert [h.score for h in mine] == pytest.approx([h.score for h in expected], abs=1e-4)
        for one, other in zip(mine, expected, strict=True):
            if one.tokens == other.tokens:
                assert one.log_prob == pytest.approx(other.log_prob, abs=1e-4 * other.num_tokens)


@pytest.mark.parametrize("stop", ["full", "estimate", "certain"])
@pytest.mark.parametrize(("beam", "n_best"), [(1, 1), (2, 1), (4, 4)])
def test_every_way_to_search(stop: Any, beam: int, n_best: int) -> None:
    loaded = model()
    for penalty, free_end, renormalize in product((0.0, 0.6, 1.0), (False, True), (False, True)):
        how = {"stop": stop, "length_penalty": penalty, "free_end": free_end, "renormalize": renormalize}
        assert_alike(loaded, replace(BASE, beam_size=beam, n_best=n_best, **how))


@pytest.mark.parametrize(
    "shape",
    [
        *({"norm": norm, "activation": act} for norm, act in product(("pre", "post"), ("relu", "gelu", "silu"))),
        *({"positions": positions} for positions in ("sinusoidal", "learned")),
        *({"tied_embeddings": tied} for tied in ("all", "target", "none")),
        *({"output_bias": bias, "scale_embeddings": not bias} for bias in (False, True)),
        {"decoder_heads": 4, "decoder_ffn_dim": 17},
        {"d_model": 30, "heads": 6},
        {"d_model": 66, "heads": 2, "ffn_dim": 31},
    ],
    ids=str,
)
def test_every_shape_of_network(shape: dict[str, Any]) -> None:
    for seed in (1, 2):
        assert_alike(model(seed, **shape), BASE)


def test_a_sentence_does_not_see_its_neighbours() -> None:
    engines = NativeEngines(model(3), BASE)
    together = decode(engines)
    assert decode(engines, SOURCES[::-1], LIMITS[::-1], max_slots=2)[::-1] == together
    assert decode(engines, num_workers=2) == together
    alone = [decode(engines, [source], [limit])[0] for source, limit in zip(SOURCES, LIMITS, strict=True)]
    assert alone == together


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_threads_that_share_products_change_nothing(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "_SHARED_PRODUCTS", 0)
    engines = NativeEngines(model(3, d_model=256, ffn_dim=520), BASE, dtype=dtype)
    found = []
    for threads in (1, 2, 3):
        engine = engines.make(3)
        engine.threads = threads
        engine.admit(tasks()[:3])
        found.append(finish(engine))
    assert found[0] == found[1] == found[2]


def test_a_system_without_more_threads_computes_with_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "_SHARED_PRODUCTS", 0)
    engine = NativeEngines(model(3, d_model=256), BASE).make(3)
    engine.threads = 2
    monkeypatch.setattr(Thread, "start", Mock(side_effect=RuntimeError("can't start new thread")))
    engine.admit(tasks()[:3])
    assert len(finish(engine)) == 3


def test_outputs_have_their_least_length() -> None:
    search = replace(BASE, min_tokens=6)
    assert_alike(model(), search)
    sources = [source for source, limit in zip(SOURCES, LIMITS, strict=True) if limit > 7]
    for found in decode(NativeEngines(model(), search), sources, [30] * len(sources)):
        assert all(hypothesis.num_tokens > 6 for hypothesis in found)


def test_rooms_grow_while_others_are_in_work() -> None:
    """Outputs are forced past what slots and their state have room for at first."""
    limits = [141, 142, 160, 150, 145]
    engines = NativeEngines(model(5, max_length=100), replace(BASE, min_tokens=140, n_best=1))
    together = decode(engines, SOURCES, limits)
    assert all(140 < found[0].num_tokens <= limit for found, limit in zip(together, limits, strict=True))
    alone = [decode(engines, [source], [limit])[0] for source, limit in zip(SOURCES, limits, strict=True)]
    assert alone == together


def tasks() -> list[Task]:
    pairs = zip(SOURCES, LIMITS, strict=True)
    return [Task(key, tuple(source), limit) for key, (source, limit) in enumerate(pairs)]


def finish(engine: NativeEngine) -> dict[int, Any]:
    found: dict[int, Any] = {}
    while engine.num_live:
        found |= {task.key: result for task, result in engine.advance()}
    return found


def test_dropped_sentences_make_room_and_change_no_other() -> None:
    engines = NativeEngines(model(3), BASE)
    expected = decode(engines)
    engine = engines.make(max_slots=5)
    engine.admit(tasks())
    assert engine.num_free == 0
    engine.drop(lambda task: task.key in (0, 4))
    assert (engine.num_live, engine.num_free) == (3, 2)
    again = tasks()[4]
    engine.admit([again])
    assert finish(engine) == {key: expected[key] for key in (1, 2, 3, 4)}


@pytest.mark.parametrize("kind", ["sources", "steps"])
def test_memory_that_runs_out_is_told_and_half_goes_on(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    engines = NativeEngines(model(3), BASE)
    expected = decode(engines)
    engine, allocate, calls = engines.make(max_slots=4), native_slots.allocate, [0]

    def scarce(*wanted: Any, **how: Any) -> Any:
        calls[0] += 1
        if calls[0] == (2 if kind == "sources" else 6):
            raise MemoryError
        return allocate(*wanted, **how)

    monkeypatch.setattr(native_slots, "allocate", scarce)
    with pytest.raises(MemoryError):
        engine.admit(tasks()[:4])
        while engine.num_live:
            engine.advance()
    monkeypatch.setattr(native_slots, "allocate", allocate)
    engine.reset()
    engine.shrink(4)
    assert (engine.max_slots, engine.num_live) == (2, 0)
    engine.admit(tasks()[:2])
    assert finish(engine) == {key: expected[key] for key in (0, 1)}


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_what_is_no_number_is_an_error_of_its_sentence(dtype: str) -> None:
    """One source token's vector is broken: sentences without it are translated."""
    loaded = model(3, tied_embeddings="target")
    loaded.network.src_embedding.tokens.weight.data[9] = float("nan")
    engine = NativeEngines(loaded, BASE, dtype=dtype).make()
    engine.admit(tasks())
    found = finish(engine)
    assert {key for key, result in found.items() if isinstance(result, MtcliError)} == {
        key for key, source in enumerate(SOURCES) if 9 in source
    }


@pytest.mark.parametrize(("width", "is_refused"), [(1 << 16, False), ((1 << 16) + 1, True)])
def test_integers_whose_sums_may_overflow_are_refused(width: int, is_refused: bool) -> None:
    known = untrained_model()
    config = known.architecture.model.model_copy(update={"ffn_dim": width})
    wide = LoadedModel(known.network, known.tokenizers, replace(known.architecture, model=config))
    assert obstacle(wide, BASE, dtype="float32") is None
    assert (obstacle(wide, BASE, dtype="int8") is not None) == is_refused
