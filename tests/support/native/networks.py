"""Small networks with random weights, as the definitions have them and packed for the kernels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mtcli_native.memory import Array, record, remember
from mtcli_native.packing import NEVER, Packer, head_width, pad_columns, pad_rows, padded
from mtcli_native.records import (
    DECODER_LAYER,
    ENCODER_LAYER,
    FLOAT32,
    INT8_POSITIVE,
    NETWORK,
    RELU,
    SIDE,
)
from mtcli_native.reference.linear import Linear
from mtcli_native.reference.network import Decoder, DecoderLayer, Encoder, EncoderLayer, Network
from mtcli_native.reference.normalise import Embedding, Norm


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """What a random network is like; `kind` is how its matrices are multiplied."""

    width: int = 24
    ffn: int = 40
    encoder_heads: int = 2
    decoder_heads: int = 2
    head: int = 12
    encoder_layers: int = 1
    decoder_layers: int = 2
    vocabulary: int = 45
    positions: int = 64
    is_pre_norm: bool = False
    activation: int = RELU
    kind: int = FLOAT32
    seed: int = 0


class _Maker:
    def __init__(self, sizes: Sizes) -> None:
        self.sizes, self._rng = sizes, np.random.default_rng(sizes.seed)

    def normal(self, *shape: int, scale: float = 1.0) -> Array:
        return (self._rng.standard_normal(shape) * scale).astype(np.float32)

    def linear(self, n: int, k: int, kind: int | None = None, scale: float = 1.0) -> Linear:
        kind = self.sizes.kind if kind is None else kind
        return Linear(self.normal(n, k, scale=scale * k**-0.5), self.normal(n, scale=0.1), kind)

    def norm(self) -> Norm:
        return Norm(1 + self.normal(self.sizes.width, scale=0.1), self.normal(self.sizes.width, scale=0.1))

    def embedding(self) -> Embedding:
        s = self.sizes
        tokens = self.normal(s.vocabulary, s.width, scale=s.width**-0.5)
        return Embedding(tokens, self.normal(s.positions, s.width, scale=0.5), s.width**0.5)

    def feed_forward(self) -> dict[str, Linear | Norm]:
        s = self.sizes
        is_positive = s.kind != FLOAT32 and s.activation == RELU
        down = self.linear(s.width, s.ffn, INT8_POSITIVE if is_positive else s.kind)
        return {"up": self.linear(s.ffn, s.width), "down": down, "feed_norm": self.norm()}

    def attention(self, name: str, parts: int, heads: int) -> dict[str, Linear]:
        s, inner = self.sizes, heads * self.sizes.head
        return {name: self.linear(parts * inner, s.width, scale=1.5)}

    def encoder_layer(self) -> EncoderLayer:
        s, inner = self.sizes, self.sizes.encoder_heads * self.sizes.head
        return EncoderLayer(
            qkv=self.linear(3 * inner, s.width, scale=1.5),
            out=self.linear(s.width, inner),
            attention_norm=self.norm(),
            **self.feed_forward(),  # type: ignore[arg-type]
        )

    def decoder_layer(self) -> DecoderLayer:
        s, inner = self.sizes, self.sizes.decoder_heads * self.sizes.head
        return DecoderLayer(
            qkv=self.linear(3 * inner, s.width, scale=1.5),
            self_out=self.linear(s.width, inner),
            cross_q=self.linear(inner, s.width, scale=1.5),
            cross_kv=self.linear(2 * inner, s.width, scale=1.5),
            cross_out=self.linear(s.width, inner),
            self_norm=self.norm(),
            cross_norm=self.norm(),
            **self.feed_forward(),  # type: ignore[arg-type]
        )


def random_network(sizes: Sizes) -> Network:
    """A network of these sizes; the same for the same sizes."""
    make = _Maker(sizes)
    encoder_layers = [make.encoder_layer() for _ in range(sizes.encoder_layers)]
    decoder_layers = [make.decoder_layer() for _ in range(sizes.decoder_layers)]
    norms = [make.norm() if sizes.is_pre_norm else None for _ in range(2)]
    return Network(
        encoder=Encoder(make.embedding(), encoder_layers, sizes.encoder_heads, norms[0]),
        decoder=Decoder(make.embedding(), decoder_layers, sizes.decoder_heads, norms[1]),
        output=make.linear(sizes.vocabulary, sizes.width, scale=3.0),
        is_pre_norm=sizes.is_pre_norm,
        activation=sizes.activation,
    )


class PackedNetwork:
    """A network in the kernels' records.

    Attributes:
        record: NETWORK [1].
        width: of a row, padded.
        widest: numbers in the widest row that a layer makes.
    """

    def __init__(self, network: Network, packer: Packer) -> None:
        """Pack a definition's network."""
        self._packer, self._widest = packer, 0
        output = self._linear(network.output, lowest_bias=NEVER)
        width = len(network.output.weight[0])
        self.record = remember(
            record(
                NETWORK,
                encoder=self._side(network.encoder, ENCODER_LAYER),
                decoder=self._side(network.decoder, DECODER_LAYER),
                output=output,
                width=padded(width),
                is_pre_norm=network.is_pre_norm,
                activation=network.activation,
            )
        )
        self.width, self.widest = padded(width), self._widest

    def entry(self, side: Array) -> int:
        """Bytes of a token's keys and values in one layer."""
        return int(2 * side["heads"][0] * side["head_width"][0] * 4)

    def _side(self, side: Encoder | Decoder, kind: np.dtype) -> Array:  # type: ignore[type-arg]
        of_first = side.layers[0].qkv.weight
        size = len(of_first) // 3 // side.heads
        self._heads, self._size, self._head = side.heads, size, head_width(size, side.heads)
        layers = [self._layer(layer, kind) for layer in side.layers]
        end = side.norm
        return record(
            SIDE,
            embedding=self._packer.embedding(side.embedding.tokens, side.embedding.positions, side.embedding.scale),
            p_layers=self._packer.table(kind, layers),
            num_layers=len(layers),
            heads=side.heads,
            head_width=self._head,
            head_scale=np.float32(size**-0.5),
            **({"norm": self._packer.norm(end.gain, end.shift)} if end else {}),
        )

    def _layer(self, layer: EncoderLayer | DecoderLayer, kind: np.dtype) -> Array:  # type: ignore[type-arg]
        fields: dict[str, Array] = {}
        for name in kind.names or ():
            value = getattr(layer, name)
            if isinstance(value, Norm):
                fields[name] = self._packer.norm(value.gain, value.shift)
            else:
                fields[name] = self._linear(self._with_padded_heads(name, value))
        return record(kind, **fields)[0]

    def _with_padded_heads(self, name: str, layer: Linear) -> Linear:
        parts = {"qkv": 3, "cross_q": 1, "cross_kv": 2}.get(name)
        if parts:
            weight, bias = (
                np.concatenate([pad_rows(part, self._heads, self._head) for part in np.split(x, parts)])
                for x in (layer.weight, layer.bias)
            )
            return Linear(weight, bias, layer.kind)
        if name in ("out", "self_out", "cross_out"):
            return Linear(pad_columns(layer.weight, self._heads, self._head), layer.bias, layer.kind)
        return layer

    def _linear(self, layer: Linear, lowest_bias: float = 0.0) -> Array:
        packed = self._packer.linear(layer.weight, layer.bias, layer.kind, lowest_bias=lowest_bias)
        self._widest = max(self._widest, int(packed["num_outputs"][0]), int(packed["num_inputs"][0]))
        return packed


def sentences(rng: np.random.Generator, lengths: Sequence[int], vocabulary: int) -> list[list[int]]:
    """Random token ids, a sentence of each length."""
    return [rng.integers(0, vocabulary, length).tolist() for length in lengths]
