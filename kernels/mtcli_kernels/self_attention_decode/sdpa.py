"""Self-attention at decoding through torch's own attention, for GPUs that the kernel is not made for."""

from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from mtcli_kernels.decoding_layout import BeamPlaces
from mtcli_kernels.self_attention_decode.entries import append, blank_empty_slots, blank_unwritten


def sdpa_self_attention(
    q: Tensor, k: Tensor, v: Tensor, k_cache: Tensor, v_cache: Tensor, places: BeamPlaces
) -> Tensor:
    """Same arguments and result as `self_attention_decode`; needs a row of q at least."""
    append(k, k_cache, places)
    append(v, v_cache, places)
    # What was never written may hold NaN, which no mask keeps out of the sums
    keys, values = (blank_unwritten(cache[:, :, : places.num_entries], places) for cache in (k_cache, v_cache))
    queries = q.unflatten(0, (-1, places.beam)).transpose(1, 2)  # [S, H, K, D]
    out = scaled_dot_product_attention(queries, keys, values, attn_mask=places.bias(q.dtype)[:, None])
    return blank_empty_slots(out, places).transpose(1, 2).reshape(q.shape)
