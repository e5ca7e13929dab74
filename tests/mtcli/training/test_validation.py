"""Validation of a network that goes on changing."""

import copy
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from support.sentences import sentences
from support.tiny import untrained_model

from mtcli.config import Config
from mtcli.data.conventions import TextConventions
from mtcli.decoding.engines import native
from mtcli.training import validation
from mtcli.training.world import World

LINES = sentences(6, seed=3)


def translations(network: Any, monkeypatch: pytest.MonkeyPatch, engine: str) -> list[str]:
    """What validation translates the lines to."""
    monkeypatch.setenv("MTCLI_ENGINE", engine)
    model = untrained_model(16)
    config = Config.model_construct(
        model=model.architecture.model,
        decoding=model.architecture.decoding,
        training=SimpleNamespace(valid_beam_size=1),  # type: ignore[arg-type]
    )
    data: Any = SimpleNamespace(tokenizers=model.tokenizers, text=TextConventions(), valid_src=LINES)
    return validation._translations(network, data, config, World())


def test_each_validation_on_a_cpu_is_of_the_weights_as_they_are_now(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    monkeypatch.setattr(native.NativeEngines, "make", _noting(native.NativeEngines.make, made))
    network, found = copy.deepcopy(untrained_model(16).network), []
    for seed in (1, 2):
        torch.manual_seed(seed)
        for parameter in network.parameters():
            parameter.data += 0.5 * torch.randn_like(parameter)
        found.append(translations(network, monkeypatch, "native"))
        assert made, "the native engine decodes"
        assert found[-1] == translations(network, monkeypatch, "torch")
    assert found[0] != found[1]


def _noting(make: Any, made: list[object]) -> Any:
    def noted(*arguments: Any, **options: Any) -> Any:
        made.append(arguments)
        return make(*arguments, **options)

    return noted


def test_validation_leaves_what_training_computes_with_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(5)
    network = copy.deepcopy(untrained_model(16).network)
    before = torch.get_rng_state(), torch.get_num_threads(), network.training
    weights = [parameter.clone() for parameter in network.parameters()]
    smallest = torch.tensor([1e-39])
    kept = bool((smallest * 1.0 != 0).item())
    translations(network, monkeypatch, "native")
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (torch.get_num_threads(), network.training) == before[1:]
    assert bool((smallest * 1.0 != 0).item()) == kept
    assert all(torch.equal(a, b) for a, b in zip(weights, network.parameters(), strict=True))
