"""Cross-attention at decoding as its definition reads: one slot at a time."""

import torch
from torch import Tensor

from mtcli_kernels.decoding_layout import SourceRegions


def reference_cross_attention(q: Tensor, k: Tensor, v: Tensor, regions: SourceRegions) -> Tensor:
    """Same arguments and result as `cross_attention_decode`."""
    outputs = []
    for slot, (q_slot, length) in enumerate(zip(q.chunk(regions.num_slots), regions.lengths.tolist(), strict=True)):
        if length == 0:
            outputs.append(torch.zeros_like(q_slot))
            continue
        k_slot, v_slot = (_rows_of(rows, slot, regions)[:length] for rows in (k, v))  # [length, H, D]
        scores = torch.einsum("bhd,nhd->hbn", q_slot, k_slot) * q.shape[-1] ** -0.5  # [H, K, length]
        outputs.append(torch.einsum("hbn,nhd->bhd", scores.softmax(dim=-1), v_slot))
    return torch.cat(outputs)


def _rows_of(rows: Tensor, slot: int, regions: SourceRegions) -> Tensor:
    """[L, H, D]: the slot's rows, and whatever follows."""
    return rows[slot].transpose(0, 1) if regions.starts is None else rows[int(regions.starts[slot]) :]
