"""Masked attention with sentences padded to one length: two batched matmuls and a softmax.

At sentence lengths on a CPU this is several times faster than torch's scaled_dot_product_attention.
"""

import torch
from torch import Tensor

from mtcli_kernels.packing import Packing

# Finite, so that a row with nothing to see stays free of NaN; exp() of it is exactly 0 beside any real score.
MASKED = -1e30


def attention_bias(queries: Packing, keys: Packing, causal: bool, dtype: torch.dtype) -> Tensor | None:
    """[B or 1, 1, T or 1, S]: 0 where a query sees a key, -1e30 where not; None when all is seen."""
    device = keys.lengths.device
    bias = None
    if not keys.is_uniform:
        bias = torch.zeros(keys.valid.shape, dtype=dtype, device=device).masked_fill_(~keys.valid, MASKED)
        bias = bias[:, None, None, :]
    if causal:
        shape = (queries.max_length, keys.max_length)
        future = torch.full(shape, MASKED, dtype=dtype, device=device).triu(1)
        bias = future[None, None] if bias is None else torch.minimum(bias, future)
    return bias


def attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None, dropout: float = 0.0) -> Tensor:
    """[B, H, T, D] from q [B, H, T, D], k and v [B, H, S, D] and an additive bias on [B, H, T, S]."""
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    if bias is not None:
        scores = scores + bias
    weights = scores.softmax(dim=-1)
    return torch.dropout(weights, dropout, train=dropout > 0) @ v


def padded_attention(
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
    if 0 in (q.shape[0], k.shape[0]):
        return torch.zeros_like(q)
    # [N, H, D] -> [B, L, H, D] -> [B, H, L, D]
    q_pad, k_pad, v_pad = (packing.pad(rows).transpose(1, 2) for rows, packing in ((q, queries), (k, keys), (v, keys)))
    out = attend(q_pad, k_pad, v_pad, attention_bias(queries, keys, causal, q.dtype), dropout)
    if not keys.is_uniform:
        out = out * (keys.lengths > 0).to(out.dtype)[:, None, None, None]
    return queries.unpad(out.transpose(1, 2))
