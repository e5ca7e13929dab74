"""Masked attention with sentences padded to one length: a matrix a sentence and head.

Rows go from the packed layout to that one and back in a single copy each.

Axes: N tokens, B sentences, H heads, T queries, S keys, D head size.
"""

from typing import Any

import torch
from torch import Tensor

from mtcli_kernels.dense import attention_bias, weigh
from mtcli_kernels.packing import HeadRows, Packing


def padded_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    queries: Packing,
    keys: Packing,
    *,
    causal: bool = False,
    dropout: float = 0.0,
) -> Tensor:
    """Same arguments and result as `masked_attention`."""
    if queries.total == 0 or keys.total == 0:
        return q * 0 + (k.sum() + v.sum()) * 0
    heads = q.shape[1]
    bias = attention_bias(queries, keys, causal, q.dtype)
    out = _PaddedAttention.apply(
        q, k, v, bias, queries.head_rows(heads), None if keys is queries else keys.head_rows(heads), dropout
    )  # type: ignore[no-untyped-call]
    if keys.has_empty:
        out = out.masked_fill(queries.per_token(keys.lengths == 0)[:, None, None], 0)
    return out  # type: ignore[no-any-return]


class _PaddedAttention(torch.autograd.Function):
    """softmax(q kᵀ / √D + bias) v; autograd alone would copy every operand of its products again.

    `others` are the keys' rows, None where they are the queries': torch.compile takes no tensor twice.
    """

    @staticmethod
    def forward(
        ctx: Any,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        bias: Tensor | None,
        queries: HeadRows,
        others: HeadRows | None,
        dropout: float,
    ) -> Tensor:
        keys, scale = others or queries, q.shape[-1] ** -0.5
        q_pad, k_pad, v_pad = queries.pad(q).mul_(scale), keys.pad(k), keys.pad(v)
        scores = q_pad @ k_pad.transpose(-1, -2)  # [B, H, T, S]
        weights = (scores if bias is None else scores.add_(bias)).softmax(-1)
        kept = torch.empty_like(weights).bernoulli_(1 - dropout).div_(1 - dropout) if dropout > 0 else None
        out = queries.unpad(weigh(weights if kept is None else weights * kept, v_pad))
        ctx.save_for_backward(q_pad, k_pad, v_pad, weights, kept)
        ctx.queries, ctx.keys, ctx.scale = queries, keys, scale
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        q_pad, k_pad, v_pad, weights, kept = ctx.saved_tensors
        grad_pad = ctx.queries.spread(grad)
        grad_v = (weights if kept is None else weights * kept).transpose(-1, -2) @ grad_pad
        grad_weights = grad_pad @ v_pad.transpose(-1, -2)
        if kept is not None:
            grad_weights.mul_(kept)
        grad_scores = torch._softmax_backward_data(grad_weights, weights, -1, weights.dtype)
        grad_q = (grad_scores @ k_pad).mul_(ctx.scale)
        grad_k = grad_scores.transpose(-1, -2) @ q_pad
        return ctx.queries.unpad(grad_q), ctx.keys.unpad(grad_k), ctx.keys.unpad(grad_v), None, None, None, None
