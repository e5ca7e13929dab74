"""Cross-attention at decoding as two batched matmuls, one matrix for each head and slot."""

import torch
from torch import Tensor

from mtcli_kernels.cross_attention_decode.by_slot import blank_empty_slots, rows_by_slot
from mtcli_kernels.decoding_layout import SourceRegions


def padded_cross_attention(q: Tensor, k: Tensor, v: Tensor, regions: SourceRegions) -> Tensor:
    """Same arguments and result as `cross_attention_decode`; needs a row of q and a source row at least."""
    num_slots, (_, heads, head_dim) = regions.num_slots, q.shape
    beam = q.shape[0] // num_slots
    queries = q.view(num_slots, beam, heads, head_dim).permute(2, 0, 1, 3).reshape(-1, beam, head_dim)  # [H*S, K, D]
    keys, values = rows_by_slot(k, regions), rows_by_slot(v, regions)  # [H*S, L, D]
    scores = torch.bmm(queries * head_dim**-0.5, keys.transpose(1, 2))  # [H*S, K, L]
    if regions.may_be_ragged:
        scores.view(heads, num_slots, beam, -1).add_(regions.bias(q.dtype)[:, None])
    out = torch.bmm(scores.softmax(dim=-1), values).view(heads, num_slots, beam, head_dim)
    return blank_empty_slots(out, regions).permute(1, 2, 0, 3).reshape(q.shape)
