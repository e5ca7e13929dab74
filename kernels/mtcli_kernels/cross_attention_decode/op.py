"""The kernels as a PyTorch operator.

Axes: S slots, K beam, H heads, D head size, N source rows.
"""

import torch
from torch import Tensor

from mtcli_kernels.cross_attention_decode.tiles import COMBINE, FORWARD, ROWS_PER_SPLIT, TILES
from mtcli_kernels.dispatch import capability
from mtcli_kernels.tuning import Tile, padded_head_dim


@torch.library.custom_op("mtcli::cross_attention_decode", mutates_args=())
def cross_attention_decode_op(
    q: Tensor, k: Tensor, v: Tensor, starts: Tensor, lengths: Tensor, max_length: int, scale: float
) -> Tensor:
    """[S*K, H, D] from q [S*K, H, D], k and v [N, H, D], starts and lengths [S]; `max_length` bounds the lengths."""
    from mtcli_kernels.cross_attention_decode import kernel

    out = q.new_empty(q.shape)
    if not out.numel():
        return out
    q, k, v = (x if x.stride(2) == 1 else x.contiguous() for x in (q, k, v))
    (num_queries, heads, head_dim), num_slots = q.shape, lengths.numel()
    beam = num_queries // num_slots
    num_splits = max(1, -(-max_length // ROWS_PER_SPLIT))
    part_max, part_sum, part_acc = _parts(q, num_slots, num_splits, beam)
    shared = {"BEAM": beam, "HEAD": padded_head_dim(head_dim), "HEAD_DIM": head_dim}
    with torch.cuda.device_of(q):
        kernel.cross_attention_decode_fwd_kernel[(num_slots, heads, num_splits)](
            q, k, v, out, part_max, part_sum, part_acc, starts.contiguous(), lengths.contiguous(),
            q.stride(0), q.stride(1), k.stride(0), k.stride(1), v.stride(0), v.stride(1), out.stride(0), out.stride(1),
            scale, BLOCK_R=max(16, 1 << (beam - 1).bit_length()), **shared, **_tile(FORWARD, q).launch,
        )  # fmt: skip
        if num_splits > 1:
            kernel.cross_attention_decode_combine_kernel[(num_queries, heads)](
                out, part_max, part_sum, part_acc, lengths.contiguous(), out.stride(0), out.stride(1), num_splits,
                **shared, **_tile(COMBINE, q).launch,
            )  # fmt: skip
    return out


def _parts(q: Tensor, num_slots: int, num_splits: int, beam: int) -> tuple[Tensor, Tensor, Tensor]:
    """Room for what each split leaves behind; none where no source is split."""
    shape = (num_slots, q.shape[1], num_splits if num_splits > 1 else 0, beam)
    part_max, part_sum = (q.new_empty(shape, dtype=torch.float32) for _ in range(2))
    return part_max, part_sum, q.new_empty((*shape, q.shape[2]), dtype=torch.float32)


def _tile(kernel: str, q: Tensor) -> Tile:
    return TILES.pick(kernel, capability(q.device), 8 * q.element_size(), q.shape[2])


@cross_attention_decode_op.register_fake
def _(q: Tensor, k: Tensor, v: Tensor, starts: Tensor, lengths: Tensor, max_length: int, scale: float) -> Tensor:
    return q.new_empty(q.shape)
