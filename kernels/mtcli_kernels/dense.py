"""What attention by two batched matmuls and a softmax is made of, on CPUs and in single decoding steps.

Sums are cut at fixed places, so that a sentence's numbers are the same in any padding that decoding uses. How fast all
is beside torch's scaled_dot_product_attention differs with the processor and torch's version: `mtcli bench kernels`.

Axes: B sentences, H heads, T queries, S keys, D head size.
"""

import torch
from torch import Tensor

from mtcli_kernels.packing import Packing

KEYS_AT_ONCE = 128  # below the 192 or more at which MKL and oneDNN begin to cut


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


def scaled(queries: Tensor) -> Tensor:
    """queries [..., D] times D^-0.5, contiguous.

    Scaled beforehand, because matrix products that scale round differently in some widths, and plain ones do not.
    """
    return queries.clone(memory_format=torch.contiguous_format).mul_(queries.shape[-1] ** -0.5)


def weigh(weights: Tensor, values: Tensor) -> Tensor:
    """weights [..., T, S] @ values [..., S, D], a fixed number of keys at a time.

    A matmul library adds up long rows in pieces, and where it cuts depends on the length, padding included. Cut
    here, a row's sum is the same however many keys of weight 0 follow its own: adding 0 changes nothing.
    """
    num_keys = values.shape[-2]
    out = weights[..., :KEYS_AT_ONCE] @ values[..., :KEYS_AT_ONCE, :]
    for start in range(KEYS_AT_ONCE, num_keys, KEYS_AT_ONCE):
        keys = slice(start, start + KEYS_AT_ONCE)
        out = out + weights[..., keys] @ values[..., keys, :]
    return out
