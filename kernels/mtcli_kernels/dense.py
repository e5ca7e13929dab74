"""The masks of attention by two batched matmuls and a softmax, on CPUs and in single decoding steps.

How fast that is beside torch's scaled_dot_product_attention differs with the processor and torch's version:
`mtcli bench kernels`.

Axes: B sentences, H heads, T queries, S keys, D head size.
"""

import torch
from torch import Tensor

from mtcli_kernels.packing import Packing


def masked_score(dtype: torch.dtype) -> float:
    """Added to a score that must not count: finite, so that a row with nothing to see stays free of NaN, and so
    low that its exponential is exactly 0 beside any real score."""
    return -30000.0 if dtype == torch.float16 else -1e30


def attention_bias(queries: Packing, keys: Packing, causal: bool, dtype: torch.dtype) -> Tensor | None:
    """[B or 1, 1, T or 1, S]: 0 where a query sees a key, `masked_score` where not; None when all is seen."""
    device, masked = keys.lengths.device, masked_score(dtype)
    bias = None
    if not keys.is_uniform:
        bias = torch.zeros(keys.valid.shape, dtype=dtype, device=device).masked_fill_(~keys.valid, masked)
        bias = bias[:, None, None, :]
    if causal:
        shape = (queries.max_length, keys.max_length)
        future = torch.full(shape, masked, dtype=dtype, device=device).triu(1)
        bias = future[None, None] if bias is None else torch.minimum(bias, future)
    return bias
