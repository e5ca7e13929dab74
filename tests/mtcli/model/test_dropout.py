"""Byte dropout: the rate, the scale, the seed."""

import pytest
import torch

from mtcli.model.dropout import Dropout


@pytest.mark.parametrize("p", [0.1, 0.3, 0.9])
def test_the_share_of_zeros_is_p_and_the_mean_is_kept(p: float) -> None:
    torch.manual_seed(1)
    y = Dropout(p).train()(torch.ones(200_001))
    assert y.eq(0).float().mean().item() == pytest.approx(p, abs=0.005)
    assert y.mean().item() == pytest.approx(1.0, abs=0.05)


def test_gradient_passes_where_the_value_did() -> None:
    x = torch.randn(1000, requires_grad=True)
    y = Dropout(0.5).train()(x)
    y.sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad * x, y)


def test_the_seed_fixes_the_mask() -> None:
    x, dropout = torch.ones(999), Dropout(0.3).train()
    masks = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        masks.append(dropout(x))
    assert masks[0].equal(masks[1])
    assert not masks[0].equal(masks[2])


def test_nothing_is_dropped_in_evaluation() -> None:
    x = torch.randn(10)
    assert Dropout(0.5).eval()(x).equal(x)
