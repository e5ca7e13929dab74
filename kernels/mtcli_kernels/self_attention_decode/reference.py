"""Self-attention at decoding as its definition reads: each hypothesis's past is gathered, one slot at a time."""

import torch
from torch import Tensor

from mtcli_kernels.decoding_layout import BeamPlaces


def reference_self_attention(
    q: Tensor, k: Tensor, v: Tensor, k_cache: Tensor, v_cache: Tensor, places: BeamPlaces
) -> Tensor:
    """Same arguments and result as `self_attention_decode`."""
    outputs = []
    beam = places.beam
    for slot, position in enumerate(places.positions.tolist()):
        rows = slice(slot * beam, (slot + 1) * beam)
        if position < 0:
            outputs.append(torch.zeros_like(q[rows]))
            continue
        new = slice(position * beam, (position + 1) * beam)
        k_cache[slot, :, new] = k[rows].transpose(0, 1)
        v_cache[slot, :, new] = v[rows].transpose(0, 1)
        steps = torch.arange(position + 1, device=q.device)
        own = steps * beam + places.ancestry[slot, :, : position + 1]  # [K, steps]: entries in the order of steps
        k_own, v_own = k_cache[slot][:, own], v_cache[slot][:, own]  # [H, K, steps, D]: the reordered cache
        scores = torch.einsum("bhd,hbtd->hbt", q[rows], k_own) * q.shape[-1] ** -0.5
        outputs.append(torch.einsum("hbt,hbtd->bhd", scores.softmax(dim=-1), v_own))
    return torch.cat(outputs)
