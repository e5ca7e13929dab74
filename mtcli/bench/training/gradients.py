"""Is an update right? The loss of one batch and its gradient's norm, beside what they are in float32."""

from collections.abc import Mapping

import torch
from torch import nn

from mtcli.model.transformer import Transformer
from mtcli.training.batch import Batch
from mtcli.training.step import BatchLoss

# Parts of the right number: what rounding makes of it, with room; a wrong mask or weight makes many times as much.
LARGEST = {"loss": {"float32": 1e-4, "bfloat16": 5e-3}, "norm": {"float32": 1e-3, "bfloat16": 5e-2}}


def loss_and_norm(network: Transformer, batch: Batch, label_smoothing: float, dtype: torch.dtype) -> dict[str, float]:
    """The label-smoothed "loss" in nats a target token and its gradient's "norm", without dropout or an update.

    The network is left in evaluation mode, without gradients.
    """
    network.eval()
    summed, _ = BatchLoss(network, label_smoothing, dtype)(batch)
    loss = summed / batch.num_tokens
    loss.backward()
    gradients = [one.grad for one in network.parameters() if one.grad is not None]
    norm = nn.utils.get_total_norm(gradients)
    network.zero_grad()
    return {"loss": loss.item(), "norm": norm.item()}


def judged(found: Mapping[str, float], expected: Mapping[str, float], dtype: str) -> tuple[bool, str]:
    """Whether both are as close to what is right as rounding in this number type leaves them, and how close, in words.

    Numbers that are none are wrong.
    """
    differences = {name: abs(found[name] - expected[name]) / abs(expected[name]) for name in LARGEST}
    words = [
        f"the {name} {found[name]:.5g} differs by {difference:.1e}, of which {LARGEST[name][dtype]:g} is rounding"
        for name, difference in differences.items()
    ]
    return all(one <= LARGEST[name][dtype] for name, one in differences.items()), "; ".join(words)
