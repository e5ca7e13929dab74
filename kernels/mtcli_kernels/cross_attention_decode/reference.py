"""Cross-attention at decoding as its definition reads: one slot at a time."""

import torch
from torch import Tensor

from mtcli_kernels.decoding_layout import SourceRegions


def reference_cross_attention(q: Tensor, k: Tensor, v: Tensor, regions: SourceRegions) -> Tensor:
    """Same arguments and result as `cross_attention_decode`."""
    outputs = []
    starts, lengths = regions.starts.tolist(), regions.lengths.tolist()
    for q_slot, start, length in zip(q.chunk(regions.num_slots), starts, lengths, strict=True):
        if length == 0:
            outputs.append(torch.zeros_like(q_slot))
            continue
        k_slot, v_slot = k[start : start + length], v[start : start + length]
        scores = torch.einsum("bhd,nhd->hbn", q_slot, k_slot) * q.shape[-1] ** -0.5  # [H, K, length]
        outputs.append(torch.einsum("hbn,nhd->bhd", scores.softmax(dim=-1), v_slot))
    return torch.cat(outputs)
