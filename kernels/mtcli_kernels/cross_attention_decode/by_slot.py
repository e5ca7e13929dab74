"""Source rows slot by slot, for the forms that multiply padded matrices.

Axes: H heads, S slots, K beam, L longest source, N source rows, D head size.
"""

import torch
from torch import Tensor

from mtcli_kernels.decoding_layout import SourceRegions


def rows_by_slot(rows: Tensor, regions: SourceRegions) -> Tensor:
    """[S, H, L, D]: each slot's rows from its first on, and something behind them.

    Rows kept slot by slot are read where they are. Packed ones are copied; behind a slot's own rows stands its first
    one, so that no other slot's numbers do.
    """
    if regions.starts is None:
        return rows.narrow(2, 0, regions.max_length)
    places = torch.arange(regions.max_length, device=rows.device)
    own = places < regions.lengths[:, None]
    index = regions.starts[:, None] + torch.where(own, places, 0)  # [S, L]
    index = index.clamp(max=rows.shape[0] - 1)  # an empty slot may start behind the last row
    return rows[index].transpose(1, 2)


def as_rows(k: Tensor, v: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Keys and values kept slot by slot, [S, H, L, D], as the kernel reads them; S and L are at least 1.

    Returns:
        Both as rows [N, H, D], and where each slot starts in them, [S] int32. In a contiguous tensor row n of head h
        is the number n + h * L among the rows of memory, and slot s starts at row s * H * L: the same memory, seen
        in another way. Tensors that cannot be seen so, or not both with the same starts, are copied.
    """
    num_slots, heads, length, head_dim = k.shape
    slot, head, row, last = k.stride()
    if k.stride() != v.stride() or last != 1 or row < 1 or slot % row:
        k, v = k.contiguous(), v.contiguous()
        slot, head, row = heads * length * head_dim, length * head_dim, head_dim
    starts = torch.arange(num_slots, dtype=torch.int32, device=k.device) * (slot // row)
    size = ((num_slots - 1) * (slot // row) + length, heads, head_dim)
    return k.as_strided(size, (row, head, 1)), v.as_strided(size, (row, head, 1)), starts


def blank_empty_slots(out: Tensor, regions: SourceRegions) -> Tensor:
    """Zeros in place of what a slot without source rows got, in out [S, H, K, D]."""
    if not regions.may_have_empty_slots:
        return out
    return out.masked_fill(regions.lengths[:, None, None, None] == 0, 0.0)
