"""Self-attention at decoding as two batched matmuls over the living entries of a slot.

A hypothesis owns one entry a step, but hypotheses share most of their past: branches die soon, and what some hypothesis
still owns is little more than one entry a step. These are gathered, once for the whole beam, and each hypothesis is
multiplied with all of them, others' masked. Gathering each hypothesis's own instead moves K times as many bytes.
"""

import torch
from torch import Tensor

from mtcli_kernels.decoding_layout import BeamPlaces
from mtcli_kernels.self_attention_decode.entries import append, blank_empty_slots


def padded_self_attention(
    q: Tensor, k: Tensor, v: Tensor, k_cache: Tensor, v_cache: Tensor, places: BeamPlaces
) -> Tensor:
    """Same arguments and result as `self_attention_decode`; needs a row of q at least."""
    append(k, k_cache, places)
    append(v, v_cache, places)
    (num_slots, beam, _), (_, heads, head_dim) = places.ancestry.shape, q.shape
    queries = (q * head_dim**-0.5).view(num_slots, beam, heads, head_dim).transpose(1, 2).flatten(0, 1)  # [S*H, K, D]
    rows = places.living_rows(heads, k_cache.shape[2])
    shape = (num_slots * heads, -1, head_dim)
    keys, values = (x.reshape(-1, head_dim).index_select(0, rows).view(shape) for x in (k_cache, v_cache))
    bias = places.living_bias(q.dtype, heads)  # [S*H, K, W]
    scores = torch.baddbmm(bias, queries, keys.transpose(1, 2))
    out = (scores.softmax(dim=-1) @ values).view(num_slots, heads, beam, head_dim)
    return blank_empty_slots(out, places).transpose(1, 2).reshape(q.shape)
