"""Cross-attention at decoding as two batched matmuls, one matrix for each slot and head."""

import torch
from torch import Tensor

from mtcli_kernels.cross_attention_decode.by_slot import blank_empty_slots, rows_by_slot
from mtcli_kernels.decoding_layout import SourceRegions


def padded_cross_attention(q: Tensor, k: Tensor, v: Tensor, regions: SourceRegions) -> Tensor:
    """Same arguments and result as `cross_attention_decode`; needs a row of q and a source row at least."""
    num_slots, (_, heads, head_dim) = regions.num_slots, q.shape
    beam = q.shape[0] // num_slots
    queries = (q * head_dim**-0.5).view(num_slots, beam, heads, head_dim).transpose(1, 2).flatten(0, 1)  # [S*H, K, D]
    keys, values = (rows_by_slot(rows, regions).flatten(0, 1) for rows in (k, v))  # [S*H, L, D]
    bias = regions.bias(q.dtype)[:, None, None].expand(-1, heads, beam, -1).flatten(0, 1)  # [S*H, K, L]
    scores = torch.baddbmm(bias, queries, keys.transpose(1, 2))
    out = (scores.softmax(dim=-1) @ values).view(num_slots, heads, beam, head_dim)
    return blank_empty_slots(out, regions).transpose(1, 2).reshape(q.shape)
