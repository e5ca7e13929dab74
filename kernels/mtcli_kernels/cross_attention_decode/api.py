"""The public face of cross-attention at decoding: checks its inputs, then chooses an implementation."""

import torch
from torch import Tensor

from mtcli_kernels.cross_attention_decode.by_slot import as_rows
from mtcli_kernels.cross_attention_decode.padded import padded_cross_attention
from mtcli_kernels.cross_attention_decode.reference import reference_cross_attention
from mtcli_kernels.cross_attention_decode.sdpa import sdpa_cross_attention
from mtcli_kernels.decoding_layout import SourceRegions
from mtcli_kernels.dispatch import Choice, choose, constant_when_compiled, triton_obstacle

OFFERED = ("triton", "sdpa", "padded", "reference")
LARGEST_BEAM = 64  # query rows of the kernel's largest tile

_FORMS = {"sdpa": sdpa_cross_attention, "padded": padded_cross_attention, "reference": reference_cross_attention}


# torch.compile asks once, outside the graph: the rule imports and logs, which cannot be traced.
@constant_when_compiled
def choice(impl: str, device: torch.device, dtype: torch.dtype, head_dim: int, beam: int = 1) -> Choice:
    """What `cross_attention_decode` runs for such tensors and `beam` hypotheses a slot."""
    obstacle = triton_obstacle(device, dtype, head_dim)
    if obstacle is None and beam > LARGEST_BEAM:
        obstacle = f"the kernel holds up to {LARGEST_BEAM} hypotheses a slot; there are {beam}."
    return choose("cross_attention_decode", impl, OFFERED, device, {"triton": obstacle})


def cross_attention_decode(q: Tensor, k: Tensor, v: Tensor, regions: SourceRegions, *, impl: str = "auto") -> Tensor:
    """softmax(q kᵀ / √D) v, each hypothesis over its slot's source rows (Vaswani et al. 2017, equation 1).

    For inference: it has no gradient. In the forms `triton` and `reference`, a slot's result depends on its own
    rows alone, to the bit; in `padded` and `sdpa` torch's matmul may round by the width `max_length` of the batch.

    Args:
        q: [S*K, H, D] floating point; the K hypotheses of slot s are rows s*K to s*K + K - 1.
        k: cached keys of the encoder's output, dtype and device of q: packed, [N, H, D], any strides; or slot by slot,
            [S, H, L, D], which the padded form reads without a copy.
        v: the values, laid out as the keys.
        regions: which rows of k and v each of the S slots sees; its `starts` are None for keys kept slot by slot.
            There, `padded` and `sdpa` need finite numbers of ordinary size in the rows behind a slot's own up to
            `max_length`; they get weight 0. What stands behind those does not matter.
        impl: "auto" takes "padded" on a CPU and "triton" on a GPU, or "sdpa" where the kernel cannot run;
            "reference" is the definition.

    Returns:
        [S*K, H, D], dtype of q; zeros for a slot of length 0.

    Raises:
        ValueError: shapes, number types or devices that do not fit, or an unknown impl. Whether the starts and
            lengths lie within k is not looked at: on a GPU that would mean waiting.
        UnavailableError: an impl that was named and cannot run here.
    """
    _check_tensors(q, k, v)
    beam = _check_regions(q, k, regions)
    form = choice(impl, q.device, q.dtype, q.shape[2], beam).impl
    if 0 in (q.shape[0], k.shape[0], regions.max_length):
        return torch.zeros_like(q)
    if form == "triton":
        from mtcli_kernels.cross_attention_decode.op import cross_attention_decode_op

        starts, lengths = regions.starts, regions.lengths
        if starts is None:
            k, v, starts = as_rows(k, v)
        scale = q.shape[2] ** -0.5
        return cross_attention_decode_op(q, k, v, starts, lengths, regions.max_length, scale)  # type: ignore[no-any-return]
    return _FORMS[form](q, k, v, regions)


def _check_tensors(q: Tensor, k: Tensor, v: Tensor) -> None:
    fit = k.shape == v.shape and (k.shape[1:] if k.dim() == 3 else k.shape[1::2]) == q.shape[1:]
    if q.dim() != 3 or k.dim() not in (3, 4) or not fit:
        raise ValueError(
            "expected q [S*K, H, D] and k, v [N, H, D] or [S, H, L, D]; "
            f"got q {list(q.shape)}, k {list(k.shape)}, v {list(v.shape)}."
        )
    if not q.is_floating_point() or not q.dtype == k.dtype == v.dtype:
        raise ValueError(f"expected q, k, v of one floating-point type; got {q.dtype}, {k.dtype}, {v.dtype}.")
    if not q.device == k.device == v.device:
        raise ValueError(f"expected q, k, v on one device; got them on {q.device}, {k.device}, {v.device}.")


def _check_regions(q: Tensor, k: Tensor, regions: SourceRegions) -> int:
    """The number of hypotheses a slot, K."""
    num_slots, rows, starts = regions.num_slots, q.shape[0], regions.starts
    if regions.lengths.dim() != 1 or (starts is not None and starts.shape != (num_slots,)):
        found = None if starts is None else list(starts.shape)
        raise ValueError(
            f"expected the regions' starts and lengths to be [S] both; got {found} and {list(regions.lengths.shape)}."
        )
    if (starts is None) != (k.dim() == 4):
        raise ValueError("expected starts for packed keys [N, H, D], and none for keys kept slot by slot.")
    if not q.device == regions.lengths.device or (starts is not None and starts.device != q.device):
        raise ValueError(f"expected the regions on {q.device}, where q is; got them on {regions.lengths.device}.")
    if (rows % num_slots or not rows) if num_slots else rows:
        raise ValueError(f"expected as many hypotheses in each of {num_slots} slots; q has {rows} rows.")
    if starts is None and (k.shape[0] != num_slots or regions.max_length > k.shape[2]):
        raise ValueError(
            f"{num_slots} slots, the longest of {regions.max_length} rows, do not fit into keys {list(k.shape)}."
        )
    return rows // num_slots if num_slots else 1
