"""Entries of the caches: writing one step's, and blanking those not written yet, with torch's own operations.

Axes: S slots, K beam, H heads, T steps, D head size.
"""

import torch
from torch import Tensor

from mtcli_kernels.decoding_layout import BeamPlaces


def append_at_one_step(rows: Tensor, cache: Tensor, step: int) -> None:
    """Write rows [S*K, H, D] into cache [S, H, T*K, D] at the same step of every slot."""
    new = rows.view(cache.shape[0], -1, *rows.shape[1:])  # [S, K, H, D]
    cache.narrow(2, step * new.shape[1], new.shape[1]).copy_(new.transpose(1, 2))


def append(rows: Tensor, cache: Tensor, places: BeamPlaces) -> None:
    """The same at each slot's own position; nothing changes in an empty slot."""
    slots = torch.arange(cache.shape[0], device=cache.device)
    steps = places.positions.clamp(min=0).long()
    new = rows.unflatten(0, (-1, places.beam))  # [S, K, H, D]
    by_step = cache.unflatten(2, (-1, places.beam)).permute(0, 2, 3, 1, 4)  # [S, T, K, H, D]
    if places.may_have_empty_slots:
        # An empty slot gets back what it had: picking the live slots would make a GPU's host wait for their number
        live = (places.positions >= 0)[:, None, None, None]
        new = torch.where(live, new, by_step[slots, steps])
    by_step[slots, steps] = new


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
