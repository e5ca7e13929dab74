"""Masked attention in training: packed sentences against everything PyTorch offers for the same batch.

mtcli's models keep their tokens packed, and every form of mtcli's gets them so; those that pad do it inside, with
their masks, forward and backward. SDPA gets tensors that are padded already, with its mask, as a model that pads
everywhere would have them: the rest of such a model computes on the padding, which is not counted here. On a CPU it
also runs on packed tensors, padding inside as mtcli's own form does. `varlen_attn` gets the packed tensors.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor

from mtcli.bench.kernels import forms, pytorch
from mtcli.bench.kernels.forms import OperationCase, Outputs, Variant
from mtcli.bench.roofline import formulas
from mtcli.bench.settings import BenchSettings
from mtcli.bench.workload.shapes import BASE, BIG, TOY, WIDE, Heads, bucketed_lengths, news_lengths, translated_lengths
from mtcli_kernels.masked_attention import masked_attention
from mtcli_kernels.packing import Packing

PACKED = "gets packed tokens"
PADS_INSIDE = f"{PACKED}: pads them, makes the mask and packs the results inside"
NOTES = {
    "triton": PACKED,
    "padded": PADS_INSIDE,
    "auto": PADS_INSIDE,
    "reference": f"{PACKED}: one sentence after another",
}
# Heads with the spread of their sentences' lengths, the most wanted first; tokens of a batch, and number type.
PLANS = {
    "gpu": (((BASE, "news"), (BIG, "news"), (BASE, "bucketed"), (WIDE, "news")), 25_000, torch.bfloat16),
    "cpu": (((BASE, "bucketed"), (BASE, "news")), 1000, torch.float32),
    "toy": (((TOY, "news"),), 60, torch.float16),
}


@dataclass(kw_only=True)
class MaskedAttentionInputs:
    """A batch, packed and padded; its tensors are leaves where gradients are wanted."""

    packed: tuple[Tensor, Tensor, Tensor]  # q, k, v, [N, H, D]
    grad: Tensor  # of the output, packed
    queries: Packing
    keys: Packing
    causal: bool

    @cached_property
    def padded(self) -> tuple[Tensor, Tensor, Tensor]:
        """[B, H, L, D], transposed views of [B, L, H, D]."""
        packings = (self.queries, self.keys, self.keys)
        padded = (packing.pad(x.detach()).transpose(1, 2) for x, packing in zip(self.packed, packings, strict=True))
        q, k, v = (x.requires_grad_(self.packed[0].requires_grad) for x in padded)
        return q, k, v

    @cached_property
    def grad_padded(self) -> Tensor:
        return self.queries.pad(self.grad).transpose(1, 2)

    @cached_property
    def mask(self) -> Tensor | None:
        """[B, 1, 1, S], true where there is a token; None for causal, which hides the padding anyway."""
        return None if self.causal or self.keys.is_uniform else self.keys.valid[:, None, None, :]

    @cached_property
    def starts(self) -> tuple[Tensor, ...]:
        """[B + 1] int32, of queries and keys, for varlen_attn."""
        lengths = (self.queries.lengths, self.keys.lengths)
        return tuple(F.pad(one.cumsum(0), (1, 0)).to(torch.int32) for one in lengths)


def cases(settings: BenchSettings) -> Iterator[OperationCase]:
    """The shapes that matter most come first."""
    all_heads, tokens, dtype = PLANS[forms.case_size(settings)]
    device = settings.torch_device
    for (heads, spread), kind, training in product(all_heads, ("encoder", "causal", "cross"), (False, True)):
        lengths = (news_lengths if spread == "news" else bucketed_lengths)(tokens, settings.seed)
        keys = translated_lengths(lengths, settings.seed + 1) if kind == "cross" else lengths
        causal = kind == "causal"
        sizes = (causal, heads.heads, heads.head_dim, dtype.itemsize)
        yield OperationCase(
            name=f"{kind}, {heads.model}, {spread} lengths",
            training=training,
            dtype=dtype,
            cost=formulas.attention(lengths, keys, *sizes, training=training),
            make=partial(_make, heads, lengths, keys, causal, dtype, device, training),
            exact=_exact,
            variants=(*forms.own_forms(device, _mtcli, NOTES), *_others(device)),
            lineup=forms.lineup_on(device),
        )


def _make(
    heads: Heads,
    lengths: Sequence[int],
    key_lengths: Sequence[int],
    causal: bool,
    dtype: torch.dtype,
    device: str,
    training: bool,
    seed: int,
) -> MaskedAttentionInputs:
    random = forms.random_normal(device, dtype, seed)
    queries = Packing.of(lengths, device)
    keys = queries if key_lengths is lengths else Packing.of(key_lengths, device)
    q, k, v = (random(one.total, heads.heads, heads.head_dim).requires_grad_(training) for one in (queries, keys, keys))
    grad = random(queries.total, heads.heads, heads.head_dim)
    return MaskedAttentionInputs(packed=(q, k, v), grad=grad, queries=queries, keys=keys, causal=causal)


def _exact(inputs: MaskedAttentionInputs) -> Outputs:
    impl, dtype = forms.exact_form(inputs.grad.device)
    q, k, v = (x.detach().to(dtype).requires_grad_(x.requires_grad) for x in inputs.packed)
    return _mtcli(replace(inputs, packed=(q, k, v), grad=inputs.grad.to(dtype)), impl)


def _mtcli(inputs: MaskedAttentionInputs, impl: str) -> Outputs:
    out = masked_attention(*inputs.packed, inputs.queries, inputs.keys, causal=inputs.causal, impl=impl)
    return forms.with_gradients(out, inputs.packed, inputs.grad)


def _others(device: str) -> Iterator[Variant]:
    if torch.device(device).type == "cpu":
        yield Variant(name="sdpa, on packed tokens", run=partial(_mtcli, impl="sdpa"), note=PADS_INSIDE)
    if varlen_attn := pytorch.varlen_attn_on(device):
        yield Variant(name="varlen_attn", run=partial(_varlen, varlen_attn), note=PACKED)
    for backend in pytorch.backends_on(device):
        yield Variant(
            name=f"sdpa {backend}",
            run=_sdpa,
            outputs=_unpadded,
            within=pytorch.only(backend),
            note="gets tensors padded beforehand, and its mask",
            prepared=True,
        )


def _varlen(varlen_attn: pytorch.Attention, inputs: MaskedAttentionInputs) -> Outputs:
    longest = (inputs.queries.max_length, inputs.keys.max_length)
    window = (-1, 0) if inputs.causal else (-1, -1)
    out = varlen_attn(*inputs.packed, *inputs.starts, *longest, window_size=window)
    return forms.with_gradients(out, inputs.packed, inputs.grad)


def _sdpa(inputs: MaskedAttentionInputs) -> Outputs:
    out = pytorch.attend(*inputs.padded, inputs.mask, inputs.causal)
    return forms.with_gradients(out, inputs.padded, inputs.grad_padded)


def _unpadded(inputs: MaskedAttentionInputs, returned: Outputs) -> Outputs:
    packings = (inputs.queries, inputs.queries, inputs.keys, inputs.keys)  # of the output and of the gradients
    return tuple(packing.unpad(x.transpose(1, 2)) for x, packing in zip(returned, packings, strict=False))
