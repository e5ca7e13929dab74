"""Source rows slot by slot, for the forms that multiply padded matrices.

Axes: H heads, S slots, L longest source, N source rows, D head size.
"""

import torch
from torch import Tensor

from mtcli_kernels.decoding_layout import SourceRegions


def rows_by_slot(rows: Tensor, regions: SourceRegions) -> Tensor:
    """[H*S, L, D] from [N, H, D]: each slot's rows from its first on, and something behind them.

    With regions at equal distances in head-major memory it is a view: the rows behind are whatever lies there.
    Otherwise rows are copied; where they are gathered one by one, behind a slot's own rows stands its first one, so
    that no other slot's numbers do.
    """
    by_head = rows.transpose(0, 1)  # [H, N, D]
    if regions.stride is not None:
        if rows.shape[0] > regions.num_slots * regions.stride:
            by_head = by_head[:, : regions.num_slots * regions.stride]
        by_slot = by_head.reshape(-1, regions.stride, rows.shape[2])
        return by_slot if regions.max_length == regions.stride else by_slot[:, : regions.max_length]
    places = torch.arange(regions.max_length, device=rows.device)
    own = places < regions.lengths[:, None]
    index = regions.starts[:, None] + torch.where(own, places, 0)  # [S, L]
    index = index.clamp(max=rows.shape[0] - 1)  # an empty slot may start behind the last row
    return by_head.index_select(1, index.flatten()).view(-1, regions.max_length, rows.shape[2])


def blank_empty_slots(out: Tensor, regions: SourceRegions) -> Tensor:
    """Zeros in place of what a slot without source rows got, in out [H, S, K, D]."""
    if not regions.may_have_empty_slots:
        return out
    return out.masked_fill(regions.lengths[:, None, None] == 0, 0.0)
