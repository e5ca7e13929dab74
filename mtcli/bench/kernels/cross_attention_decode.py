"""Encoder-decoder attention of one decoding step: every hypothesis of a slot reads its sentence's keys and values.

They are kept slot by slot, with room for the longest source, as decoding keeps them. PyTorch's attention for packed
sentences gets them token by token, as it wants them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor

from mtcli.bench.kernels import sdpa
from mtcli.bench.kernels.comparison import Case, Contestant
from mtcli.bench.kernels.decoding_plan import DTYPES, decoding_plan
from mtcli.bench.kernels.forms import Lineup, Setting, Size, exact_form, lineup_on
from mtcli.bench.kernels.varlen import varlen_attn_on
from mtcli.bench.roofline import formulas
from mtcli.bench.workload.shapes import Heads, region_lengths
from mtcli_kernels.cross_attention_decode import cross_attention_decode
from mtcli_kernels.decoding_layout import SourceRegions

LONGEST, TOY_LONGEST = (32, 128, 512), 20  # sources


@dataclass(eq=False)
class Inputs:
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


def cases(setting: Setting) -> Iterator[Case]:
    size = Size.of(setting)
    for heads, beam, longest, slots in decoding_plan(size, LONGEST, TOY_LONGEST):
        yield _case(heads, region_lengths(slots, longest, setting.seed), beam, DTYPES[size], setting.torch_device)


def _case(heads: Heads, lengths: list[int], beam: int, dtype: torch.dtype, device: str) -> Case:
    slots, longest, lineup = len(lengths), max(lengths), lineup_on(device)
    return Case(
        name=f"{heads.model}, slots {slots}, beam {beam}, sources up to {longest}",
        direction="forward",
        shape={
            "model": heads.model,
            "heads": heads.heads,
            "head_dim": heads.head_dim,
            "slots": slots,
            "beam": beam,
            "longest": longest,
            "source_tokens": sum(lengths),
        },
        dtype=dtype,
        cost=formulas.cross_attention_decode(lengths, beam, heads.heads, heads.head_dim, dtype.itemsize),
        make=partial(_make, heads, lengths, beam, longest, dtype, device),
        exact=_exact,
        contestants=tuple(_contestants(lineup, device)),
        lineup=lineup,
        in_graph=True,
    )


def _make(
    heads: Heads, lengths: list[int], beam: int, longest: int, dtype: torch.dtype, device: str, seed: int
) -> Inputs:
    generator = torch.Generator(device).manual_seed(seed)
    slots = len(lengths)

    def random(*shape: int) -> Tensor:
        return torch.randn(*shape, heads.head_dim, generator=generator, device=device).to(dtype)

    filled = torch.tensor(lengths, dtype=torch.int32, device=device)
    begins = torch.arange(slots + 1, dtype=torch.int32, device=device)
    seen = torch.arange(longest, device=device) < filled[:, None]
    q = random(slots * beam, heads.heads)
    k, v = (random(slots, heads.heads, longest) for _ in range(2))
    regions = SourceRegions(None, filled, longest)
    return Inputs(q, k, v, regions, seen[:, None, None, :], (begins * beam, begins * longest))


def _exact(inputs: Inputs) -> tuple[Tensor, ...]:
    impl, dtype = exact_form(inputs.q.device)
    q, k, v = inputs.q.to(dtype), inputs.k.to(dtype), inputs.v.to(dtype)
    return (cross_attention_decode(q, k, v, inputs.regions, impl=impl),)


def _contestants(lineup: Lineup, device: str) -> Iterator[Contestant]:
    for impl in lineup.forms:
        yield Contestant(name=impl, run=partial(_mtcli, impl=impl))
    for backend in sdpa.backends_on(device):
        yield Contestant(name=f"sdpa {backend}", run=_sdpa, outputs=_by_row, within=sdpa.only(backend))
    if varlen_attn := varlen_attn_on(device):
        yield Contestant(name="varlen_attn", run=partial(_varlen, varlen_attn))


def _mtcli(inputs: Inputs, impl: str) -> tuple[Tensor, ...]:
    return (cross_attention_decode(inputs.q, inputs.k, inputs.v, inputs.regions, impl=impl),)


def _sdpa(inputs: Inputs) -> Tensor:
    q = inputs.q.unflatten(0, (inputs.regions.num_slots, -1)).transpose(1, 2)  # [S, H, K, D]
    return sdpa.attend(q, inputs.k, inputs.v, inputs.seen)


def _by_row(inputs: Inputs, out: Tensor) -> tuple[Tensor, ...]:
    return (out.transpose(1, 2).flatten(0, 1),)


def _varlen(varlen_attn: Callable[..., Any], inputs: Inputs) -> tuple[Tensor, ...]:
    beam = inputs.q.shape[0] // inputs.regions.num_slots
    longest = (beam, inputs.regions.max_length)
    out = varlen_attn(inputs.q, *inputs.by_token, *inputs.starts, *longest, seqused_k=inputs.regions.lengths)
    return (out,)
