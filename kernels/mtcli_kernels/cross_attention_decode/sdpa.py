"""Cross-attention at decoding through torch's own attention, for GPUs that the kernel is not made for."""

from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from mtcli_kernels.cross_attention_decode.by_slot import blank_empty_slots, rows_by_slot
from mtcli_kernels.decoding_layout import SourceRegions


def sdpa_cross_attention(q: Tensor, k: Tensor, v: Tensor, regions: SourceRegions) -> Tensor:
    """Same arguments and result as `cross_attention_decode`; needs a row of q and a source row at least."""
    queries = q.unflatten(0, (regions.num_slots, -1)).transpose(1, 2)  # [S, H, K, D]
    keys, values = (rows_by_slot(rows, regions) for rows in (k, v))  # [S, H, L, D]
    bias = regions.bias(q.dtype)[:, None, None]  # [S, 1, 1, L]
    out = scaled_dot_product_attention(queries, keys, values, attn_mask=bias)
    return blank_empty_slots(out, regions).transpose(1, 2).reshape(q.shape)
