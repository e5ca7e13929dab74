"""Masked attention with sentences padded to one length: a matrix a sentence and head.

Rows go from the packed layout to that one and back in a single copy each.

Axes: N tokens, B sentences, H heads, T queries, S keys, D head size.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mtcli_kernels.dense import attention_bias
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
    """Same arguments and result as `masked_attention`; it can be differentiated once."""
    if queries.total == 0 or keys.total == 0:  # zeros, whatever q holds, to which all three belong
        return q.masked_fill(torch.ones_like(q, dtype=torch.bool), 0) + (k.sum() + v.sum()) * 0
    heads = q.shape[1]
    query_rows, key_rows = queries.head_rows(heads), None if keys is queries else keys.head_rows(heads)
    bias = attention_bias(queries, keys, causal, q.dtype)
    with torch.autocast(q.device.type, enabled=False):  # which would give weights another type, in forward alone
        out = _PaddedAttention.apply(q, k, v, bias, query_rows, key_rows, dropout)  # type: ignore[no-untyped-call]
    if keys.has_empty:
        out = out.masked_fill(queries.per_token(keys.lengths == 0)[:, None, None], 0)
    return out  # type: ignore[no-any-return]


class _PaddedAttention(torch.autograd.Function):
    """softmax(q kᵀ / √D + bias) v; autograd alone would copy every operand of its products again.

    `key_rows` is None where the keys' rows are the queries': torch.compile takes no tensor twice.
    """

    @staticmethod
    def forward(
        ctx: Any,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        bias: Tensor | None,
        query_rows: HeadRows,
        key_rows: HeadRows | None,
        dropout: float,
    ) -> Tensor:
        key_rows, scale = key_rows or query_rows, q.shape[-1] ** -0.5
        q_pad, k_pad, v_pad = query_rows.repeat(q).mul_(scale), key_rows.repeat(k), key_rows.repeat(v)
        scores = q_pad @ k_pad.transpose(-1, -2)  # [B, H, T, S]
        weights = (scores if bias is None else scores.add_(bias)).softmax(-1)
        kept = _kept(weights, dropout) if dropout > 0 else None
        out = query_rows.unpad((weights if kept is None else weights * kept) @ v_pad)
        ctx.save_for_backward(q_pad, k_pad, v_pad, weights, kept)
        ctx.query_rows, ctx.key_rows, ctx.scale = query_rows, key_rows, scale
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        q_pad, k_pad, v_pad, weights, kept = ctx.saved_tensors
        grad_pad = ctx.query_rows.spread(grad)
        grad_v = (weights if kept is None else weights * kept).transpose(-1, -2) @ grad_pad
        grad_weights = grad_pad @ v_pad.transpose(-1, -2)
        if kept is not None:
            grad_weights.mul_(kept)
        grad_scores = torch._softmax_backward_data(grad_weights, weights, -1, weights.dtype)
        grad_q = (grad_scores @ k_pad).mul_(ctx.scale)
        grad_k = grad_scores.transpose(-1, -2) @ q_pad
        gradients = ctx.query_rows.unpad(grad_q), ctx.key_rows.unpad(grad_k), ctx.key_rows.unpad(grad_v)
        return *gradients, None, None, None, None


def _kept(weights: Tensor, dropout: float) -> Tensor:
    """Like weights: 0 with this probability, else what makes up for it."""
    kept = torch.empty_like(weights).bernoulli_(1 - dropout)
    return kept.div_(1 - dropout) if dropout < 1 else kept
