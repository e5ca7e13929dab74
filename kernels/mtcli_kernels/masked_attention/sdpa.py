"""Masked attention with torch's scaled_dot_product_attention, for GPUs that the kernels are not made for."""

import torch
import torch.nn.functional as F
from torch import Tensor

from mtcli_kernels.packing import Packing


def sdpa_attention(
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
    # [N, H, D] -> [B, L, H, D] -> [B, H, L, D]
    q_pad, k_pad, v_pad = (packing.pad(rows).transpose(1, 2) for rows, packing in ((q, queries), (k, keys), (v, keys)))
    mask = None if keys.is_uniform else _mask(queries, keys, causal)
    out = F.scaled_dot_product_attention(
        q_pad, k_pad, v_pad, attn_mask=mask, dropout_p=dropout, is_causal=causal and mask is None
    )
    if not keys.is_uniform:
        out = out.masked_fill((keys.lengths == 0)[:, None, None, None], 0.0)
    return queries.unpad(out.transpose(1, 2))


def _mask(queries: Packing, keys: Packing, causal: bool) -> Tensor:
    """[B, 1, 1 or T, S] bool: what a query sees; sentences without keys see the zeros that pad them.

    A softmax over nothing would be NaN, in the backward pass if not in this one, and no later product with 0
    takes that away.
    """
    seen = keys.valid | (keys.lengths == 0)[:, None]
    if not causal:
        return seen[:, None, None, :]
    places = torch.arange(keys.max_length, device=seen.device)
    past = places <= torch.arange(queries.max_length, device=seen.device)[:, None]  # [T, S]
    return (seen[:, None, :] & past)[:, None]
