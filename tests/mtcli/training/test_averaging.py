"""The running average covers the last part of the run, whenever it ends."""

import copy

import pytest
import torch

from mtcli.config import ModelConfig, VocabularySizes
from mtcli.model.transformer import Transformer
from mtcli.training.averaging import WeightAverage, exponent_for_width


def _network() -> Transformer:
    config = ModelConfig(encoder_layers=1, decoder_layers=1, d_model=8, ffn_dim=8, heads=1)
    return Transformer(config, VocabularySizes(source=16, target=16, shared=True))


@pytest.mark.parametrize("width", [0.05, 0.1, 0.2])
def test_the_average_of_the_step_number_has_the_width_asked_for(width: float) -> None:
    network, steps = _network(), 2000
    average = WeightAverage(network, width)
    weights = torch.zeros(steps)
    for step in range(1, steps + 1):
        share = average.share(step)
        weights *= 1 - share
        weights[step - 1] += share
    times = torch.arange(1, steps + 1) / steps
    mean = (weights * times).sum()
    assert weights.sum().item() == pytest.approx(1.0, abs=1e-4)
    assert ((weights * (times - mean) ** 2).sum().sqrt()).item() == pytest.approx(width, rel=0.05)


def test_exponent_matches_the_paper() -> None:
    assert exponent_for_width(0.1) == pytest.approx(6.94, abs=0.01)  # Karras et al. 2024, section 3.1


def test_a_width_of_zero_follows_the_newest_weights() -> None:
    network = _network()
    average = WeightAverage(network, 0.0)
    for parameter in network.parameters():
        parameter.data += 1
    average.update(network, 5)
    for ours, theirs in zip(average.network.parameters(), network.parameters(), strict=True):
        assert ours.equal(theirs)


def test_the_average_is_a_network_of_its_own_and_keeps_its_ties() -> None:
    network = _network()
    average = WeightAverage(network, 0.1)
    before = copy.deepcopy(average.network.state_dict())
    for parameter in network.parameters():
        parameter.data += 1
    assert average.network.state_dict().keys() == before.keys()
    assert all(average.network.state_dict()[name].equal(value) for name, value in before.items())
    assert average.network.output.weight is average.network.tgt_embedding.tokens.weight
