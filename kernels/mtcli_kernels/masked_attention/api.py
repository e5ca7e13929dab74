"""The public face of masked attention: checks its inputs, then chooses an implementation."""

import torch
from torch import Tensor

from mtcli_kernels.dispatch import Choice, choose, constant_when_compiled, triton_obstacle
from mtcli_kernels.masked_attention.op import masked_attention_anchored_op, masked_attention_op
from mtcli_kernels.masked_attention.padded import padded_attention
from mtcli_kernels.masked_attention.reference import reference_attention
from mtcli_kernels.masked_attention.sdpa import sdpa_attention
from mtcli_kernels.packing import Packing

OFFERED = ("triton", "sdpa", "padded", "reference")
_IN_PYTORCH = {"sdpa": sdpa_attention, "padded": padded_attention, "reference": reference_attention}


def masked_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    queries: Packing,
    keys: Packing,
    *,
    causal: bool = False,
    dropout: float = 0.0,
    impl: str = "auto",
) -> Tensor:
    """softmax(q kᵀ / √D) v within each sentence (Vaswani et al. 2017, equation 1), differentiable.

    Args:
        q: [N_q, H, D] floating point, packed queries.
        k: [N_k, H, D], packed keys, dtype and device of q.
        v: [N_k, H, D], packed values, dtype and device of q.
        queries: where each sentence's queries lie, on the device of q.
        keys: where each sentence's keys lie; sentence i's queries see sentence i's keys alone.
        causal: query t sees keys 0..t only (decoder self-attention; needs queries and keys of equal lengths).
        dropout: probability with which an attention weight is zeroed; the others are scaled up.
        impl: "triton", "sdpa", "padded", "reference", or "auto", which takes "padded" on a CPU, and on a GPU
            "triton", or "sdpa" where the kernels cannot run or `dropout` is not 0. When no gradient is needed,
            each sentence's result in "triton" is the same to the bit whatever else the batch holds.

    Returns:
        [N_q, H, D], dtype of q; zeros for the queries of a sentence without keys.

    Raises:
        ValueError: shapes, dtypes or devices that do not fit each other, a `dropout` that is no probability,
            or an unknown impl.
        dispatch.UnavailableError: `impl` was named and cannot run on these inputs.
    """
    _check(q, k, v, queries, keys, causal)
    chosen = choice(impl, q.device, q.dtype, q.shape[-1], dropout).impl
    if chosen == "triton":
        return _with_kernels(q, k, v, queries, keys, causal)
    return _IN_PYTORCH[chosen](q, k, v, queries, keys, causal=causal, dropout=dropout)


# torch.compile asks once, outside the graph: the rule imports and logs, which cannot be traced.
@constant_when_compiled
def choice(impl: str, device: torch.device, dtype: torch.dtype, head_dim: int, dropout: float = 0.0) -> Choice:
    """What `masked_attention` runs for such inputs, and why; it raises as `masked_attention` does."""
    if not 0.0 <= dropout <= 1.0:
        raise ValueError(f"dropout = {dropout} is no probability: expected 0 to 1.")
    obstacle = triton_obstacle(device, dtype, head_dim)
    if obstacle is None and dropout > 0.0:
        obstacle = f"the kernels drop no attention weights; dropout = {dropout} needs one of the other forms."
    return choose("masked_attention", impl, OFFERED, device, {"triton": obstacle})


def _with_kernels(q: Tensor, k: Tensor, v: Tensor, queries: Packing, keys: Packing, causal: bool) -> Tensor:
    scale = q.shape[-1] ** -0.5
    if torch.is_grad_enabled() and (q.requires_grad or k.requires_grad or v.requires_grad):
        seen = queries.intervals(keys, causal)
        out, _ = masked_attention_op(q, k, v, seen.lo, seen.hi, seen.query_lo, seen.query_hi, scale)
    else:
        rows = (queries.starts, queries.lengths, keys.starts, keys.lengths)
        out = masked_attention_anchored_op(q, k, v, *rows, queries.max_length, causal, scale)
    return out  # type: ignore[no-any-return]


def _check(q: Tensor, k: Tensor, v: Tensor, queries: Packing, keys: Packing, causal: bool) -> None:
    if q.dim() != 3 or k.shape != v.shape or q.shape[1:] != k.shape[1:]:
        raise ValueError(
            f"expected q [N_q, H, D] and k, v [N_k, H, D]; got q {list(q.shape)}, k {list(k.shape)}, v {list(v.shape)}."
        )
    if not q.dtype == k.dtype == v.dtype:
        raise ValueError(f"q, k and v must share a dtype; got {q.dtype}, {k.dtype} and {v.dtype}.")
    devices = (q.device, k.device, v.device, queries.lengths.device, keys.lengths.device)
    if len(set(devices)) > 1:
        raise ValueError("q, k, v, queries and keys must be on one device; got {}, {}, {}, {} and {}.".format(*devices))
    if q.shape[0] != queries.total or k.shape[0] != keys.total:
        raise ValueError(
            f"q has {q.shape[0]} rows and k {k.shape[0]}, but the packings hold {queries.total} and {keys.total}."
        )
    if queries.num_sentences != keys.num_sentences:
        raise ValueError(
            f"queries hold {queries.num_sentences} sentences and keys {keys.num_sentences}: they must pair up."
        )
    if causal and queries is not keys and not queries.lengths.equal(keys.lengths):
        raise ValueError("causal attention needs queries and keys of equal lengths, sentence by sentence.")
