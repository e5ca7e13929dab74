"""A stored model and its weights, had without PyTorch, against what PyTorch has of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save
from support.tiny import untrained_model, write_untrained

from mtcli.errors import CheckpointError
from mtcli.model_directory.loading import load_network
from mtcli.model_directory.model import Placement, StoredModel
from mtcli.model_directory.tensor_file import read_tensor_file, read_weights
from mtcli.model_directory.weights import parameters_of, read_tensors, weights_bytes

CPU = torch.device("cpu")


def rewritten(directory: Path, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """Write a model's weights in a number type; what they are then, in float32."""
    stored = {name: tensor.to(dtype) for name, tensor in parameters_of(untrained_model().network).items()}
    (write_untrained(directory) / "model.safetensors").write_bytes(weights_bytes(stored))
    return {name: tensor.float() for name, tensor in stored.items()}


@pytest.mark.parametrize(
    ("dtype", "found"),
    [
        (torch.float32, np.float32),
        (torch.float16, np.float16),
        (torch.bfloat16, np.float32),
        (torch.float64, np.float32),
    ],
)
def test_weights_are_read_as_numbers_of_any_type(dtype: torch.dtype, found: type, tmp_path: Path) -> None:
    expected = rewritten(tmp_path / "model", dtype)
    model = StoredModel(tmp_path / "model")
    weights = model.read_weights()
    assert weights.keys() == expected.keys()
    for name, values in weights.items():
        assert values.dtype == found
        np.testing.assert_array_equal(values.astype(np.float32), expected[name].numpy())
    loaded = dict(load_network(model, CPU).network.named_parameters())
    assert all(torch.equal(parameter, expected[name]) for name, parameter in loaded.items())


def test_what_is_written_to_weights_reaches_no_file(tmp_path: Path) -> None:
    directory = write_untrained(tmp_path / "model")
    before = (directory / "model.safetensors").read_bytes()
    StoredModel(directory).read_weights()["tgt_embedding.tokens.weight"][:] = 0
    assert (directory / "model.safetensors").read_bytes() == before


def test_weights_are_checked_once_for_the_first_who_reads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, checks = StoredModel(write_untrained(tmp_path / "model")), []

    def counting(*arguments: Any) -> Any:
        checks.append(arguments)
        return read_weights(*arguments)

    monkeypatch.setattr("mtcli.model_directory.model.read_weights", counting)
    model.check_weights()
    first, second = model.read_weights(), model.read_weights()
    assert len(checks) == 2
    assert first is not second
    for name, values in first.items():
        np.testing.assert_array_equal(values, second[name])


def test_a_network_in_memory_gives_its_weights_as_they_are_now() -> None:
    model = untrained_model(max_length=17, seed=5)
    before = model.read_weights()
    with torch.no_grad():
        model.network.output.weight += 1
    after = model.read_weights()
    name = "tgt_embedding.tokens.weight"
    np.testing.assert_allclose(after[name], before[name] + 1, rtol=1e-6)
    assert after[name].dtype == np.float32
    assert model.placement == Placement("cpu", "float32", "auto")
    assert load_network(model, CPU) is model


def test_positions_are_those_of_the_network() -> None:
    model = untrained_model()
    assert model.max_positions == model.network.max_positions


def test_tensors_of_several_types_end_to_end_are_read_wherever_they_begin(tmp_path: Path) -> None:
    tensors = {
        "odd": torch.arange(3, dtype=torch.uint8),
        "half": torch.arange(5).half(),
        "whole": torch.arange(6, dtype=torch.int64).reshape(2, 3),
        "wide": torch.randn(3, 2),
        "flag": torch.tensor([True]),
        "one": torch.tensor(3.0),
        "empty": torch.ones(0, 2),
    }
    (tmp_path / "file").write_bytes(save(tensors))
    found = read_tensors(tmp_path / "file", CPU)
    assert found.keys() == tensors.keys()
    assert all(found[name].equal(tensor) and found[name].dtype == tensor.dtype for name, tensor in tensors.items())
    np.testing.assert_array_equal(read_tensor_file(tmp_path / "file")["half"].to_numpy(), tensors["half"].numpy())


def test_numbers_of_an_unknown_type_are_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(save({"small": torch.ones(4).to(torch.float8_e4m3fn)}))
    with pytest.raises(CheckpointError, match="small is of the number type F8_E4M3"):
        read_tensor_file(tmp_path / "file")
