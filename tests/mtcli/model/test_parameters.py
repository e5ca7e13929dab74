"""What parameters a network has, told without PyTorch, against the network itself."""

from itertools import product
from typing import Any

import pytest

from mtcli.config import ModelConfig, VocabularySizes
from mtcli.errors import ConfigError
from mtcli.model.parameters import parameter_shapes
from mtcli.model.transformer import Transformer

CHOICES: dict[str, tuple[Any, ...]] = {
    "tied_embeddings": ("all", "target", "none"),
    "positions": ("sinusoidal", "learned"),
    "norm": ("post", "pre"),
    "output_bias": (False, True),
    "decoder_heads": (None, 1),
    "decoder_ffn_dim": (None, 20),
    "decoder_layers": (1, 3),
}


@pytest.mark.parametrize("choice", [*product(*CHOICES.values())], ids=lambda choice: "-".join(map(str, choice)))
def test_they_are_those_of_the_network(choice: tuple[Any, ...]) -> None:
    settings = dict(zip(CHOICES, choice, strict=True))
    config = ModelConfig(encoder_layers=2, d_model=8, ffn_dim=12, heads=2, max_length=9, **settings)
    shared = config.tied_embeddings == "all"
    vocabulary = VocabularySizes(source=11, target=11 if shared else 13, shared=shared)
    network = Transformer.skeleton(config, vocabulary)
    expected = {name: tuple(parameter.shape) for name, parameter in network.named_parameters()}
    found = parameter_shapes(config, vocabulary)
    assert list(found.items()) == list(expected.items())
    assert config.num_positions == network.max_positions


def test_one_matrix_for_two_vocabularies_is_refused() -> None:
    with pytest.raises(ConfigError, match="needs one vocabulary for both sides"):
        parameter_shapes(ModelConfig(), VocabularySizes(source=3, target=4, shared=False))
