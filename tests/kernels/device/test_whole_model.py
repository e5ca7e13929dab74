"""A whole Transformer through the kernels: it trains and translates as it does through the padded forms."""

import copy

import pytest
import torch
from support.slow import slow

from mtcli.config import ModelConfig, VocabularySizes
from mtcli.decoding.engines.torch import TorchEngines
from mtcli.decoding.pool import EnginePool
from mtcli.decoding.search import SearchOptions
from mtcli.model.implementations import Implementations, companion
from mtcli.model.transformer import Transformer
from mtcli_kernels.cross_entropy import linear_cross_entropy
from mtcli_kernels.packing import Packing

START, EOS, VOCABULARY = 1, 2, 40
SOURCES = [[5, 6, 7, 2], [8, 2], [9, 10, 11, 12, 13, 2], [*range(4, 24), 2]]
TARGETS = [[20, 21, 2], [22, 23, 24, 25, 2], [2], [*range(10, 29), 2]]
SHAPES = {
    "post-norm": {"d_model": 32, "heads": 2, "ffn_dim": 32},
    "pre-norm, heads of 12": {"d_model": 24, "heads": 2, "ffn_dim": 16, "norm": "pre"},
}


def build(shape: str, device: torch.device) -> Transformer:
    torch.manual_seed(3)
    settings = {"encoder_layers": 2, "decoder_layers": 2, "max_length": 32, "dropout": 0.0, **SHAPES[shape]}
    config = ModelConfig.model_validate(settings)
    return Transformer(config, VocabularySizes(source=VOCABULARY, target=VOCABULARY, shared=True)).to(device)


def flat(sentences: list[list[int]], device: torch.device) -> tuple[torch.Tensor, Packing]:
    tokens = [token for sentence in sentences for token in sentence]
    return torch.tensor(tokens, device=device), Packing.of([len(sentence) for sentence in sentences], device)


def train(network: Transformer, attention: str, steps: int) -> list[float]:
    """The loss before each step."""
    network.attention = attention
    device = network.output.weight.device
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    src, src_packing = flat(SOURCES, device)
    tgt_out, tgt_packing = flat(TARGETS, device)
    tgt_in, _ = flat([[START, *target[:-1]] for target in TARGETS], device)
    losses = []
    for _ in range(steps):
        states = network(src, src_packing, tgt_in, tgt_packing)
        loss, _ = linear_cross_entropy(
            states, network.output.weight, tgt_out, label_smoothing=0.1, impl=companion(attention)
        )
        (loss / tgt_out.numel()).backward()
        losses.append(loss.item())
        optimizer.step()
        optimizer.zero_grad()
    return losses


@pytest.mark.parametrize("shape", SHAPES)
def test_training_steps_agree_with_the_padded_forms(shape: str, device: torch.device) -> None:
    ours = build(shape, device)
    theirs = copy.deepcopy(ours)
    losses, expected = train(ours, "triton", 4), train(theirs, "padded", 4)
    assert losses == pytest.approx(expected, rel=1e-4)
    assert losses[-1] < losses[0]
    for (name, ours_now), theirs_now in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        if not name.endswith("k_proj.bias"):  # its gradient is 0 but for rounding, which Adam blows up
            torch.testing.assert_close(ours_now, theirs_now, rtol=1e-3, atol=2e-4, msg=lambda m, n=name: f"{n}: {m}")


@pytest.mark.parametrize(("shape", "beam"), [("post-norm", 4), *slow(("post-norm", 1), ("pre-norm, heads of 12", 5))])
def test_translations_are_the_padded_forms_token_by_token(shape: str, beam: int, device: torch.device) -> None:
    network = build(shape, device)
    train(network, "padded", 12)
    network.eval()
    options = SearchOptions(
        beam_size=beam, n_best=beam, length_penalty=1.0, start_id=START, eos_id=EOS, banned=(0, 1, 3)
    )
    found = {}
    for attention in ("triton", "padded", "reference"):
        network.attention = attention
        found[attention] = EnginePool(TorchEngines(network, options), num_workers=1).decode(SOURCES, [6, 3, 8, 11])
    assert all(len(hypotheses) == beam for hypotheses in found["padded"])
    for attention in ("triton", "reference"):
        for ours, theirs in zip(found[attention], found["padded"], strict=True):
            assert [h.tokens for h in ours] == [h.tokens for h in theirs]
            assert [h.score for h in ours] == pytest.approx([h.score for h in theirs], abs=1e-4)


def test_every_operation_runs_as_a_kernel(device: torch.device) -> None:
    chosen = Implementations.resolve("triton", device, torch.float32, head_dim=16, beam=4)
    assert {choice.impl for choice in chosen.choices.values()} == {"triton"}
