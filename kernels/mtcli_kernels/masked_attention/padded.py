"""Masked attention with sentences padded to one length."""

from torch import Tensor

from mtcli_kernels.dense import attend, attention_bias
from mtcli_kernels.packing import Packing


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
    # [N, H, D] -> [B, L, H, D] -> [B, H, L, D]
    q_pad, k_pad, v_pad = (packing.pad(rows).transpose(1, 2) for rows, packing in ((q, queries), (k, keys), (v, keys)))
    out = attend(q_pad, k_pad, v_pad, attention_bias(queries, keys, causal, q.dtype), dropout)
    if not keys.is_uniform:
        out = out * (keys.lengths > 0).to(out.dtype)[:, None, None, None]
    return queries.unpad(out.transpose(1, 2))
