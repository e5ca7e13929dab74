"""The encoder-decoder Transformer (Vaswani et al. 2017, arXiv:1706.03762), one sentence at a time.

Nothing is cached but what the equations need again: of the source, each decoder layer's keys and values; of the target,
each hypothesis's own, which its successors take over.

Axes: S source tokens, R hypotheses, T tokens so far, H heads, w width of a head, d width, V vocabulary.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from mtcli_native.reference.arithmetic import Float32, Int64
from mtcli_native.reference.attention import attend, attention_weights, mean_over_heads
from mtcli_native.reference.linear import Linear, linear
from mtcli_native.reference.normalise import Embedding, Norm, activate, embed, layer_norm


@dataclass(frozen=True, eq=False)
class EncoderLayer:
    """qkv makes q, k and v one after another, [3 x H x w, d]."""

    qkv: Linear
    out: Linear
    up: Linear
    down: Linear
    attention_norm: Norm
    feed_norm: Norm


@dataclass(frozen=True, eq=False)
class DecoderLayer:
    """cross_q reads the decoder; cross_kv, keys before values, the encoder's top layer."""

    qkv: Linear
    self_out: Linear
    cross_q: Linear
    cross_kv: Linear
    cross_out: Linear
    up: Linear
    down: Linear
    self_norm: Norm
    cross_norm: Norm
    feed_norm: Norm


@dataclass(frozen=True, eq=False)
class Encoder:
    """`norm` is behind the last layer, of pre-norm networks."""

    embedding: Embedding
    layers: Sequence[EncoderLayer]
    heads: int
    norm: Norm | None = None


@dataclass(frozen=True, eq=False)
class Decoder:
    """`norm` is behind the last layer, of pre-norm networks."""

    embedding: Embedding
    layers: Sequence[DecoderLayer]
    heads: int
    norm: Norm | None = None


@dataclass(frozen=True, eq=False)
class Network:
    """A whole network; `activation` is RELU, GELU or SILU, `output` [V, d]."""

    encoder: Encoder
    decoder: Decoder
    output: Linear
    is_pre_norm: bool
    activation: int


class Entries(NamedTuple):
    """Keys and values of tokens, both [T, H, w]."""

    keys: Float32
    values: Float32


Past = tuple[Entries, ...]
"""Of one hypothesis, or of a source: a layer's entries each."""


def encode(network: Network, tokens: Sequence[int]) -> Float32:
    """[S, d]: the encoder's top layer for a sentence."""
    side = network.encoder
    x = embed(side.embedding, np.array(tokens), np.arange(len(tokens)))
    for layer in side.layers:
        x = _residual(network, layer.attention_norm, x, layer.out, partial(_within, side.heads, layer.qkv))
        x = _feed_forward(network, layer, x)
    return layer_norm(side.norm, x) if side.norm else x


def project(network: Network, memory: Float32) -> Past:
    """Every decoder layer's keys and values of the encoder's top layer [S, d]."""
    found = []
    for layer in network.decoder.layers:
        keys, values = _split(linear(layer.cross_kv, memory), 2, network.decoder.heads)
        found.append(Entries(keys, values))
    return tuple(found)


def decode_step(
    network: Network,
    tokens: Int64,
    position: int,
    pasts: Sequence[Past],
    source: Past,
    weights: list[Float32] | None = None,
) -> tuple[Float32, list[Past]]:
    """[R, d]: the decoder's top layer for each hypothesis's newest token; and the pasts with that token's entries.

    Args:
        tokens: [R] the newest ones.
        position: how many tokens are before them.
        pasts: [R], empty tuples in the beginning.
        source: what `project` gave.
        weights: to be filled with how much each hypothesis attends to the source, over all heads, [R, S] a layer.
    """
    side = network.decoder
    x = embed(side.embedding, tokens, np.full(len(tokens), position))
    entries: list[list[Entries]] = [[] for _ in pasts]
    for index, layer in enumerate(side.layers):
        before = [past[index] if past else None for past in pasts]

        def to_self(h: Float32, of: DecoderLayer = layer, before: Sequence[Entries | None] = before) -> Float32:
            q, k, v = _split(linear(of.qkv, h), 3, side.heads)
            rows = [_extended(past, k[row], v[row]) for row, past in enumerate(before)]
            for row, new in enumerate(rows):
                entries[row].append(new)
            return np.stack([attend(q[row], *new).ravel() for row, new in enumerate(rows)])

        def to_source(h: Float32, of: DecoderLayer = layer, entries: Entries = source[index]) -> Float32:
            (q,) = _split(linear(of.cross_q, h), 1, side.heads)
            if weights is not None:
                weights.append(np.stack([mean_over_heads(attention_weights(row, entries.keys)) for row in q]))
            return np.stack([attend(row, *entries).ravel() for row in q])

        x = _residual(network, layer.self_norm, x, layer.self_out, to_self)
        x = _residual(network, layer.cross_norm, x, layer.cross_out, to_source)
        x = _feed_forward(network, layer, x)
    return (layer_norm(side.norm, x) if side.norm else x), [tuple(each) for each in entries]


def _residual(network: Network, norm: Norm, x: Float32, out: Linear, sublayer: Callable[[Float32], Float32]) -> Float32:
    """Post-norm: norm(x + out(f(x))); pre-norm: x + out(f(norm(x)))."""
    if network.is_pre_norm:
        return linear(out, sublayer(layer_norm(norm, x)), plus=x)
    return layer_norm(norm, linear(out, sublayer(x), plus=x))


def _feed_forward(network: Network, layer: EncoderLayer | DecoderLayer, x: Float32) -> Float32:
    return _residual(
        network, layer.feed_norm, x, layer.down, lambda h: activate(network.activation, linear(layer.up, h))
    )


def _within(heads: int, qkv: Linear, h: Float32) -> Float32:
    """Self-attention of all tokens of a sentence to all."""
    q, k, v = _split(linear(qkv, h), 3, heads)
    return np.stack([attend(row, k, v).ravel() for row in q])


def _split(x: Float32, parts: int, heads: int) -> list[Float32]:
    """[R, parts x H x w] -> parts times [R, H, w]."""
    return list(np.moveaxis(x.reshape(len(x), parts, heads, -1), 1, 0))


def _extended(past: Entries | None, key: Float32, value: Float32) -> Entries:
    """The entries of a past and of one token [H, w] behind them."""
    if past is None:
        return Entries(key[None], value[None])
    return Entries(np.concatenate([past.keys, key[None]]), np.concatenate([past.values, value[None]]))
