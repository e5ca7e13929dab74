"""Dropout's rate and scale, and that a token's masks are its own, whatever it is computed with."""

from contextlib import nullcontext

import pytest
import torch
from torch import Tensor

from mtcli.config import ModelConfig, VocabularySizes
from mtcli.model.dropout import Dropout, DropoutMasks
from mtcli.model.transformer import Transformer
from mtcli_kernels.packing import Packing


def keys(count: int, seed: int = 0) -> Tensor:
    return torch.empty(count, dtype=torch.int64).random_(-(2**63), None, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("p", [0.1, 0.3, 0.9])
def test_the_share_of_zeros_is_p_and_the_mean_is_kept(p: float, inside: bool) -> None:
    torch.manual_seed(1)
    dropout, rows = Dropout(p).train(), keys(4000)
    with dropout.masks.of_step(5, rows, rows) if inside else nullcontext():
        y = dropout(torch.ones(4000, 64))
    assert y.eq(0).float().mean().item() == pytest.approx(p, abs=0.005)
    assert y.mean().item() == pytest.approx(1.0, abs=0.05)


def test_gradient_passes_where_the_value_did() -> None:
    dropout, rows = Dropout(0.5).train(), keys(10)
    x = torch.randn(10, 100, requires_grad=True)
    with dropout.masks.of_step(1, rows, rows):
        y = dropout(x)
    y.sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad * x, y)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_adding_is_the_sum(dtype: torch.dtype) -> None:
    dropout, rows = Dropout(0.3).train(), keys(20)
    x, y = torch.randn(20, 32), torch.randn(20, 32, dtype=dtype)
    with dropout.masks.of_step(1, rows, rows):
        torch.testing.assert_close(dropout.add(x, y), x + dropout(y))
    torch.testing.assert_close(dropout.eval().add(x, y), x + y)


def masks(dropout: Dropout, seed: int, rows: Tensor, width: int = 48) -> Tensor:
    with dropout.masks.of_step(seed, rows, rows):
        return dropout(torch.ones(len(rows), width)) != 0


def test_a_mask_follows_from_the_step_the_layer_and_the_token() -> None:
    dropout, rows = Dropout(0.5).train(), keys(30)
    first = masks(dropout, 1, rows)
    assert masks(dropout, 1, rows).equal(first)
    order = torch.randperm(30)
    assert masks(dropout, 1, rows[order]).equal(first[order])
    assert masks(dropout, 1, rows[7:9]).equal(first[7:9])
    other = Dropout(0.5).train()
    other.layer = 1
    for different in (masks(dropout, 2, rows), masks(other, 1, rows), masks(dropout, 1, keys(30, seed=1))):
        agreement = different.eq(first).float().mean().item()
        assert agreement == pytest.approx(0.5, abs=0.1)


def test_tokens_of_one_step_are_dropped_apart() -> None:
    found = masks(Dropout(0.5).train(), 1, keys(200), width=512).float() - 0.5
    similarity = (found @ found.t() / 128).fill_diagonal_(0)
    assert similarity.abs().gt(0.3).float().mean().item() < 0.002


def test_a_layer_wider_than_the_pool_of_random_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mtcli.model.dropout._POOL_BYTES", 64)
    assert masks(Dropout(0.5).train(), 1, keys(5), width=100).float().mean().item() == pytest.approx(0.5, abs=0.15)


def test_nothing_is_dropped_in_evaluation() -> None:
    x = torch.randn(10, 4)
    dropout = Dropout(0.5).eval()
    assert dropout(x).equal(x)
    with dropout.masks.of_step(1, keys(10), keys(10)):
        assert dropout(x).equal(x)


def test_the_masks_of_a_step_end_with_it() -> None:
    given = DropoutMasks()
    with given.of_step(1, keys(3), keys(3)):
        assert given.mask(torch.ones(3, 4), "src", 0, 128) is not None
    assert given.mask(torch.ones(3, 4), "src", 0, 128) is None


def test_a_sentence_in_training_is_the_same_in_any_batch() -> None:
    config = ModelConfig(
        encoder_layers=2, decoder_layers=2, d_model=16, ffn_dim=24, heads=2, dropout=0.4, activation_dropout=0.3
    )
    torch.manual_seed(0)
    network = Transformer(config, VocabularySizes(source=20, target=20, shared=True)).train()
    src, tgt = [[3, 4, 5], [6, 7], [8, 9, 10, 11]], [[2, 3], [2, 4, 5, 6], [2, 7]]
    src_keys, tgt_keys = (
        [keys(len(s), 10 + n) for n, s in enumerate(src)],
        [keys(len(s), 20 + n) for n, s in enumerate(tgt)],
    )

    def states(chosen: list[int]) -> list[Tensor]:
        lengths = [len(tgt[n]) for n in chosen]
        packed = [torch.tensor([token for n in chosen for token in side[n]]) for side in (src, tgt)]
        with network.dropout_masks.of_step(
            9, torch.cat([src_keys[n] for n in chosen]), torch.cat([tgt_keys[n] for n in chosen])
        ):
            out = network(packed[0], Packing.of([len(src[n]) for n in chosen]), packed[1], Packing.of(lengths))
        return list(out.split(lengths))

    together = states([0, 1, 2])
    for alone, place in ((states([2, 0]), (2, 0)), (states([1]), (1,))):
        for found, n in zip(alone, place, strict=True):
            torch.testing.assert_close(found, together[n], rtol=1e-4, atol=1e-5)
