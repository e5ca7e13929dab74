"""Which source tokens a finished translation came from: one pass over both, as in training."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mtcli.model.transformer import Transformer
from mtcli_kernels.packing import Packing


@torch.inference_mode()
def cross_attention(network: Transformer, source: Sequence[int], target: Sequence[int], start_id: int) -> Tensor:
    """The encoder-decoder attention of one sentence pair.

    Args:
        network: in evaluation mode.
        source, target: token ids, each ended by its end token.
        start_id: the decoder's first input.

    Returns:
        [layers, H, T, S]: row t is where the decoder looked while it predicted target token t; rows sum to 1.
    """
    device = network.output.weight.device
    src_packing, tgt_packing = Packing.of([len(source)], device), Packing.of([len(target)], device)
    src = torch.tensor(list(source), device=device)
    shifted = torch.tensor([start_id, *target[:-1]], device=device)
    layers = network.cross_attention_weights(src, src_packing, shifted, tgt_packing)
    return torch.stack([layer[0] for layer in layers])
