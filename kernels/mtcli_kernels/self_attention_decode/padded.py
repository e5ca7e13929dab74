"""Self-attention at decoding as two batched matmuls over all entries of a slot, others' entries masked.

Every hypothesis is multiplied with the entries of all K, which is K times the arithmetic of its own entries; but they
are read where they lie, once for the whole beam. Gathering each hypothesis's own entries first moves K times as many
bytes and was slower at every size tried (beams of 4 and 5, 16 to 101 steps).
"""

import math

import torch
from torch import Tensor

from mtcli_kernels.decoding_layout import BeamPlaces
from mtcli_kernels.dense import attend
from mtcli_kernels.self_attention_decode.entries import append, append_at_one_step, blank_empty_slots, blank_unwritten


def padded_self_attention(
    q: Tensor, k: Tensor, v: Tensor, k_cache: Tensor, v_cache: Tensor, places: BeamPlaces
) -> Tensor:
    """Same arguments and result as `self_attention_decode`; needs a row of q at least."""
    queries = q.view(-1, places.beam, *q.shape[1:]).transpose(1, 2)  # [S, H, K, D]
    entries = (places.longest + 1) * places.beam
    keys, values = k_cache.narrow(2, 0, entries), v_cache.narrow(2, 0, entries)  # [S, H, entries, D]
    if places.are_at_one_step:
        append_at_one_step(k, k_cache, places.longest)
        append_at_one_step(v, v_cache, places.longest)
        bias = None if places.beam == 1 else places.bias(q.dtype)[:, None]
        out = attend(queries, keys, values, bias)
    else:
        append(k, k_cache, places)
        append(v, v_cache, places)
        out = blank_empty_slots(_attend_to_written(queries, keys, values, places), places)
    return out.transpose(1, 2).reshape(q.shape)


def _attend_to_written(queries: Tensor, keys: Tensor, values: Tensor, places: BeamPlaces) -> Tensor:
    """[S, H, K, D] where some entries of keys and values were perhaps never written, and hold anything."""
    cap = places.cap(queries.dtype)[:, None]  # [S, 1, K, entries]
    if keys.device.type == "cpu":
        out = _attend_capped(queries, keys, values, cap)
        # What the cap lets through as a weight of 0 times NaN or infinity, or as a score of NaN, shows in the result.
        # To look is cheap, and to find something is rare: memory hardly ever starts out with such numbers.
        if math.isfinite(out.sum(dtype=torch.float32).item()):
            return out
    return _attend_capped(queries, blank_unwritten(keys, places), blank_unwritten(values, places), cap)


def _attend_capped(queries: Tensor, keys: Tensor, values: Tensor, cap: Tensor) -> Tensor:
    scores = (queries * queries.shape[-1] ** -0.5) @ keys.transpose(-1, -2)
    # A bias would be added to whatever stands there, and might not outweigh it
    weights = torch.minimum(scores, cap).softmax(dim=-1)
    return weights @ values
