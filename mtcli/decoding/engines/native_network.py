"""A model's weights as the CPU's kernels read them (kernels/mtcli_native/packing.py). No PyTorch here.

In int8 every matrix of a layer has integers; embeddings, norms, biases and attention stay float32.
"""

import weakref

import numpy as np
import numpy.typing as npt

from mtcli.config import ModelConfig
from mtcli.model_directory.model import Model
from mtcli_native import load
from mtcli_native.memory import record
from mtcli_native.packing import NEVER, Packer, head_width, pad_columns, pad_rows, padded
from mtcli_native.records import (
    DECODER_LAYER,
    ENCODER_LAYER,
    FLOAT32,
    GELU,
    INT8,
    INT8_POSITIVE,
    NETWORK,
    RELU,
    SIDE,
    SILU,
)
from mtcli_native.targets import Target

Array = npt.NDArray[np.generic]
_ACTIVATIONS = {"relu": RELU, "gelu": GELU, "silu": SILU}


class PackedNetwork:
    """One network, packed for one target; engines of all threads read it.

    Attributes:
        config: the network's shape.
        record: NETWORK [1].
        is_int8: whether products are of integers.
    """

    def __init__(self, model: Model, target: Target, *, is_int8: bool) -> None:
        """Pack a model's weights.

        Raises:
            CheckpointError: they are damaged, or not those of the model.
        """
        self.config, self.is_int8 = model.architecture.model, is_int8
        self._packer, self._weights = Packer(target), model.read_weights()
        config = self.config
        self._positions = sinusoids(model.max_positions, config.d_model) if config.positions == "sinusoidal" else None
        tied = config.tied_embeddings
        target_tokens = self._float("tgt_embedding.tokens.weight")
        output = self._float("output.weight") if tied == "none" else target_tokens
        bias = self._float("output.bias") if config.output_bias else None
        source = "tgt_embedding" if tied == "all" else "src_embedding"
        embeddings = {name: self._embedding(name) for name in {source, "tgt_embedding"}}
        self.record = record(
            NETWORK,
            encoder=self._side("encoder", config, embeddings[source]),
            decoder=self._side("decoder", config.of_decoder, embeddings["tgt_embedding"]),
            output=self._packer.linear(output, bias, INT8 if is_int8 else FLOAT32, lowest_bias=NEVER),
            width=padded(config.d_model),
            is_pre_norm=config.norm == "pre",
            activation=_ACTIVATIONS[config.activation],
        )
        del self._weights

    @property
    def widest(self) -> int:
        """Numbers in the widest row that a layer makes of one token."""
        sides = (self.config, self.config.of_decoder)
        return max(max(3 * inner_width(side), padded(side.ffn_dim), padded(side.d_model)) for side in sides)

    @property
    def num_bytes(self) -> int:
        """Of the packed weights."""
        return self._packer.num_bytes

    @property
    def cross_entry_bytes(self) -> int:
        """Of the keys and values of one source token in all decoder layers."""
        return self.config.decoder_layers * self.entry_bytes

    @property
    def entry_bytes(self) -> int:
        """Of the keys and values of one token in one decoder layer."""
        return 2 * 4 * inner_width(self.config.of_decoder)

    @property
    def step_products(self) -> int:
        """Multiplications of one hypothesis's step, attention not counted."""
        decoder, width = self.config.of_decoder, padded(self.config.d_model)
        layer = width * (6 * inner_width(decoder) + 2 * padded(decoder.ffn_dim))
        return decoder.decoder_layers * layer + width * int(self.record["output"]["num_outputs"][0])

    def _float(self, name: str) -> npt.NDArray[np.float32]:
        return self._weights[name].astype(np.float32, copy=False)

    def _embedding(self, name: str) -> Array:
        positions = self._positions if self._positions is not None else self._float(f"{name}.positions")
        scale = self.config.d_model**0.5 if self.config.scale_embeddings else 1.0
        return self._packer.embedding(self._float(f"{name}.tokens.weight"), positions, scale)

    def _side(self, name: str, config: ModelConfig, embedding: Array) -> Array:
        is_encoder = name == "encoder"
        count = config.encoder_layers if is_encoder else config.decoder_layers
        dtype, layer = (ENCODER_LAYER, self._encoder_layer) if is_encoder else (DECODER_LAYER, self._decoder_layer)
        layers = [layer(f"{name}.layers.{index}", config)[0] for index in range(count)]
        made = record(
            SIDE,
            embedding=embedding,
            p_layers=self._packer.table(dtype, layers),
            num_layers=count,
            heads=config.heads,
            head_width=head_width(config.head_dim, config.heads),
            head_scale=config.head_dim**-0.5,
        )
        if config.norm == "pre":
            made["norm"] = self._norm(f"{name}.norm")
        return made

    def _encoder_layer(self, name: str, config: ModelConfig) -> Array:
        attention = f"{name}.self_attention"
        return record(
            ENCODER_LAYER,
            qkv=self._heads(attention, "qkv", config),
            out=self._from_heads(attention, config),
            **self._feed_forward(name, config),
            attention_norm=self._norm(f"{attention}_residual.norm"),
        )

    def _decoder_layer(self, name: str, config: ModelConfig) -> Array:
        own, cross = f"{name}.self_attention", f"{name}.cross_attention"
        return record(
            DECODER_LAYER,
            qkv=self._heads(own, "qkv", config),
            self_out=self._from_heads(own, config),
            cross_q=self._heads(cross, "q", config),
            cross_kv=self._heads(cross, "kv", config),
            cross_out=self._from_heads(cross, config),
            **self._feed_forward(name, config),
            self_norm=self._norm(f"{own}_residual.norm"),
            cross_norm=self._norm(f"{cross}_residual.norm"),
        )

    def _feed_forward(self, name: str, config: ModelConfig) -> dict[str, Array]:
        is_positive = config.activation == "relu"
        return {
            "up": self._linear(f"{name}.feed_forward.up"),
            "down": self._linear(f"{name}.feed_forward.down", is_positive=is_positive),
            "feed_norm": self._norm(f"{name}.feed_forward_residual.norm"),
        }

    def _heads(self, attention: str, which: str, config: ModelConfig) -> Array:
        """W_q, W_k, W_v, or some of them, as one matrix, heads padded."""
        heads, width = config.heads, head_width(config.head_dim, config.heads)
        parts = [
            (self._float(f"{attention}.{x}_proj.weight"), self._float(f"{attention}.{x}_proj.bias")) for x in which
        ]
        weight = np.concatenate([pad_rows(weight, heads, width) for weight, _ in parts])
        return self._packer.linear(weight, np.concatenate([pad_rows(b, heads, width) for _, b in parts]), self._kind())

    def _from_heads(self, attention: str, config: ModelConfig) -> Array:
        width = head_width(config.head_dim, config.heads)
        weight = pad_columns(self._float(f"{attention}.out_proj.weight"), config.heads, width)
        return self._packer.linear(weight, self._float(f"{attention}.out_proj.bias"), self._kind())

    def _linear(self, name: str, *, is_positive: bool = False) -> Array:
        return self._packer.linear(
            self._float(f"{name}.weight"), self._float(f"{name}.bias"), self._kind(is_positive=is_positive)
        )

    def _kind(self, *, is_positive: bool = False) -> int:
        return FLOAT32 if not self.is_int8 else INT8_POSITIVE if is_positive else INT8

    def _norm(self, name: str) -> Array:
        return self._packer.norm(self._float(f"{name}.weight"), self._float(f"{name}.bias"))


def inner_width(config: ModelConfig) -> int:
    """Numbers of all heads together, with padding."""
    return config.heads * head_width(config.head_dim, config.heads)


def sinusoids(num_positions: int, d_model: int) -> npt.NDArray[np.float32]:
    """[num_positions, d] float32: sines in the first half of the channels, cosines in the second."""
    frequencies = 10000.0 ** (-np.arange(0, d_model, 2, dtype=np.float64) / d_model)
    angles = np.arange(num_positions)[:, None] * frequencies
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)


_packed: "weakref.WeakKeyDictionary[Model, dict[bool, PackedNetwork]]" = weakref.WeakKeyDictionary()


def packed_network(model: Model, *, is_int8: bool) -> PackedNetwork:
    """A model's weights as the kernels read them, packed once for all who ask.

    Raises:
        CheckpointError: they are damaged, or not those of the model.
    """
    kept = _packed.setdefault(model, {})
    if is_int8 not in kept:
        kept[is_int8] = PackedNetwork(model, load.target(), is_int8=is_int8)
    return kept[is_int8]
