"""Masked attention as its definition reads: one sentence at a time, nothing clever."""

import torch
from torch import Tensor

from mtcli_kernels.packing import Packing


def reference_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    queries: Packing,
    keys: Packing,
    *,
    causal: bool = False,
    dropout: float = 0.0,
) -> Tensor:
    """Same arguments and result as `masked_attention`."""
    outputs = [q[:0]]  # so that a batch of no sentences has a result too
    q_parts = q.split(queries.lengths.tolist())
    k_parts, v_parts = k.split(keys.lengths.tolist()), v.split(keys.lengths.tolist())
    for q_i, k_i, v_i in zip(q_parts, k_parts, v_parts, strict=True):
        scores = torch.einsum("thd,shd->hts", q_i, k_i) * q.shape[-1] ** -0.5  # [H, T, S]
        if causal:
            future = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu(1)
            scores = scores.masked_fill(future, float("-inf"))
        weights = torch.dropout(scores.softmax(dim=-1), dropout, train=dropout > 0)
        outputs.append(torch.einsum("hts,shd->thd", weights, v_i))  # without keys a sum of nothing: zeros
    return torch.cat(outputs)
