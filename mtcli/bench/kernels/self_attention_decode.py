"""The decoder's self-attention in one decoding step: append a key and a value, attend to the own past.

PyTorch gets the same cache with a mask, and besides what other tools do: a cache for each hypothesis, copied from
its parent's at every step.
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
from mtcli.bench.workload.shapes import Heads
from mtcli_kernels.decoding_layout import BeamPlaces
from mtcli_kernels.self_attention_decode import self_attention_decode

POSITIONS, TOY_POSITION = (16, 64, 128), 5


@dataclass(eq=False)
class SelfAttentionInputs:
    q: Tensor  # [S*K, H, D]
    k: Tensor
    v: Tensor
    k_cache: Tensor  # [S, H, T*K, D]; its entries of this step are written by every call, always alike
    v_cache: Tensor
    places: BeamPlaces
    seen: Tensor  # [S, 1, K, T*K] bool

    def by_slot(self, rows: Tensor) -> Tensor:
        """[S*K, H, D] -> [S, H, K, D], a view."""
        by_slot: Tensor = rows.unflatten(0, (-1, self.places.beam))
        return by_slot.transpose(1, 2)

    @cached_property
    def parents(self) -> Tensor:
        """[S*K]: the row whose cache each hypothesis copies; another one's, in turn, within the slot."""
        rows = torch.arange(self.q.shape[0], device=self.q.device).view(-1, self.places.beam)
        return rows.roll(1, dims=1).flatten()

    @cached_property
    def own_caches(self) -> tuple[Tensor, Tensor]:
        """[S*K, H, T, D], keys and values, such that the parents' hold each hypothesis's own past."""
        steps = torch.arange(self.places.longest + 1, device=self.q.device)
        entries = steps * self.places.beam + self.places.ancestry[:, :, : self.places.longest + 1]  # [S, K, T]
        return self._own(self.k_cache, entries), self._own(self.v_cache, entries)

    def _own(self, cache: Tensor, entries: Tensor) -> Tensor:
        slots, heads, _, head_dim = cache.shape
        index = entries.flatten(1)[:, None, :, None].expand(slots, heads, -1, head_dim).long()
        own: Tensor = cache.gather(2, index).unflatten(2, entries.shape[1:])  # [S, H, K, T, D]
        return own.transpose(1, 2).flatten(0, 1)[self.parents.argsort()].contiguous()


def cases(settings: BenchSettings) -> Iterator[OperationCase]:
    """Slots in the middle of their searches, all at one position."""
    device, dtype = settings.torch_device, step_dtype(settings)
    for heads, beam, position, slots in step_shapes(settings, POSITIONS, TOY_POSITION):
        ancestry = random_ancestry(slots, beam, position, settings.seed)
        owned, width = owned_entries(ancestry), dtype.itemsize
        yield OperationCase(
            name=f"{heads.model}, slots {slots}, beam {beam}, position {position}",
            dtype=dtype,
            cost=formulas.self_attention_decode(owned, [position] * slots, beam, heads.heads, heads.head_dim, width),
            make=partial(_make, heads, ancestry, dtype, device),
            exact=partial(exactly, _mtcli, ("q", "k", "v", "k_cache", "v_cache")),
            variants=tuple(_variants(device)),
            lineup=lineup_on(device),
            in_graph=True,
        )


def random_ancestry(slots: int, beam: int, position: int, seed: int) -> Tensor:
    """[S, K, position + 1] int32 of a search whose every hypothesis continues a random one."""
    generator = torch.Generator().manual_seed(seed)
    ancestry = torch.zeros(slots, beam, position + 1, dtype=torch.int32)
    for step in range(position + 1):
        parents = torch.randint(beam, (slots, beam, 1), generator=generator)
        past = ancestry[:, :, :step]
        past.copy_(past.gather(1, parents.expand_as(past)))
        ancestry[:, :, step] = torch.arange(beam)
    return ancestry


def owned_entries(ancestry: Tensor) -> int:
    """Cache entries of the steps before the last that at least one hypothesis owns, over all slots."""
    places = torch.arange(ancestry.shape[1])
    return int((ancestry[:, :, :-1, None] == places).any(dim=1).sum())


def _make(heads: Heads, ancestry: Tensor, dtype: torch.dtype, device: str, seed: int) -> SelfAttentionInputs:
    slots, beam, steps = ancestry.shape
    random = random_normal(device, dtype, seed)
    positions = torch.full((slots,), steps - 1, dtype=torch.int32, device=device)
    places = BeamPlaces(ancestry.to(device), positions, steps - 1)
    own = places.ancestry[:, :, :, None] == torch.arange(beam, device=device)  # [S, K, T, K]
    q, k, v = (random(slots * beam, heads.heads, heads.head_dim) for _ in range(3))
    k_cache, v_cache = (random(slots, heads.heads, steps * beam, heads.head_dim) for _ in range(2))
    return SelfAttentionInputs(q, k, v, k_cache, v_cache, places, own.flatten(2)[:, None])


def _variants(device: str) -> Iterator[Variant]:
    yield from own_forms(device, _mtcli)
    yield from pytorch.sdpa_variants(device, _sdpa, "over all entries of a slot, masked; all slots at one position")
    yield Variant(
        name="sdpa, copied caches",
        run=_sdpa_on_copies,
        outputs=lambda inputs, out: (out[:, :, 0],),
        note="copies each hypothesis's cache from its parent's",
    )


def _mtcli(inputs: SelfAttentionInputs, impl: str) -> Outputs:
    x = inputs
    return (self_attention_decode(x.q, x.k, x.v, x.k_cache, x.v_cache, x.places, impl=impl),)


def _sdpa(inputs: SelfAttentionInputs) -> Tensor:
    beam, step = inputs.places.beam, inputs.places.longest
    for rows, cache in ((inputs.k, inputs.k_cache), (inputs.v, inputs.v_cache)):
        cache[:, :, step * beam : (step + 1) * beam] = inputs.by_slot(rows)
    return pytorch.attend(inputs.by_slot(inputs.q), inputs.k_cache, inputs.v_cache, inputs.seen)


def _sdpa_on_copies(inputs: SelfAttentionInputs) -> Tensor:
    k_cache, v_cache = (cache.index_select(0, inputs.parents) for cache in inputs.own_caches)
    for rows, cache in ((inputs.k, k_cache), (inputs.v, v_cache)):
        cache[:, :, inputs.places.longest] = rows
    return pytorch.attend(inputs.q[:, :, None], k_cache, v_cache, None)
