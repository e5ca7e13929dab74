"""Which shapes the network may compute in, so that a sentence's numbers do not depend on its company.

The rows of a matrix product are independent in arithmetic but not in rounding: libraries choose another kernel, which
adds in another order, for another number of rows. At one number of rows a row's result is the same whatever stands
in the others, and many numbers of rows share a kernel. So a layout is asked for every shape:

- `slots`: decoding runs with as many slots as round like a fixed number of them on one thread (the anchor), and never
  with others.
- `threads`: more than one thread divide the work only where that changes nothing.
- `tokens`: the encoder runs on as many packed tokens as round like the sentence's own anchor; the rest is filler.
- `key_multiple`: attention is padded to a multiple of so many keys, which get weight 0; its sums are cut at fixed
  places (mtcli_kernels/dense.py).

Which shapes round alike is found out on the machine, with random numbers whose sums cancel out: an order of addition
that differs shows in some of the thousands of results. Shapes are tried when they are first wanted. What does not
agree is not used, however much faster it would be; in the worst case every batch has the anchor's shape, which is
right by construction.
On the processors seen so far products with prepacked weights (mtcli/model/linear.py) agree from 2 rows on in float32;
the price is a little padding.

Axes: M rows, S slots, K beam, N packed source tokens.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import count
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from mtcli.model.linear import JoinedLinear, Linear, prepacked
from mtcli.model.transformer import Transformer
from mtcli_kernels.dense import KEYS_AT_ONCE, scaled, weigh
from mtcli_kernels.masked_attention import masked_attention
from mtcli_kernels.packing import Packing

_ANCHOR_ROWS = {"cpu": 64, "cuda": 1024}
_ANCHOR_TOKENS = 64
_FEWEST_TOKENS = 16
_MULTIPLES = (16, 32, 64, 128)
_WORTH_DIVIDING = 5e7  # multiplications in a step: about two milliseconds of one thread's
_PREPACKED, _BIAS = "prepacked", " with bias"  # of products' names
_log = logging.getLogger(__name__)


class Layout(Protocol):
    """Shapes to compute in."""

    @property
    def key_multiple(self) -> int:
        """Keys to pad attention to a multiple of."""

    def slots(self, wanted: int) -> int:
        """The slots to decode with when so many are taken: as many, or more."""

    def most_slots(self, limit: int) -> int:
        """The largest number of slots up to `limit` to decode with, or the smallest there is."""

    def threads(self, slots: int, most: int) -> int:
        """The threads, `most` at most, that a decoding step of so many slots is divided among on a CPU."""

    def encoder_threads(self, tokens: int, most: int) -> int:
        """The same of the encoder on so many packed tokens."""

    def encoder_batches(self, lengths: Sequence[int]) -> Iterator[tuple[list[int], int]]:
        """Sentences to encode together, as indices into `lengths`, and how many packed tokens to make of them."""


class AnyLayout:
    """As many slots and tokens as there are, whatever that does to the last bits (`--fast`)."""

    key_multiple = 1

    def __init__(self, network: Transformer, beam: int) -> None:
        self._work = _work(network, beam)

    def threads(self, slots: int, most: int) -> int:
        return _worth(slots * self._work, most)

    def encoder_threads(self, tokens: int, most: int) -> int:
        return most

    def slots(self, wanted: int) -> int:
        return wanted

    def most_slots(self, limit: int) -> int:
        return limit

    def encoder_batches(self, lengths: Sequence[int]) -> Iterator[tuple[list[int], int]]:
        yield list(range(len(lengths))), sum(lengths)


class IndependentLayout:
    """Shapes in which a sentence's numbers are the same alone and in any company, for one network and beam.

    They are those that round, on one thread, like an anchor on one thread. More threads are used where that changes
    nothing, so it does not matter either how many happen to be free.
    """

    def __init__(self, network: Transformer, beam: int) -> None:
        self._network, self._beam = network, beam
        self._work = _work(network, beam)
        device = network.output.weight.device
        self._anchor = next(n for n in _ladder(1) if n * beam >= _ANCHOR_ROWS[device.type])
        self._steps = _Rows(_step_products(network), self._anchor * beam)
        self._encoding = _Rows(_encoder_products(network), _ANCHOR_TOKENS)

    def threads(self, slots: int, most: int) -> int:
        threads = _worth(slots * self._work, most)
        return threads if threads > 1 and self._steps.agree(slots * self._beam, threads) else 1

    def encoder_threads(self, tokens: int, most: int) -> int:
        return most if most > 1 and self._encoding.agree(tokens, most) else 1

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

    @cached_property
    def key_multiple(self) -> int:
        """The smallest that agrees, found with one sentence in padded layouts of several widths."""
        config, weight = self._network.config, self._network.output.weight
        heads = {(side.heads, side.head_dim) for side in (config, config.of_decoder)}
        if weight.device.type != "cpu":  # the kernels there sweep a sentence's own keys
            return 1
        for multiple in _MULTIPLES:
            if all(_widths_agree(*sizes, self._beam, multiple, weight) for sizes in heads):
                return multiple
        _log.warning("Attention on this machine rounds by its width; a line's translation may depend on its batch.")
        return _MULTIPLES[-1]


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

    name: str
    weight: Tensor


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


def _cancelling_product(product: _Product, rows: int) -> tuple[JoinedLinear, Tensor]:
    """A product of the same kind, and rows for it, whose sums cancel out."""
    weight, generator = product.weight, torch.Generator().manual_seed(0)
    size_out, size_in = weight.shape
    places, signs = _cancelling(size_in, generator)
    twin = torch.randn(size_out, size_in, generator=generator)[:, places].to(weight)
    x = torch.randn(rows, size_in, generator=generator)[:, places] * signs
    bias = weight.new_zeros(size_out) if product.name.endswith(_BIAS) else None
    return JoinedLinear(twin, bias, prepacked(twin) if product.name.startswith(_PREPACKED) else None), x.to(weight)


def _cancelling_attention(heads: int, queries: int, head_dim: int, keys: int) -> tuple[Tensor, Tensor, Tensor]:
    """q [H, T, D], k and v [H, S, D] whose sums cancel out, over D in the scores and over S in what they weigh."""
    generator = torch.Generator().manual_seed(0)
    channels, channel_signs = _cancelling(head_dim, generator)
    q = torch.randn(heads, queries, head_dim, generator=generator)[..., channels] * channel_signs
    k = torch.randn(heads, keys, head_dim, generator=generator)[..., channels]
    v = torch.randn(heads, keys, head_dim, generator=generator)
    # Neighbours, as a sentence may end anywhere
    k[:, 1::2], v[:, 1::2] = k[:, : keys // 2 * 2 : 2], -v[:, : keys // 2 * 2 : 2]
    return q, k, v * (1 + 2**-6 * (torch.rand(keys, 1, generator=generator) < 1 / 16))


class _Rows:
    """Which numbers of rows round like an anchor on one thread, in some products."""

    def __init__(self, products: Iterable[_Product], anchor: int) -> None:
        self._products = {self._kind(product): product for product in products}
        self._anchor = anchor

    @staticmethod
    def _kind(product: _Product) -> tuple[object, ...]:
        """Two products of one kind round alike."""
        return product.name, tuple(product.weight.shape), product.weight.dtype, product.weight.device

    def agree(self, rows: int, threads: int = 1) -> bool:
        """Whether so many rows, divided among so many threads, round like the anchor."""
        return all(self._agree(kind, product, rows, threads) for kind, product in self._products.items())

    def _agree(self, kind: tuple[object, ...], product: _Product, rows: int, threads: int) -> bool:
        anchor, weight = self._anchor, product.weight
        if (rows, threads) == (anchor, 1):
            return True

        def find_out() -> bool:
            twin, x = _cancelling_product(product, anchor)
            places = torch.arange(rows, device=weight.device) % anchor
            with divided_among(1):
                expected = twin(x)
            with divided_among(threads):
                found = twin(x[places])
            return torch.equal(found, expected[places])

        return _remembered((*kind, rows, threads, anchor), find_out)


_known: dict[tuple[object, ...], bool] = {}  # what was found out in this process


def _remembered(key: tuple[object, ...], find_out: Callable[[], bool]) -> bool:
    if key not in _known:
        with torch.inference_mode():
            _known[key] = find_out()
    return _known[key]


@contextmanager
def divided_among(threads: int) -> Iterator[None]:
    """Let PyTorch divide operations on the CPU among so many threads, and as many as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _work(network: Transformer, beam: int) -> float:
    """Multiplications of a step for one slot."""
    matrices, output = sum(product.weight.numel() for product in _step_products(network)), network.output.weight.numel()
    return beam * ((matrices - output) * network.config.decoder_layers + output)


def _worth(work: float, threads: int) -> int:
    """How many threads so much work is worth: little of it would only make them wait for each other."""
    return 1 if work < _WORTH_DIVIDING else threads


def _step_products(network: Transformer) -> Iterator[_Product]:
    """Those of a decoding step; that keys and values of memory are projected in is none."""
    layer = network.decoder.layers[0]
    found = (layer.self_attention.out_proj, layer.cross_attention.q_proj, layer.cross_attention.out_proj)
    yield _product(layer.self_attention.joined)
    yield from map(_product, found)
    yield from _linear(layer.feed_forward)
    yield _product(network.output)


def _encoder_products(network: Transformer) -> Iterator[_Product]:
    yield from _linear(network.encoder.layers[0])
    yield from _linear(network.decoder.layers[0].cross_attention)


def _linear(module: nn.Module) -> Iterator[_Product]:
    for part in module.modules():
        if isinstance(part, Linear):
            yield _product(part)


def _product(layer: Linear | JoinedLinear) -> _Product:
    kind = (_PREPACKED if layer.is_prepacked else "plain") + ("" if layer.bias is None else _BIAS)
    return _Product(kind, layer.weight)


def _widths_agree(heads: int, head_dim: int, beam: int, multiple: int, like: Tensor) -> bool:
    """Whether attention rounds alike in padded layouts whose width is a multiple of this."""

    def find_out() -> bool:
        for length in (1, multiple - 3, multiple, 2 * multiple + 1, KEYS_AT_ONCE + 2):
            narrow = -(-length // multiple) * multiple
            wider = range(narrow + multiple, widest + 1, multiple)
            some = [width for width in wider if width in {*wider[:2], KEYS_AT_ONCE, widest}]
            for attention, widths in ((step, wider), (sentence, some)):
                expected = attention(length, narrow)
                if not all(torch.equal(attention(length, width), expected) for width in widths):
                    return False
        return True

    widest = 2 * KEYS_AT_ONCE + multiple
    q, k, v = (x.to(like) for x in _cancelling_attention(heads, beam, head_dim, widest))

    def step(length: int, width: int) -> Tensor:
        """A decoding step's attention."""
        bias = torch.zeros(heads, beam, width).masked_fill_(torch.arange(width) >= length, -1e30).to(like)
        scores = torch.baddbmm(bias, scaled(q), k[:, :width].transpose(1, 2))
        return weigh(scores.softmax(-1), v[:, :width])

    def sentence(length: int, width: int) -> Tensor:
        """An encoder layer's attention."""
        keys, values = (x.transpose(0, 1)[:length] for x in (k, v))
        packing = Packing.of([length], multiple=width)
        return masked_attention(keys, keys, values, packing, packing)

    return _remembered((heads, head_dim, beam, multiple, like.dtype), find_out)
