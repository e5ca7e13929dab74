"""Entries of the caches: writing one step's, and blanking those not written yet, with torch's own operations.

Axes: S slots, K beam, H heads, T steps, D head size.
"""

import torch
from torch import Tensor

from mtcli_kernels.decoding_layout import BeamPlaces


def append(rows: Tensor, cache: Tensor, places: BeamPlaces) -> None:
    """Write rows [S*K, H, D] into cache [S, H, T*K, D] at each slot's position; nothing changes in an empty slot."""
    new = rows.unflatten(0, (-1, places.beam)).transpose(1, 2)  # [S, H, K, D]
    by_step = cache.unflatten(2, (-1, places.beam))  # [S, H, T, K, D]
    if places.may_have_empty_slots:
        # An empty slot gets back what it had: picking the live slots would make a GPU's host wait for their number
        live = (places.positions >= 0)[:, None, None, None]
        new = torch.where(live, new, by_step[places.slots, :, places.steps])
    if cache.is_contiguous():  # whole rows of memory, each copied at once
        flat = by_step.view(-1, places.beam * cache.shape[3])
        flat.index_copy_(0, places.flat_steps(cache.shape[1], by_step.shape[2]), new.reshape(-1, flat.shape[1]))
    else:
        by_step[places.slots, :, places.steps] = new


def blank_unwritten(entries: Tensor, places: BeamPlaces) -> Tensor:
    """A copy of the first entries of a cache, [S, H, entries, D], with zeros where a slot has not written yet."""
    steps = torch.arange(entries.shape[2], device=entries.device) // places.beam
    unwritten = steps > places.positions[:, None]  # [S, entries]
    return entries.masked_fill(unwritten[:, None, :, None], 0.0)


def blank_empty_slots(out: Tensor, places: BeamPlaces) -> Tensor:
    """Zeros in place of what an empty slot got, in out [S, H, K, D]."""
    if places.may_have_empty_slots:
        out = out.masked_fill((places.positions < 0)[:, None, None, None], 0.0)
    return out
