"""The kernels as PyTorch operators: the interval form with its backward, and the anchored form without one.

Axes: N_q packed queries, N_k packed keys, B sentences, H heads, D head size. All results are contiguous.
"""

from typing import Any

import torch
from torch import Tensor

from mtcli_kernels.dispatch import capability
from mtcli_kernels.masked_attention.tiles import TILES
from mtcli_kernels.tuning import Tile, padded_head_dim

Gradients = tuple[Tensor, Tensor, Tensor]


@torch.library.custom_op("mtcli::masked_attention", mutates_args=())
def masked_attention_op(
    q: Tensor, k: Tensor, v: Tensor, lo: Tensor, hi: Tensor, query_lo: Tensor, query_hi: Tensor, scale: float
) -> tuple[Tensor, Tensor]:
    """Attention in which query t sees keys lo[t] <= j < hi[t]; differentiable in q, k and v.

    Args:
        q: [N_q, H, D] of float16, bfloat16 or float32.
        k, v: [N_k, H, D], dtype of q.
        lo, hi, query_lo, query_hi: contiguous int32, as `packing.Intervals` describes them.
        scale: what the products q · k are multiplied by.

    Returns:
        out [N_q, H, D], dtype of q, and lse [H, N_q] float32: the base-2 logarithm of each query's sum of
        2^(log2(e) · score), +inf for a query that sees nothing.
    """
    from mtcli_kernels.masked_attention.kernel import masked_attention_fwd_kernel

    num_queries, heads, _ = q.shape
    q, k, v = _rows(q), _rows(k), _rows(v)
    out = q.new_empty(q.shape)
    lse = q.new_empty(heads, num_queries, dtype=torch.float32)
    if out.numel():
        tile = _tile("masked_attention_fwd_kernel", q)
        with torch.cuda.device_of(q):
            masked_attention_fwd_kernel[_grid(tile, "BLOCK_M", q)](
                q, k, v, out, lse, lo, hi,
                *_strides(q, k, v, out), num_queries, scale, **_head(q), **tile.launch,
            )  # fmt: skip
    return out, lse


@torch.library.custom_op("mtcli::masked_attention_backward", mutates_args=())
def masked_attention_backward_op(
    dout: Tensor,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    out: Tensor,
    lse: Tensor,
    lo: Tensor,
    hi: Tensor,
    query_lo: Tensor,
    query_hi: Tensor,
    scale: float,
) -> Gradients:
    """(dq, dk, dv) of `masked_attention`, from dout, the gradient of its out, and from its arguments and results."""
    from mtcli_kernels.masked_attention import kernel

    num_queries, num_keys, heads = q.shape[0], k.shape[0], q.shape[1]
    dout, q, k, v, out, lse = _rows(dout), _rows(q), _rows(k), _rows(v), _rows(out), lse.contiguous()
    dq, dk, dv = (x.new_empty(x.shape) for x in (q, k, v))
    delta = q.new_empty(heads, num_queries, dtype=torch.float32)
    with torch.cuda.device_of(q):
        if dq.numel():
            tile = _tile("masked_attention_bwd_delta_kernel", q)
            kernel.masked_attention_bwd_delta_kernel[_grid(tile, "BLOCK_M", q)](
                out, dout, delta, *_strides(out, dout), num_queries, **_head(q), **tile.launch
            )
            tile = _tile("masked_attention_bwd_dq_kernel", q)
            kernel.masked_attention_bwd_dq_kernel[_grid(tile, "BLOCK_M", q)](
                q, k, v, dout, lse, delta, dq, lo, hi,
                *_strides(q, k, v, dout, dq), num_queries, scale, **_head(q), **tile.launch,
            )  # fmt: skip
        if dk.numel():
            tile = _tile("masked_attention_bwd_dkdv_kernel", q)
            kernel.masked_attention_bwd_dkdv_kernel[_grid(tile, "BLOCK_N", k)](
                q, k, v, dout, lse, delta, dk, dv, lo, hi, query_lo, query_hi,
                *_strides(q, k, v, dout, dk, dv), num_queries, num_keys, scale, **_head(q), **tile.launch,
            )  # fmt: skip
    return dq, dk, dv


@torch.library.custom_op("mtcli::masked_attention_anchored", mutates_args=())
def masked_attention_anchored_op(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    q_starts: Tensor,
    q_lengths: Tensor,
    k_starts: Tensor,
    k_lengths: Tensor,
    max_q_length: int,
    causal: bool,
    scale: float,
) -> Tensor:
    """out [N_q, H, D], in which no bit of a sentence depends on the sentences beside it; not differentiable.

    Args:
        q, k, v, scale: as in `masked_attention`.
        q_starts, q_lengths: [B] contiguous int64: each sentence's first row in q and its number of rows.
        k_starts, k_lengths: [B] contiguous int64: the same of k and v.
        max_q_length: the largest of q_lengths, or a bound of it.
        causal: query t of a sentence sees its keys 0..t only.
    """
    from mtcli_kernels.masked_attention.kernel import masked_attention_anchored_fwd_kernel

    q, k, v = _rows(q), _rows(k), _rows(v)
    out = q.new_empty(q.shape)
    if out.numel():
        tile = _tile("masked_attention_anchored_fwd_kernel", q)
        # Sentences on the first axis: it alone may be longer than 65,535
        grid = (q_lengths.numel(), -(-max_q_length // tile.blocks["BLOCK_M"]), q.shape[1])
        with torch.cuda.device_of(q):
            masked_attention_anchored_fwd_kernel[grid](
                q, k, v, out, q_starts, q_lengths, k_starts, k_lengths,
                *_strides(q, k, v, out), scale, CAUSAL=causal, **_head(q), **tile.launch,
            )  # fmt: skip
    return out


def _rows(x: Tensor) -> Tensor:
    """The kernels take any strides along tokens and heads, but the numbers of a head side by side."""
    return x if x.stride(-1) == 1 else x.contiguous()


def _strides(*tensors: Tensor) -> list[int]:
    return [stride for x in tensors for stride in x.stride()[:2]]


def _head(q: Tensor) -> dict[str, int]:
    return {"HEAD": padded_head_dim(q.shape[-1]), "HEAD_DIM": q.shape[-1]}


def _tile(kernel: str, q: Tensor) -> Tile:
    return TILES.pick(kernel, capability(q.device), 8 * q.element_size(), q.shape[-1])


def _grid(tile: Tile, block: str, rows: Tensor) -> tuple[int, int]:
    return -(-rows.shape[0] // tile.blocks[block]), rows.shape[1]


@masked_attention_op.register_fake
def _(
    q: Tensor, k: Tensor, v: Tensor, lo: Tensor, hi: Tensor, query_lo: Tensor, query_hi: Tensor, scale: float
) -> tuple[Tensor, Tensor]:
    return q.new_empty(q.shape), q.new_empty(q.shape[1], q.shape[0], dtype=torch.float32)


@masked_attention_backward_op.register_fake
def _(dout: Tensor, q: Tensor, k: Tensor, v: Tensor, *_: Any) -> Gradients:
    return q.new_empty(q.shape), k.new_empty(k.shape), v.new_empty(v.shape)


@masked_attention_anchored_op.register_fake
def _(q: Tensor, *_: Any) -> Tensor:
    return q.new_empty(q.shape)


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    *tensors, ctx.scale = inputs
    out, lse = output
    ctx.mark_non_differentiable(lse)
    ctx.save_for_backward(*tensors, out, lse)


def _backward(ctx: Any, dout: Tensor, dlse: Tensor) -> tuple[Tensor | None, ...]:
    q, k, v, lo, hi, query_lo, query_hi, out, lse = ctx.saved_tensors
    gradients = masked_attention_backward_op(dout, q, k, v, out, lse, lo, hi, query_lo, query_hi, ctx.scale)
    return *gradients, None, None, None, None, None


masked_attention_op.register_autograd(_backward, setup_context=_setup_context)
