"""The description that every contestant reads, and the peers' names, without their packages."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.peers.joeynmt_names import joeynmt_arrays
from benchmarks.peers.marian_names import marian_arrays
from benchmarks.peers.weights import Weights
from benchmarks.questions.decoding.description import DESCRIPTION, write_random
from benchmarks.questions.decoding.ours import load_network
from mtcli.config import ModelConfig
from mtcli.model.transformer import Transformer, VocabularySizes
from mtcli.model_directory.store import parameters_of, weights_bytes

UNLIKE: dict[str, Any] = {"decoder_heads": 4, "decoder_ffn_dim": 12, "scale_embeddings": False, "output_bias": True}
SMALL: dict[str, Any] = {"encoder_layers": 1, "decoder_layers": 2, "d_model": 8, "ffn_dim": 16, "heads": 2}


def described(folder: Path, **settings: Any) -> tuple[Transformer, Weights]:
    """A small network with random weights, and what a contestant reads of it."""
    config = ModelConfig(**SMALL, **settings)
    shared = config.tied_embeddings == "all"
    network = Transformer(config, VocabularySizes(source=20, target=20 if shared else 30, shared=shared))
    if network.output.bias is not None:
        torch.nn.init.normal_(network.output.bias)
    folder.mkdir(exist_ok=True)
    (folder / "weights").write_bytes(weights_bytes(parameters_of(network)))
    description = {
        "weights": str(folder / "weights"),
        "model": config.model_dump(),
        "num_positions": network.max_positions,
    }
    (folder / DESCRIPTION).write_text(json.dumps(description), encoding="utf-8")
    return network, Weights(str(folder / DESCRIPTION))


@pytest.mark.parametrize("tied", ["all", "target", "none"])
@pytest.mark.parametrize("positions", ["sinusoidal", "learned"])
def test_weights_and_positions_are_the_networks(tmp_path: Path, tied: str, positions: str) -> None:
    network, weights = described(tmp_path, tied_embeddings=tied, positions=positions)
    for name in ("src_embedding.tokens", "tgt_embedding.tokens", "output"):
        assert np.array_equal(weights[f"{name}.weight"], network.get_submodule(name).weight.detach().numpy())
    for side, embedding in (("src", network.src_embedding), ("tgt", network.tgt_embedding)):
        np.testing.assert_allclose(weights.positions(side), embedding.positions.detach().numpy(), atol=1e-4)


def test_contestants_read_what_imported_models_have(tmp_path: Path) -> None:
    plain, unlike = (described(tmp_path / name, **settings)[1] for name, settings in (("a", {}), ("b", UNLIKE)))
    assert [plain.size(stack, "heads") for stack in ("encoder", "decoder")] == [2, 2]
    assert [unlike.size(stack, "heads") for stack in ("encoder", "decoder")] == [2, 4]
    assert [unlike.size(stack, "ffn_dim") for stack in ("encoder", "decoder")] == [16, 12]
    assert (plain.scales_embeddings, unlike.scales_embeddings) == (True, False)
    assert not plain.output_bias.any() and plain.output_bias.shape == (20,)
    assert unlike.output_bias.any()


@pytest.mark.parametrize("tied", ["all", "none"])
def test_marian_gets_every_parameter(tmp_path: Path, tied: str) -> None:
    network, _ = described(tmp_path, tied_embeddings=tied)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter)  # no two alike, as zeros are
    (tmp_path / "weights").write_bytes(weights_bytes(parameters_of(network)))
    found = {array.tobytes() for array in marian_arrays(Weights(str(tmp_path / DESCRIPTION))).values()}
    for name, parameter in network.named_parameters():
        assert parameter.detach().numpy().tobytes() in found, name


@pytest.mark.parametrize("norm", ["post", "pre"])
@pytest.mark.parametrize("tied", ["all", "none"])
def test_joeynmt_gets_every_parameter(tmp_path: Path, tied: str, norm: str) -> None:
    network, _ = described(tmp_path, tied_embeddings=tied, norm=norm)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter)
    (tmp_path / "weights").write_bytes(weights_bytes(parameters_of(network)))
    weights = Weights(str(tmp_path / DESCRIPTION))
    arrays = joeynmt_arrays(weights)
    found = {array.tobytes() for array in arrays.values()}
    for name, parameter in network.named_parameters():
        assert parameter.detach().numpy().tobytes() in found, name
    assert np.array_equal(arrays["encoder.pe.pe"], weights.positions("src")[None])


def test_a_random_model_is_its_seeds(tmp_path: Path) -> None:
    networks = []
    for seed in (1, 1, 2):
        shape = write_random(tmp_path, "tiny", 50, seed)
        description = json.loads((tmp_path / DESCRIPTION).read_text(encoding="utf-8"))
        networks.append(load_network(description).output.weight)
    assert torch.equal(networks[0], networks[1])
    assert not torch.equal(networks[0], networks[2])
    assert shape.record()["vocabulary"] == 50
