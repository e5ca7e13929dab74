"""One update: what is added up, what is left out, and that nothing but the batch decides it."""

import copy
import math

import pytest
import torch
from torch import Tensor

from mtcli.config import ModelConfig, TrainingConfig, VocabularySizes
from mtcli.model.transformer import Transformer
from mtcli.training.batch import Batch
from mtcli.training.step import TrainingStep
from mtcli_kernels.packing import Packing

CONFIG = ModelConfig(encoder_layers=1, decoder_layers=1, d_model=16, ffn_dim=16, heads=2, dropout=0.2)


@pytest.fixture
def network() -> Transformer:
    torch.manual_seed(0)
    return Transformer(CONFIG, VocabularySizes(source=30, target=30, shared=True))


def batch(*lengths: int, seed: int = 0) -> Batch:
    """Sentence pairs of these lengths; the same ones for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    packing, total = Packing.of(lengths), sum(lengths)

    def numbers(most: int) -> Tensor:
        return torch.randint(3, most, (total,), generator=generator)

    return Batch(numbers(30), packing, numbers(30), numbers(30), packing, numbers(2**62), numbers(2**62))


def trainer(network: Transformer, **settings: object) -> TrainingStep:
    return TrainingStep(network, TrainingConfig.model_validate(settings), dtype=torch.float32)


def weights(network: Transformer) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def test_a_step_lowers_the_loss(network: Transformer) -> None:
    step, one = trainer(network), batch(5, 7)
    losses = []
    for number in range(30):
        step.step([one], 1e-2, number)
        losses.append(step.read().nll)
    assert losses[-1] < 0.7 * losses[0]


def test_losses_add_up_until_they_are_read(network: Transformer) -> None:
    step, twin = trainer(network), trainer(copy.deepcopy(network))
    for number in range(3):
        step.step([batch(4, 5, seed=number)], 1e-3, number)
        twin.step([batch(4, 5, seed=number)], 1e-3, number)
        assert step.is_sound()
    together, apart = step.read(), twin.read()
    assert (together.tokens, together.spoilt, together.first_spoilt) == (27, 0, None)
    assert together.loss == pytest.approx(apart.loss)
    assert step.read().tokens == 0


def test_the_seed_fixes_a_step(network: Transformer) -> None:
    found = []
    for seed in (1, 1, 2):
        twin = copy.deepcopy(network)
        trainer(twin).step([batch(6, 3)], 1e-3, seed)
        found.append(twin.output.weight.detach().clone())
    assert found[0].equal(found[1])
    assert not found[0].equal(found[2])


def test_the_rate_and_the_clipping_are_those_given(network: Transformer) -> None:
    before = weights(network)
    step = trainer(network, clip_norm=1e-3)
    step.step([batch(5)], 0.0, 0)
    assert all(value.equal(before[name]) for name, value in network.state_dict().items())
    assert step.read().norm > 1e-3, "the norm is that before clipping"
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_changes_nothing(network: Transformer, bad: float) -> None:
    step = trainer(network)
    step.step([batch(5)], 1e-3, 0)
    with torch.no_grad():
        network.decoder.layers[0].feed_forward.up.bias[0] = bad
    before = weights(network)
    moments = copy.deepcopy(step.optimizer.state_dict()["state"])
    for number in (1, 2):
        step.step([batch(5)], 1e-3, number)
    assert all(
        torch.equal(value.nan_to_num(), before[name].nan_to_num()) for name, value in network.state_dict().items()
    )
    after = step.optimizer.state_dict()["state"]
    assert all(after[key][name].equal(value) for key, state in moments.items() for name, value in state.items())
    assert not step.is_sound()
    losses = step.read()
    assert (losses.spoilt, losses.first_spoilt) == (2, 1)
    assert step.is_sound(), "reading begins anew"


def test_a_batch_of_weight_zero_only_keeps_company(network: Transformer) -> None:
    twin = copy.deepcopy(network)
    trainer(network).step([batch(5, 6)], 1e-3, 0)
    other = trainer(twin)
    other.step([batch(5, 6), batch(9, seed=4)], 1e-3, 0, num_tokens=11, weights=[1.0, 0.0])
    assert all(value.equal(twin.state_dict()[name]) for name, value in network.state_dict().items())
    assert other.read().tokens == 11


def test_two_batches_of_a_step_are_as_good_as_one(network: Transformer) -> None:
    """Also in what is dropped: a token's masks are its own."""
    twin, whole = copy.deepcopy(network), batch(5, 5)
    cut = [
        Batch(
            *(getattr(whole, name)[part] for name in ("src",)),
            Packing.of([5]),
            whole.tgt_in[part],
            whole.tgt_out[part],
            Packing.of([5]),
            whole.src_keys[part],
            whole.tgt_keys[part],
        )
        for part in (slice(0, 5), slice(5, 10))
    ]
    trainer(network).step([whole], 1e-3, 3)
    trainer(twin).step(cut, 1e-3, 3)
    for name, value in network.state_dict().items():
        if not name.endswith("k_proj.bias"):  # its gradient is rounding noise, which Adam makes large
            torch.testing.assert_close(value, twin.state_dict()[name], rtol=1e-3, atol=1e-5)


def test_r_drop_without_dropout_is_the_plain_update() -> None:
    found = []
    for r_drop in (0.0, 5.0):
        torch.manual_seed(0)
        network = Transformer(
            CONFIG.model_copy(update={"dropout": 0.0}), VocabularySizes(source=30, target=30, shared=True)
        )
        step = trainer(network, r_drop=r_drop)
        step.step([batch(6, 3)], 1e-3, 1)
        losses = step.read()
        found.append((losses.loss, losses.nll, losses.tokens, losses.norm))
    assert found[1] == pytest.approx(found[0], rel=1e-4)


def test_r_drop_adds_what_two_readings_differ_by(network: Transformer) -> None:
    losses = {}
    for r_drop in (1e-9, 4.0):
        step = trainer(copy.deepcopy(network), r_drop=r_drop)
        step.step([batch(6, 3)], 1e-3, 1)
        losses[r_drop] = step.read()
    assert losses[4.0].nll == pytest.approx(losses[1e-9].nll)
    assert losses[4.0].loss > losses[1e-9].loss + 0.01
    assert losses[4.0].tokens == 9


def test_r_drop_brings_two_readings_together(network: Transformer) -> None:
    """With it, the network's predictions differ less under different dropout."""
    apart = {}
    for r_drop in (1e-9, 20.0):
        twin = copy.deepcopy(network)
        step = trainer(twin, r_drop=r_drop, label_smoothing=0.0)
        for number in range(60):
            step.step([batch(6, 3)], 3e-3, number)
        step.read()
        probe = trainer(twin, r_drop=1.0, label_smoothing=0.0)
        probe.step([batch(6, 3)], 0.0, 999)
        found = probe.read()
        apart[r_drop] = found.loss - found.nll
    assert 0 < apart[20.0] < 0.7 * apart[1e-9]
