"""Self-attention at decoding as two batched matmuls over the living entries of a slot.

A hypothesis owns one entry a step, but hypotheses share most of their past: branches die soon, and what some hypothesis
still owns is little more than one entry a step. These are gathered, once for the whole beam, and each hypothesis is
multiplied with all of them, others' masked. Gathering each hypothesis's own instead moves K times as many bytes.
"""

import torch
from torch import Tensor

from mtcli_kernels.decoding_layout import BeamPlaces
from mtcli_kernels.dense import scaled, weigh
from mtcli_kernels.self_attention_decode.entries import append, blank_empty_slots


def padded_self_attention(
    q: Tensor, k: Tensor, v: Tensor, k_cache: Tensor, v_cache: Tensor, places: BeamPlaces
) -> Tensor:
    """Same arguments and result as `self_attention_decode`; needs a row of q at least."""
    append(k, k_cache, places)
    append(v, v_cache, places)
    queries = scaled(q.view(-1, places.beam, *q.shape[1:]).transpose(1, 2))  # [S, H, K, D]
    if places.stragglers is None:
        out = _attend(queries, k_cache, v_cache, places)
    else:
        common, behind = places.groups
        slots = places.stragglers
        far_keys, far_values = (x.narrow(2, 0, behind.all_entries).index_select(0, slots) for x in (k_cache, v_cache))
        out = _attend(queries, k_cache, v_cache, common)
        out.index_copy_(0, slots, _attend(queries.index_select(0, slots), far_keys, far_values, behind))
    return blank_empty_slots(out, places).transpose(1, 2).reshape(q.shape)


def _attend(queries: Tensor, k_cache: Tensor, v_cache: Tensor, places: BeamPlaces) -> Tensor:
    """[S, H, K, D]: scaled queries over the entries that some hypothesis of the slot owns."""
    num_slots, heads, beam, head_dim = queries.shape
    rows = places.living_rows(heads, k_cache.shape[2])
    shape = (num_slots * heads, -1, head_dim)
    keys, values = (x.reshape(-1, head_dim).index_select(0, rows).view(shape) for x in (k_cache, v_cache))
    bias = places.living_bias(queries.dtype, heads)  # [S*H, K, W]
    scores = torch.baddbmm(bias, queries.view(-1, beam, head_dim), keys.transpose(1, 2))
    return weigh(scores.softmax(dim=-1), values).view(num_slots, heads, beam, head_dim)
