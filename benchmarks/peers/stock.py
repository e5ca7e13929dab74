"""Stock PyTorch: the Transformer of Vaswani et al. 2017 as a user writes it.

Plain modules over padded batches, attention by F.scaled_dot_product_attention. Modules have mtcli's names, so that its
weights fit. `stock_search` decodes with it, `training` trains it.

Axes: B sentences, R hypotheses (B x beam; B in training), S source tokens, T target tokens (T and S: queries and keys),
d model width, H heads, D head size, V vocabulary.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.peers.weights import Weights

KeysValues = tuple[Tensor, Tensor]
_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": F.relu, "gelu": F.gelu, "silu": F.silu}


class Embedding(nn.Module):
    positions: Tensor

    def __init__(self, vocab_size: int, model: dict[str, Any], positions: Tensor, *, scaled: bool) -> None:
        super().__init__()
        self.scale = model["d_model"] ** 0.5 if scaled else 1.0
        self.tokens = nn.Embedding(vocab_size, model["d_model"])
        self.dropout = nn.Dropout(model["dropout"])
        self.register_buffer("positions", positions, persistent=False)

    def forward(self, tokens: Tensor, start: int = 0) -> Tensor:
        """[B, T, d] from tokens [B, T], the first of them at position `start`."""
        positions = self.positions[start : start + tokens.shape[1]]
        return self.dropout(self.tokens(tokens) * self.scale + positions)  # type: ignore[no-any-return]


class Attention(nn.Module):
    def __init__(self, model: dict[str, Any]) -> None:
        super().__init__()
        width = model["d_model"]
        self.heads, self.dropout = model["heads"], model["attention_dropout"]
        self.q_proj, self.k_proj = nn.Linear(width, width), nn.Linear(width, width)
        self.v_proj, self.out_proj = nn.Linear(width, width), nn.Linear(width, width)

    def keys_values(self, memory: Tensor) -> KeysValues:
        """[B, H, S, D] each, from memory [B, S, d]."""
        return self._split(self.k_proj(memory)), self._split(self.v_proj(memory))

    def forward(self, x: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, causal: bool = False) -> Tensor:
        """[B, T, d] from x [B, T, d] attending to k and v [B, H, S, D]; mask [B, 1, 1, S] is true for tokens."""
        q, dropout = self._split(self.q_proj(x)), self.dropout if self.training else 0.0
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=dropout, is_causal=causal)
        return self.out_proj(out.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]

    def _split(self, x: Tensor) -> Tensor:
        split: Tensor = x.unflatten(2, (self.heads, -1))  # [B, T, d] -> [B, T, H, D]
        return split.transpose(1, 2)


class FeedForward(nn.Module):
    def __init__(self, model: dict[str, Any]) -> None:
        super().__init__()
        self.up, self.down = (
            nn.Linear(model["d_model"], model["ffn_dim"]),
            nn.Linear(model["ffn_dim"], model["d_model"]),
        )
        self.activation, self.dropout = _ACTIVATIONS[model["activation"]], nn.Dropout(model["activation_dropout"])

    def forward(self, x: Tensor) -> Tensor:
        return self.down(self.dropout(self.activation(self.up(x))))  # type: ignore[no-any-return]


class Residual(nn.Module):
    """What a part of a layer reads, and what becomes of what it found."""

    def __init__(self, model: dict[str, Any]) -> None:
        super().__init__()
        self.norm, self.dropout = nn.LayerNorm(model["d_model"]), nn.Dropout(model["dropout"])
        self.is_pre = model["norm"] == "pre"

    def before(self, x: Tensor) -> Tensor:
        return self.norm(x) if self.is_pre else x

    def after(self, x: Tensor, found: Tensor) -> Tensor:
        x = x + self.dropout(found)
        return x if self.is_pre else self.norm(x)


class EncoderLayer(nn.Module):
    def __init__(self, model: dict[str, Any]) -> None:
        super().__init__()
        self.self_attention, self.self_attention_residual = Attention(model), Residual(model)
        self.feed_forward, self.feed_forward_residual = FeedForward(model), Residual(model)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        y = self.self_attention_residual.before(x)
        x = self.self_attention_residual.after(x, self.self_attention(y, *self.self_attention.keys_values(y), mask))
        y = self.feed_forward_residual.before(x)
        return self.feed_forward_residual.after(x, self.feed_forward(y))


class DecoderLayer(nn.Module):
    def __init__(self, model: dict[str, Any]) -> None:
        super().__init__()
        self.self_attention, self.self_attention_residual = Attention(model), Residual(model)
        self.cross_attention, self.cross_attention_residual = Attention(model), Residual(model)
        self.feed_forward, self.feed_forward_residual = FeedForward(model), Residual(model)

    def forward(
        self, x: Tensor, memory: KeysValues, mask: Tensor, past: KeysValues | None = None
    ) -> tuple[Tensor, KeysValues]:
        """[R, T, d] from x [R, T, d], and its keys and values behind those of the `past`; `memory` are the source's."""
        y = self.self_attention_residual.before(x)
        k, v = self.self_attention.keys_values(y)
        if past is not None:
            k, v = torch.cat([past[0], k], dim=2), torch.cat([past[1], v], dim=2)
        x = self.self_attention_residual.after(x, self.self_attention(y, k, v, None, causal=past is None))
        y = self.cross_attention_residual.before(x)
        # [R, T, d] -> [B, beam x T, d]: the hypotheses of a sentence share its keys and values.
        found = self.cross_attention(y.view(mask.shape[0], -1, y.shape[2]), *memory, mask)
        x = self.cross_attention_residual.after(x, found.view(x.shape))
        y = self.feed_forward_residual.before(x)
        return self.feed_forward_residual.after(x, self.feed_forward(y)), (k, v)


class Stack(nn.Module):
    """Layers, and the norm behind those that are pre-norm."""

    def __init__(self, layers: list[nn.Module], model: dict[str, Any]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        if model["norm"] == "pre":
            self.norm: nn.Module = nn.LayerNorm(model["d_model"])
        else:
            self.norm = nn.Identity()


class StockTransformer(nn.Module):
    """The described model, without its weights."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        model, vocabulary = weights.model, weights.description["vocabulary"]
        self.tgt_embedding = _embedding(weights, "tgt", vocabulary["target"])
        tied = model["tied_embeddings"]
        self.src_embedding = self.tgt_embedding if tied == "all" else _embedding(weights, "src", vocabulary["source"])
        self.output = nn.Linear(model["d_model"], vocabulary["target"], bias=model.get("output_bias", False))
        if tied != "none":
            self.output.weight = self.tgt_embedding.tokens.weight
        self.encoder = Stack([EncoderLayer(model) for _ in range(model["encoder_layers"])], model)
        of_decoder = model | {name: weights.size("decoder", name) for name in ("heads", "ffn_dim")}
        self.decoder = Stack([DecoderLayer(of_decoder) for _ in range(model["decoder_layers"])], model)

    def forward(self, src: Tensor, src_mask: Tensor, tgt: Tensor) -> Tensor:
        """[B, T, V] logits from src and src_mask [B, S] and tgt [B, T]."""
        return self.output(self.decode(tgt, self.encode(src, src_mask), src_mask)[0])  # type: ignore[no-any-return]

    def encode(self, src: Tensor, src_mask: Tensor) -> list[KeysValues]:
        """Each decoder layer's keys and values [B, H, S, D] of the source, from src and src_mask [B, S]."""
        x, mask = self.src_embedding(src), src_mask[:, None, None, :]
        for layer in self.encoder.layers:
            x = layer(x, mask)
        x = self.encoder.norm(x)
        layers: Any = self.decoder.layers
        return [layer.cross_attention.keys_values(x) for layer in layers]

    def decode(
        self, tgt: Tensor, memory: list[KeysValues], src_mask: Tensor, past: list[KeysValues] | None = None
    ) -> tuple[Tensor, list[KeysValues]]:
        """[R, T, d] of tgt [R, T] behind what is `past`, and each layer's keys and values with those of tgt."""
        x = self.tgt_embedding(tgt, past[0][0].shape[2] if past else 0)
        mask, present = src_mask[:, None, None, :], []
        for number, layer in enumerate(self.decoder.layers):
            x, now = layer(x, memory[number], mask, past[number] if past else None)
            present.append(now)
        return self.decoder.norm(x), present

    def step(
        self,
        tokens: Tensor,
        past: list[KeysValues] | None,
        parents: Tensor | None,
        memory: list[KeysValues],
        src_mask: Tensor,
    ) -> tuple[Tensor, list[KeysValues]]:
        """[R, V] logits of what follows tokens [R], and each layer's keys and values [R, H, T, D] with theirs.

        Args:
            tokens: the newest of each hypothesis.
            past: keys and values of the tokens before; None where there are none.
            parents: [R], the hypothesis of `past` that each continues; None where each continues itself.
            memory: what `encode` found.
            src_mask: [B, S], true for tokens.
        """
        if past is not None and parents is not None:
            past = [(k[parents], v[parents]) for k, v in past]
        states, present = self.decode(tokens[:, None], memory, src_mask, past)
        return self.output(states[:, 0]), present


def _embedding(weights: Weights, side: str, vocab_size: int) -> Embedding:
    positions = torch.from_numpy(weights.positions(side))
    return Embedding(vocab_size, weights.model, positions, scaled=weights.scales_embeddings)


def stock_transformer(weights: Weights) -> StockTransformer:
    """The described model with its weights."""
    network = StockTransformer(weights)
    network.load_state_dict({name: torch.from_numpy(weights[name]) for name in network.state_dict()})
    return network
