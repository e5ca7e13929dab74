"""The public face of self-attention at decoding: checks its inputs, then chooses an implementation."""

import torch
from torch import Tensor

from mtcli_kernels.decoding_layout import BeamPlaces
from mtcli_kernels.dispatch import Choice, choose, constant_when_compiled, triton_obstacle
from mtcli_kernels.self_attention_decode.padded import padded_self_attention
from mtcli_kernels.self_attention_decode.reference import reference_self_attention
from mtcli_kernels.self_attention_decode.sdpa import sdpa_self_attention

OFFERED = ("triton", "sdpa", "padded", "reference")
LARGEST_BEAM = 64  # query rows of the kernel's largest tile

_FORMS = {"sdpa": sdpa_self_attention, "padded": padded_self_attention, "reference": reference_self_attention}


# torch.compile asks once, outside the graph: the rule imports and logs, which cannot be traced.
@constant_when_compiled
def choice(impl: str, device: torch.device, dtype: torch.dtype, head_dim: int, beam: int = 1) -> Choice:
    """What `self_attention_decode` runs for such tensors and `beam` hypotheses a slot."""
    obstacle = triton_obstacle(device, dtype, head_dim)
    if obstacle is None and beam > LARGEST_BEAM:
        obstacle = f"the kernel holds up to {LARGEST_BEAM} hypotheses a slot; there are {beam}."
    return choose("self_attention_decode", impl, OFFERED, device, {"triton": obstacle})


def self_attention_decode(
    q: Tensor, k: Tensor, v: Tensor, k_cache: Tensor, v_cache: Tensor, places: BeamPlaces, *, impl: str = "auto"
) -> Tensor:
    """Append this step's keys and values to the caches, then softmax(q kᵀ / √D) v over each hypothesis's own past.

    Hypothesis k of slot s writes entry t * K + k, where t is the slot's position, and sees the entries
    t' * K + ancestry[s, k, t'] of every earlier step t', and its new one (Vaswani et al. 2017, section 3.2.3).

    For inference: it has no gradient. In the forms `triton` and `reference`, a slot's result depends on its own
    entries alone, to the bit; in `padded` and `sdpa` torch's matmul may round by `places.num_entries` of the batch.

    Args:
        q: [S*K, H, D] floating point; the K hypotheses of slot s are rows s*K to s*K + K - 1.
        k, v: [S*K, H, D], the new keys and values, dtype and device of q.
        k_cache, v_cache: [S, H, T*K, D], WRITTEN TO; adjacent in their last axis, in full contiguous for speed on a
            CPU. What is in entries that were never written matters to no result, but `padded` needs finite numbers
            of ordinary size in the first entry of an empty slot: let caches start as zeros.
        places: where each slot stands, and which entries belong to whom.
        impl: "auto" takes "padded" on a CPU and "triton" on a GPU, or "sdpa" where the kernel cannot run;
            "reference" is the definition.

    Returns:
        [S*K, H, D], dtype of q; zeros for an empty slot, whose entries stay as they are.

    Raises:
        ValueError: shapes, number types or devices that do not fit, or an unknown impl. Whether the positions stay
            within `places.longest` is not looked at: on a GPU that would mean waiting.
        UnavailableError: an impl that was named and cannot run here.
    """
    _check_tensors(q, k, v, k_cache, v_cache)
    _check_places(q, k_cache, places)
    form = choice(impl, q.device, q.dtype, q.shape[2], places.beam).impl
    if form == "triton":
        from mtcli_kernels.self_attention_decode.op import self_attention_decode_op

        scale = q.shape[2] ** -0.5
        return self_attention_decode_op(  # type: ignore[no-any-return]
            q, k, v, k_cache, v_cache, places.ancestry, places.positions, scale
        )
    if not q.shape[0]:
        return torch.zeros_like(q)
    return _FORMS[form](q, k, v, k_cache, v_cache, places)


def _check_tensors(q: Tensor, k: Tensor, v: Tensor, k_cache: Tensor, v_cache: Tensor) -> None:
    if q.dim() != 3 or not q.shape == k.shape == v.shape:
        raise ValueError(
            f"expected q, k, v of one shape [S*K, H, D]; got {list(q.shape)}, {list(k.shape)}, {list(v.shape)}."
        )
    if k_cache.dim() != 4 or k_cache.shape != v_cache.shape or k_cache.shape[1::2] != q.shape[1:]:
        raise ValueError(
            f"expected k_cache and v_cache [S, H, T*K, D] for q {list(q.shape)}; "
            f"got {list(k_cache.shape)} and {list(v_cache.shape)}."
        )
    if not q.is_floating_point() or not q.dtype == k.dtype == v.dtype == k_cache.dtype == v_cache.dtype:
        dtypes = ", ".join(str(x.dtype) for x in (q, k, v, k_cache, v_cache))
        raise ValueError(f"expected q, k, v and the caches of one floating-point type; got {dtypes}.")
    if not q.device == k.device == v.device == k_cache.device == v_cache.device:
        devices = ", ".join(str(x.device) for x in (q, k, v, k_cache, v_cache))
        raise ValueError(f"expected q, k, v and the caches on one device; got them on {devices}.")
    if q.shape[2] > 1 and not k_cache.stride(3) == v_cache.stride(3) == 1:
        raise ValueError(
            "expected caches whose last axis is adjacent in memory; "
            f"got strides {k_cache.stride(3)} and {v_cache.stride(3)} there."
        )


def _check_places(q: Tensor, k_cache: Tensor, places: BeamPlaces) -> None:
    num_slots, beam = k_cache.shape[0], places.beam
    if places.ancestry.shape[0] != num_slots or places.positions.shape != (num_slots,):
        raise ValueError(
            f"expected ancestry [S, K, T] and positions [S] for the caches' {num_slots} slots; "
            f"got {list(places.ancestry.shape)} and {list(places.positions.shape)}."
        )
    if q.shape[0] != num_slots * beam:
        raise ValueError(f"q has {q.shape[0]} rows; expected {num_slots} slots of {beam} hypotheses.")
    if not q.device == places.ancestry.device == places.positions.device:
        raise ValueError(f"expected the places on {q.device}, where q is; got them on {places.positions.device}.")
    steps = places.longest + 1
    if places.num_entries > k_cache.shape[2] or steps > places.ancestry.shape[2]:
        raise ValueError(
            f"step {places.longest} of {beam} hypotheses needs {places.num_entries} entries and {steps} steps; "
            f"the caches have {k_cache.shape[2]} entries and the ancestry {places.ancestry.shape[2]} steps."
        )
