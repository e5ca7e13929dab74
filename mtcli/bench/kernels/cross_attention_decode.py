"""Encoder-decoder attention of one decoding step: every hypothesis of a slot reads its sentence's keys and values.

They are kept slot by slot, with room for the longest source, as decoding keeps them. PyTorch's attention for packed
sentences gets them token by token, as it wants them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial

import torch
from torch import Tensor

from mtcli.bench.kernels import pytorch
from mtcli.bench.kernels.decoding_step import step_dtype, step_shapes
from mtcli.bench.kernels.forms import OperationCase, Outputs, Variant, exactly, lineup_on, own_forms, random_normal
from mtcli.bench.roofline import formulas
from mtcli.bench.settings import BenchSettings
from mtcli.bench.workload.shapes import Heads, region_lengths
from mtcli_kernels.cross_attention_decode import cross_attention_decode
from mtcli_kernels.decoding_layout import SourceRegions

LONGEST, TOY_LONGEST = (32, 128, 512), 20  # sources


@dataclass(eq=False)
class CrossAttentionInputs:
    q: Tensor  # [S*K, H, D]
    k: Tensor  # [S, H, L, D]; of each slot's L rows, `regions.lengths` are filled
    v: Tensor
    regions: SourceRegions
    seen: Tensor  # [S, 1, 1, L] bool
    starts: tuple[Tensor, Tensor]  # [S + 1] int32, of queries and of keys, for varlen_attn

    @cached_property
    def by_token(self) -> tuple[Tensor, Tensor]:
        """[S*L, H, D], keys and values."""
        k, v = (rows.transpose(1, 2).flatten(0, 1) for rows in (self.k, self.v))
        return k, v


def cases(settings: BenchSettings) -> Iterator[OperationCase]:
    """Slots whose sources fill their rooms at least by half."""
    device, dtype = settings.torch_device, step_dtype(settings)
    for heads, beam, longest, slots in step_shapes(settings, LONGEST, TOY_LONGEST):
        lengths = region_lengths(slots, longest, settings.seed)
        yield OperationCase(
            name=f"{heads.model}, slots {slots}, beam {beam}, sources up to {longest}",
            dtype=dtype,
            cost=formulas.cross_attention_decode(lengths, beam, heads.heads, heads.head_dim, dtype.itemsize),
            make=partial(_make, heads, lengths, beam, dtype, device),
            exact=partial(exactly, _mtcli, ("q", "k", "v")),
            variants=tuple(_variants(device)),
            lineup=lineup_on(device),
            in_graph=True,
        )


def _make(
    heads: Heads, lengths: list[int], beam: int, dtype: torch.dtype, device: str, seed: int
) -> CrossAttentionInputs:
    slots, longest = len(lengths), max(lengths)
    random = random_normal(device, dtype, seed)
    filled = torch.tensor(lengths, dtype=torch.int32, device=device)
    begins = torch.arange(slots + 1, dtype=torch.int32, device=device)
    seen = torch.arange(longest, device=device) < filled[:, None]
    q = random(slots * beam, heads.heads, heads.head_dim)
    k, v = (random(slots, heads.heads, longest, heads.head_dim) for _ in range(2))
    regions = SourceRegions(None, filled, longest)
    return CrossAttentionInputs(q, k, v, regions, seen[:, None, None, :], (begins * beam, begins * longest))


def _variants(device: str) -> Iterator[Variant]:
    yield from own_forms(device, _mtcli)
    yield from pytorch.sdpa_variants(device, _sdpa)
    if varlen_attn := pytorch.varlen_attn_on(device):
        yield Variant(name="varlen_attn", run=partial(_varlen, varlen_attn))


def _mtcli(inputs: CrossAttentionInputs, impl: str) -> Outputs:
    return (cross_attention_decode(inputs.q, inputs.k, inputs.v, inputs.regions, impl=impl),)


def _sdpa(inputs: CrossAttentionInputs) -> Tensor:
    q = inputs.q.unflatten(0, (inputs.regions.num_slots, -1)).transpose(1, 2)  # [S, H, K, D]
    return pytorch.attend(q, inputs.k, inputs.v, inputs.seen)


def _varlen(varlen_attn: pytorch.Attention, inputs: CrossAttentionInputs) -> Outputs:
    beam = inputs.q.shape[0] // inputs.regions.num_slots
    longest = (beam, inputs.regions.max_length)
    out = varlen_attn(inputs.q, *inputs.by_token, *inputs.starts, *longest, seqused_k=inputs.regions.lengths)
    return (out,)
