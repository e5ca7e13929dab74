"""The kernel as a PyTorch operator, which changes the caches.

Axes: S slots, K beam, H heads, T steps, D head size.
"""

import torch
from torch import Tensor

from mtcli_kernels.dispatch import capability
from mtcli_kernels.self_attention_decode.tiles import FORWARD, TILES
from mtcli_kernels.tuning import padded_head_dim


@torch.library.custom_op("mtcli::self_attention_decode", mutates_args=("k_cache", "v_cache"))
def self_attention_decode_op(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    k_cache: Tensor,
    v_cache: Tensor,
    ancestry: Tensor,
    positions: Tensor,
    scale: float,
) -> Tensor:
    """[S*K, H, D] from q, k, v [S*K, H, D], caches [S, H, T*K, D], ancestry [S, K, T] and positions [S]."""
    from mtcli_kernels.self_attention_decode.kernel import self_attention_decode_fwd_kernel

    out = q.new_empty(q.shape)
    if not out.numel():
        return out
    q, k, v, ancestry = (x if x.stride(2) == 1 else x.contiguous() for x in (q, k, v, ancestry))
    (num_slots, beam, _), (_, heads, head_dim) = ancestry.shape, q.shape
    tile = TILES.pick(FORWARD, capability(q.device), 8 * q.element_size(), head_dim)
    with torch.cuda.device_of(q):
        self_attention_decode_fwd_kernel[(num_slots, heads)](
            q, k, v, k_cache, v_cache, out, ancestry, positions.contiguous(),
            q.stride(0), q.stride(1), k.stride(0), k.stride(1), v.stride(0), v.stride(1), out.stride(0), out.stride(1),
            *k_cache.stride()[:3], *v_cache.stride()[:3], ancestry.stride(0), ancestry.stride(1), scale,
            BEAM=beam, BLOCK_R=max(16, 1 << (beam - 1).bit_length()),
            HEAD=padded_head_dim(head_dim), HEAD_DIM=head_dim, **tile.launch,
        )  # fmt: skip
    return out


@self_attention_decode_op.register_fake
def _(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    k_cache: Tensor,
    v_cache: Tensor,
    ancestry: Tensor,
    positions: Tensor,
    scale: float,
) -> Tensor:
    return q.new_empty(q.shape)
