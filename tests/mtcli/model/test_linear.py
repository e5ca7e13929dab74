"""A packed weight must never be another than the layer's weight."""

import copy

import pytest
import torch
import torch.nn.functional as F

from mtcli.model import linear
from mtcli.model.linear import Linear


@pytest.fixture
def layer() -> Linear:
    torch.manual_seed(0)
    return Linear(24, 100, bias=False)


def _states(rows: int = 5) -> torch.Tensor:
    return torch.randn(rows, 24, generator=torch.Generator().manual_seed(1))


def _check(layer: Linear) -> None:
    _check_product(layer)
    layer.prepack()
    _check_product(layer)


def _check_product(layer: Linear) -> None:
    with torch.inference_mode():
        for rows in (1, 5, 64):
            states = _states(rows).to(layer.weight.dtype)
            torch.testing.assert_close(layer(states), F.linear(states, layer.weight))


def test_it_multiplies_by_its_weight(layer: Linear) -> None:
    _check(layer)
    assert layer.is_prepacked == linear.can_prepack(layer.weight)


def test_it_follows_a_weight_that_is_written_to(layer: Linear) -> None:
    _check(layer)
    with torch.no_grad():
        layer.weight.mul_(2)
    _check(layer)
    with torch.inference_mode():
        layer.weight.copy_(torch.randn(100, 24))
    _check(layer)


def test_it_follows_training(layer: Linear) -> None:
    optimizer = torch.optim.AdamW(layer.parameters(), lr=0.1, fused=True)  # leaves no trace in a weight's version
    for _ in range(2):
        _check(layer)
        before = layer.weight.detach().clone()
        layer.train()
        layer(_states()).square().sum().backward()
        assert layer.weight.grad is not None and layer.weight.grad.any()
        optimizer.step()
        assert not torch.equal(before, layer.weight)
        layer.eval()
    _check(layer)


def test_it_follows_another_weight(layer: Linear) -> None:
    _check(layer)
    layer.weight = torch.nn.Parameter(torch.randn(100, 24))
    _check(layer)
    with torch.inference_mode():
        layer.weight = torch.nn.Parameter(torch.randn(100, 24), requires_grad=False)
    _check(layer)


def test_a_copy_has_its_own(layer: Linear) -> None:
    _check(layer)
    copied = copy.deepcopy(layer)
    with torch.no_grad():
        copied.weight.neg_()
    _check(copied)
    _check(layer)


def test_bfloat16(layer: Linear) -> None:
    _check(layer.bfloat16())


def test_it_is_an_ordinary_product_where_it_cannot_pack(layer: Linear, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    _check(layer)
    assert not layer.is_prepacked


def test_a_bias_is_added_prepacked_or_not() -> None:
    torch.manual_seed(0)
    layer = Linear(24, 100, bias=True).eval()
    torch.nn.init.normal_(layer.bias)
    for packed in (False, True):
        if packed:
            layer.prepack()
        with torch.inference_mode():
            states = _states()
            torch.testing.assert_close(layer(states), F.linear(states, layer.weight, layer.bias))
