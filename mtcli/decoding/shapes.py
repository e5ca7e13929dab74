"""Which shapes a GPU may compute in, so that a sentence's numbers do not depend on its company.

The rows of a matrix product are independent in arithmetic but not in rounding: libraries choose another kernel, which
adds in another order, for another number of rows. At one number of rows a row's result is the same whatever stands
in the others, and many numbers of rows share a kernel. So a layout is asked for every shape:

- `slots`: decoding runs with as many slots as round like a fixed number of them (the anchor), and never with others.
- `encoder_batches`: the encoder runs on as many packed tokens as round like the sentence's own anchor; the rest is
  filler.

Which shapes round alike is found out on the machine, with random numbers whose sums cancel out: an order of addition
that differs shows in some of the thousands of results. Shapes are tried when they are first wanted. What does not
agree is not used, however much faster it would be; in the worst case every batch has the anchor's shape, which is
right by construction. (Attention needs no shapes: its kernels sweep each sentence's own keys.)

On a CPU the native engine is independent by construction, and PyTorch computes in any shape: there it promises the same
numbers up to rounding.

Axes: M rows, S slots, K beam, N packed source tokens.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from typing import NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mtcli.model.transformer import Transformer

_ANCHOR_ROWS = 1024
_ANCHOR_TOKENS = 64
_FEWEST_TOKENS = 16


class Layout(Protocol):
    """Shapes to compute in."""

    def slots(self, wanted: int) -> int:
        """The slots to decode with when so many are taken: as many, or more."""

    def most_slots(self, limit: int) -> int:
        """The largest number of slots up to `limit` to decode with, or the smallest there is."""

    def encoder_batches(self, lengths: Sequence[int]) -> Iterator[tuple[list[int], int]]:
        """Sentences to encode together, as indices into `lengths`, and how many packed tokens to make of them."""


class AnyLayout:
    """As many slots and tokens as there are, whatever that does to the last bits: on CPUs, and with `--fast`."""

    def slots(self, wanted: int) -> int:
        return wanted

    def most_slots(self, limit: int) -> int:
        return limit

    def encoder_batches(self, lengths: Sequence[int]) -> Iterator[tuple[list[int], int]]:
        yield list(range(len(lengths))), sum(lengths)


class IndependentLayout:
    """Shapes in which a sentence's numbers are the same alone and in any company, for one network and beam.

    They are those that round like an anchor.
    """

    def __init__(self, network: Transformer, beam: int) -> None:
        self._beam = beam
        self._anchor = next(n for n in _ladder(1) if n * beam >= _ANCHOR_ROWS)
        self._steps = _Rows(_step_products(network), self._anchor * beam)
        self._encoding = _Rows(_encoder_products(network), _ANCHOR_TOKENS)

    def _is_admitted(self, slots: int) -> bool:
        return slots == self._anchor or self._steps.agree(slots * self._beam)

    def slots(self, wanted: int) -> int:
        for slots in _ladder(wanted):
            if self._is_admitted(slots):
                return slots
        raise AssertionError("the ladder has no end")

    def most_slots(self, limit: int) -> int:
        return max((n for n in _up_to(limit) if self._is_admitted(n)), default=self.slots(1))

    def encoder_batches(self, lengths: Sequence[int]) -> Iterator[tuple[list[int], int]]:
        """Sentences of one anchor are encoded together, on as many tokens as agree with it."""
        groups: dict[int, list[int]] = {}
        for index, length in enumerate(lengths):
            own = next(n for n in _ladder(_ANCHOR_TOKENS) if n >= length)
            # Where the anchors of short and long sentences agree, they are one
            groups.setdefault(_ANCHOR_TOKENS if self._encoding.agree(own) else own, []).append(index)
        for anchor, indices in groups.items():
            yield from self._one_anchor(anchor, indices, lengths)

    def _one_anchor(
        self, anchor: int, indices: Sequence[int], lengths: Sequence[int]
    ) -> Iterator[tuple[list[int], int]]:
        batch: list[int] = []
        room = anchor
        for index in indices:
            needed = sum(lengths[i] for i in batch) + lengths[index]
            if needed > room:
                larger = next(n for n in _ladder(_ANCHOR_TOKENS) if n >= needed)
                if anchor == _ANCHOR_TOKENS and self._encoding.agree(larger):
                    room = larger
                else:
                    yield batch, room
                    batch, room = [], next(n for n in _ladder(anchor) if n >= lengths[index])
            batch.append(index)
        yield batch, self._no_more_than(room, sum(lengths[i] for i in batch))

    def _no_more_than(self, room: int, needed: int) -> int:
        """So many tokens, or the fewest below that agree: one short sentence should not cost what the anchor does."""
        if room != _ANCHOR_TOKENS:
            return room
        return next(n for n in _ladder(_FEWEST_TOKENS) if n >= needed and (n >= room or self._encoding.agree(n)))


def _ladder(least: int) -> Iterator[int]:
    """1, 2, 3, 4, 6, 8, 12, 16, 24 and so on, from `least` on; `least` itself only if it is among them."""
    for power in count():
        for rung in (1 << power, 3 << power >> 1):
            if rung >= least and (power > 0 or rung == 1):
                yield rung


def _up_to(limit: int) -> Iterator[int]:
    for rung in _ladder(1):
        if rung > limit:
            return
        yield rung


class _Product(NamedTuple):
    """A matrix product of the network: of rows [M, in] with a weight [out, in]."""

    weight: Tensor
    has_bias: bool


def _cancelling(size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Two ways to put `size` numbers in order, and signs: times the second, equal ones at the first cancel out.

    Large terms cancel out, but for a few small ones. What was lost of the small is most of what is left, so that the
    order of addition shows in a narrow number type too: in bfloat16 ordinary sums differ in one of some thousands.

    Returns:
        [size] int64, the same place for each two terms, and [size] float32, their signs, a few of them larger.
    """
    places = torch.arange(size) // 2
    signs = torch.ones(size)
    signs[1::2] = -1.0
    signs[torch.randperm(size, generator=generator)[: max(1, size // 16)]] *= 1 + 2**-6
    order = torch.randperm(size, generator=generator)  # or a cut might part all from their opposites
    return places[order], signs[order]


def _cancelling_product(product: _Product, rows: int) -> tuple[Callable[[Tensor], Tensor], Tensor]:
    """A product of the same kind, and rows for it, whose sums cancel out."""
    weight, generator = product.weight, torch.Generator().manual_seed(0)
    size_out, size_in = weight.shape
    places, signs = _cancelling(size_in, generator)
    twin = torch.randn(size_out, size_in, generator=generator)[:, places].to(weight)
    x = torch.randn(rows, size_in, generator=generator)[:, places] * signs
    bias = weight.new_zeros(size_out) if product.has_bias else None
    return lambda rows: F.linear(rows, twin, bias), x.to(weight)


class _Rows:
    """Which numbers of rows round like an anchor, in some products."""

    def __init__(self, products: Iterable[_Product], anchor: int) -> None:
        self._products = {self._kind(product): product for product in products}
        self._anchor = anchor

    @staticmethod
    def _kind(product: _Product) -> tuple[object, ...]:
        """Two products of one kind round alike."""
        return product.has_bias, tuple(product.weight.shape), product.weight.dtype, product.weight.device

    def agree(self, rows: int) -> bool:
        """Whether so many rows round like the anchor."""
        return rows == self._anchor or all(self._agree(*item, rows) for item in self._products.items())

    def _agree(self, kind: tuple[object, ...], product: _Product, rows: int) -> bool:
        anchor = self._anchor

        def find_out() -> bool:
            twin, x = _cancelling_product(product, anchor)
            places = torch.arange(rows, device=x.device) % anchor
            return torch.equal(twin(x[places]), twin(x)[places])

        return _remembered((*kind, rows, anchor), find_out)


_known: dict[tuple[object, ...], bool] = {}  # what was found out in this process


def _remembered(key: tuple[object, ...], find_out: Callable[[], bool]) -> bool:
    if key not in _known:
        with torch.inference_mode():
            _known[key] = find_out()
    return _known[key]


def _step_products(network: Transformer) -> Iterator[_Product]:
    """Those of a decoding step; that keys and values of memory are projected in is none."""
    layer = network.decoder.layers[0]
    weight, bias = layer.self_attention.joined
    yield _Product(weight, bias is not None)
    found = (layer.self_attention.out_proj, layer.cross_attention.q_proj, layer.cross_attention.out_proj)
    yield from map(_product, found)
    yield from _linear(layer.feed_forward)
    yield _product(network.output)


def _encoder_products(network: Transformer) -> Iterator[_Product]:
    yield from _linear(network.encoder.layers[0])
    yield from _linear(network.decoder.layers[0].cross_attention)


def _linear(module: nn.Module) -> Iterator[_Product]:
    for part in module.modules():
        if isinstance(part, nn.Linear):
            yield _product(part)


def _product(layer: nn.Linear) -> _Product:
    return _Product(layer.weight, layer.bias is not None)
