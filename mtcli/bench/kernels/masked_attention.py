"""Masked attention in training: packed sentences against everything PyTorch offers for the same batch.

mtcli's models keep their tokens packed, and every form of mtcli's gets them so; those that pad do it inside, with
their masks, forward and backward. SDPA gets tensors that are padded already, with its mask, as a model that pads
everywhere would have them: the rest of such a model computes on the padding, which is not counted here. On a CPU it
also runs on packed tensors, padding inside as mtcli's own form does. `varlen_attn` gets the packed tensors.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mtcli.bench.kernels import pytorch
from mtcli.bench.kernels.forms import CaseSize, OperationCase, Variant, exact_form, lineup_on
from mtcli.bench.roofline import formulas
from mtcli.bench.settings import BenchSettings
from mtcli.bench.workload.shapes import BASE, BIG, TOY, WIDE, Heads, bucketed_lengths, news_lengths, translated_lengths
from mtcli_kernels.masked_attention import masked_attention
from mtcli_kernels.packing import Packing

PADS_INSIDE = "gets packed tokens: pads them, makes the mask and packs the results inside"
NOTES = {
    "triton": "gets packed tokens",
    "padded": PADS_INSIDE,
    "auto": PADS_INSIDE,
    "reference": "gets packed tokens: one sentence after another",
}
# Heads with the spread of their sentences' lengths, the most wanted first; tokens of a batch, and number type.
PLANS = {
    CaseSize.GPU: (((BASE, "news"), (BIG, "news"), (BASE, "bucketed"), (WIDE, "news")), 25_000, torch.bfloat16),
    CaseSize.CPU: (((BASE, "bucketed"), (BASE, "news")), 1000, torch.float32),
    CaseSize.TOY: (((TOY, "news"),), 60, torch.float16),
}


@dataclass
class MaskedAttentionInputs:
    """A batch, packed and padded; made leaves where gradients are wanted."""

    packed: tuple[Tensor, Tensor, Tensor]  # [N, H, D]
    padded: tuple[Tensor, Tensor, Tensor]  # [B, H, L, D], transposed views of [B, L, H, D]
    grad: Tensor  # of the output, packed
    grad_padded: Tensor
    queries: Packing
    keys: Packing
    mask: Tensor | None  # [B, 1, 1, S], true where there is a token; None for causal, which hides the padding anyway
    starts: tuple[Tensor, Tensor]  # [B + 1] int32, of queries and keys, for varlen_attn
    causal: bool


@dataclass(frozen=True)
class _Shape:
    heads: Heads
    kind: str
    spread: str
    queries: tuple[int, ...]
    keys: tuple[int, ...]
    dtype: torch.dtype
    device: str
    training: bool

    @property
    def causal(self) -> bool:
        return self.kind == "causal"


def cases(settings: BenchSettings) -> Iterator[OperationCase]:
    """The shapes that matter most come first."""
    all_heads, tokens, dtype = PLANS[CaseSize.of(settings)]
    for (heads, spread), kind, training in product(all_heads, ("encoder", "causal", "cross"), (False, True)):
        lengths = (news_lengths if spread == "news" else bucketed_lengths)(tokens, settings.seed)
        keys = translated_lengths(lengths, settings.seed + 1) if kind == "cross" else lengths
        shape = _Shape(heads, kind, spread, tuple(lengths), tuple(keys), dtype, settings.torch_device, training)
        yield _case(shape)


def _case(shape: _Shape) -> OperationCase:
    heads = shape.heads
    formula = formulas.attention_training if shape.training else formulas.attention_forward
    return OperationCase(
        name=f"{shape.kind}, {heads.model}, {shape.spread} lengths",
        direction="forward and backward" if shape.training else "forward",
        dtype=shape.dtype,
        cost=formula(shape.queries, shape.keys, shape.causal, heads.heads, heads.head_dim, shape.dtype.itemsize),
        make=partial(_make, shape),
        exact=partial(_exact, training=shape.training),
        variants=tuple(_variants(shape)),
        lineup=lineup_on(shape.device),
    )


def _make(shape: _Shape, seed: int) -> MaskedAttentionInputs:
    generator = torch.Generator(shape.device).manual_seed(seed)
    queries = Packing.of(shape.queries, shape.device)
    keys = Packing.of(shape.keys, shape.device) if shape.kind == "cross" else queries

    def random(packing: Packing) -> Tensor:
        size = (packing.total, shape.heads.heads, shape.heads.head_dim)
        return torch.randn(size, generator=generator, device=shape.device).to(shape.dtype)

    q, k, v, grad = random(queries), random(keys), random(keys), random(queries)
    padded = (_padded(q, queries), _padded(k, keys), _padded(v, keys))
    if shape.training:
        for leaf in (q, k, v, *padded):
            leaf.requires_grad_()
    return MaskedAttentionInputs(
        packed=(q, k, v),
        padded=padded,
        grad=grad,
        grad_padded=_padded(grad, queries),
        queries=queries,
        keys=keys,
        mask=None if shape.causal or keys.is_uniform else keys.valid[:, None, None, :],
        starts=(_starts(queries), _starts(keys)),
        causal=shape.causal,
    )


def _padded(rows: Tensor, packing: Packing) -> Tensor:
    return packing.pad(rows).transpose(1, 2)


def _starts(packing: Packing) -> Tensor:
    return F.pad(packing.lengths.cumsum(0), (1, 0)).to(torch.int32)


def _exact(inputs: MaskedAttentionInputs, training: bool) -> tuple[Tensor, ...]:
    impl, dtype = exact_form(inputs.grad.device)
    q, k, v = (x.detach().to(dtype).requires_grad_(training) for x in inputs.packed)
    out = masked_attention(q, k, v, inputs.queries, inputs.keys, causal=inputs.causal, impl=impl)
    return _with_gradients(out, (q, k, v), inputs.grad.to(dtype), training)


def _with_gradients(out: Tensor, leaves: tuple[Tensor, ...], grad: Tensor, training: bool) -> tuple[Tensor, ...]:
    return (out, *torch.autograd.grad(out, leaves, grad)) if training else (out,)


def _variants(shape: _Shape) -> Iterator[Variant]:
    training = shape.training

    def packed(name: str, forward: Callable[[MaskedAttentionInputs], Tensor], note: str = "") -> Variant:
        def run(inputs: MaskedAttentionInputs) -> tuple[Tensor, ...]:
            return _with_gradients(forward(inputs), inputs.packed, inputs.grad, training)

        return Variant(name=name, run=run, note=note)

    def run_padded(inputs: MaskedAttentionInputs) -> tuple[Tensor, ...]:
        out = pytorch.attend(*inputs.padded, inputs.mask, inputs.causal)
        return _with_gradients(out, inputs.padded, inputs.grad_padded, training)

    for impl in lineup_on(shape.device).forms:
        yield packed(impl, partial(_mtcli, impl=impl), NOTES.get(impl, ""))
    if torch.device(shape.device).type == "cpu":
        yield packed("sdpa, on packed tokens", partial(_mtcli, impl="sdpa"), PADS_INSIDE)
    if varlen_attn := pytorch.varlen_attn_on(shape.device):
        yield packed("varlen_attn", partial(_varlen, varlen_attn), "gets packed tokens")
    for backend in pytorch.backends_on(shape.device):
        yield Variant(
            name=f"sdpa {backend}",
            run=run_padded,
            outputs=_unpadded,
            within=pytorch.only(backend),
            note="gets tensors padded beforehand, and its mask",
            prepared=True,
        )


def _mtcli(inputs: MaskedAttentionInputs, impl: str) -> Tensor:
    q, k, v = inputs.packed
    return masked_attention(q, k, v, inputs.queries, inputs.keys, causal=inputs.causal, impl=impl)


def _varlen(varlen_attn: Callable[..., Any], inputs: MaskedAttentionInputs) -> Tensor:
    longest = (inputs.queries.max_length, inputs.keys.max_length)
    window = (-1, 0) if inputs.causal else (-1, -1)
    return varlen_attn(*inputs.packed, *inputs.starts, *longest, window_size=window)  # type: ignore[no-any-return]


def _unpadded(inputs: MaskedAttentionInputs, returned: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    packings = (inputs.queries, inputs.queries, inputs.keys, inputs.keys)  # of the output and of the gradients
    return tuple(packing.unpad(x.transpose(1, 2)) for x, packing in zip(returned, packings, strict=False))
