"""The public face of masked attention: checks its inputs, then chooses an implementation."""

from torch import Tensor

from mtcli_kernels.masked_attention.padded import padded_attention
from mtcli_kernels.masked_attention.reference import reference_attention
from mtcli_kernels.packing import Packing

IMPLEMENTATIONS = ("auto", "padded", "reference")


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
        v: [N_k, H, D], packed values.
        queries: where each sentence's queries lie.
        keys: where each sentence's keys lie; sentence i's queries see sentence i's keys alone.
        causal: query t sees keys 0..t only (decoder self-attention; needs queries and keys of equal lengths).
        dropout: probability with which an attention weight is zeroed; the others are scaled up.
        impl: "auto" takes "padded"; "reference" is the definition, sentence by sentence.

    Returns:
        [N_q, H, D], dtype of q; zeros for the queries of a sentence without keys.

    Raises:
        ValueError: shapes that do not fit each other, or an unknown impl.
    """
    _check(q, k, v, queries, keys, causal)
    if impl not in IMPLEMENTATIONS:
        raise ValueError(f"impl = {impl!r} is not one of {', '.join(IMPLEMENTATIONS)}.")
    attend = reference_attention if impl == "reference" else padded_attention
    return attend(q, k, v, queries, keys, causal=causal, dropout=dropout)


def _check(q: Tensor, k: Tensor, v: Tensor, queries: Packing, keys: Packing, causal: bool) -> None:
    if q.dim() != 3 or k.shape != v.shape or q.shape[1:] != k.shape[1:]:
        raise ValueError(
            f"expected q [N_q, H, D] and k, v [N_k, H, D]; got q {list(q.shape)}, k {list(k.shape)}, v {list(v.shape)}."
        )
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
