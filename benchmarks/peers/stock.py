"""Stock PyTorch as a contestant in training: python -m peers.stock [DEVICE]; cpu or cuda.

The Transformer of Vaswani et al. 2017 as a user writes it: plain modules over padded batches, post-norm, attention by
F.scaled_dot_product_attention. Modules have mtcli's names, so that its weights fit.

Axes: B sentences, S source tokens, T target tokens (T and S: queries and keys), d model width, H heads, D head size.
"""

import sys
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from peers.plain import Padded, PlainLearner
from peers.training import Training
from peers.weights import Weights

_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": F.relu, "gelu": F.gelu, "silu": F.silu}


class Embedding(nn.Module):
    positions: Tensor

    def __init__(self, vocab_size: int, model: dict[str, Any], positions: Tensor) -> None:
        super().__init__()
        self.scale = model["d_model"] ** 0.5
        self.tokens = nn.Embedding(vocab_size, model["d_model"])
        self.dropout = nn.Dropout(model["dropout"])
        self.register_buffer("positions", positions, persistent=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """[B, T, d] from tokens [B, T]."""
        positions = self.positions[: tokens.shape[1]]
        return self.dropout(self.tokens(tokens) * self.scale + positions)  # type: ignore[no-any-return]


class Attention(nn.Module):
    def __init__(self, model: dict[str, Any]) -> None:
        super().__init__()
        width = model["d_model"]
        self.heads, self.dropout = model["heads"], model["attention_dropout"]
        self.q_proj, self.k_proj = nn.Linear(width, width), nn.Linear(width, width)
        self.v_proj, self.out_proj = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor | None, causal: bool = False) -> Tensor:
        """[B, T, d] from x [B, T, d] attending to memory [B, S, d]; mask [B, 1, 1, S] is true for tokens."""
        q, k, v = (self._split(part) for part in (self.q_proj(x), self.k_proj(memory), self.v_proj(memory)))
        dropout = self.dropout if self.training else 0.0
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


class AddAndNorm(nn.Module):
    def __init__(self, model: dict[str, Any]) -> None:
        super().__init__()
        self.norm, self.dropout = nn.LayerNorm(model["d_model"]), nn.Dropout(model["dropout"])

    def forward(self, x: Tensor, found: Tensor) -> Tensor:
        return self.norm(x + self.dropout(found))  # type: ignore[no-any-return]


class EncoderLayer(nn.Module):
    def __init__(self, model: dict[str, Any]) -> None:
        super().__init__()
        self.self_attention, self.self_attention_residual = Attention(model), AddAndNorm(model)
        self.feed_forward, self.feed_forward_residual = FeedForward(model), AddAndNorm(model)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = self.self_attention_residual(x, self.self_attention(x, x, mask))
        return self.feed_forward_residual(x, self.feed_forward(x))  # type: ignore[no-any-return]


class DecoderLayer(nn.Module):
    def __init__(self, model: dict[str, Any]) -> None:
        super().__init__()
        self.self_attention, self.self_attention_residual = Attention(model), AddAndNorm(model)
        self.cross_attention, self.cross_attention_residual = Attention(model), AddAndNorm(model)
        self.feed_forward, self.feed_forward_residual = FeedForward(model), AddAndNorm(model)

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor) -> Tensor:
        x = self.self_attention_residual(x, self.self_attention(x, x, None, causal=True))
        x = self.cross_attention_residual(x, self.cross_attention(x, memory, mask))
        return self.feed_forward_residual(x, self.feed_forward(x))  # type: ignore[no-any-return]


class Stack(nn.Module):
    def __init__(self, layers: list[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x: Tensor, *seen: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x, *seen)
        return x


class StockTransformer(nn.Module):
    """One embedding for source, target and output, as the paper has it.

    Raises:
        ValueError: the model is pre-norm, or shares another way.
    """

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        model, vocabulary = weights.model, weights.description["vocabulary"]
        if (model["norm"], model["tied_embeddings"]) != ("post", "all"):
            raise ValueError("the stock Transformer is post-norm, and its embeddings and output are one matrix.")
        self.tgt_embedding = Embedding(vocabulary["target"], model, torch.from_numpy(weights.positions("tgt")))
        self.src_embedding = self.tgt_embedding
        self.output = nn.Linear(model["d_model"], vocabulary["target"], bias=False)
        self.output.weight = self.tgt_embedding.tokens.weight
        self.encoder = Stack([EncoderLayer(model) for _ in range(model["encoder_layers"])])
        self.decoder = Stack([DecoderLayer(model) for _ in range(model["decoder_layers"])])

    def forward(self, src: Tensor, src_mask: Tensor, tgt: Tensor) -> Tensor:
        """[B, T, V] logits from src and src_mask [B, S] and tgt [B, T]."""
        mask = src_mask[:, None, None, :]
        memory = self.encoder(self.src_embedding(src), mask)
        return self.output(self.decoder(self.tgt_embedding(tgt), memory, mask))  # type: ignore[no-any-return]


class StockLearner(PlainLearner):
    """Its padded targets need no mask: a target sees what is before it, and padding comes last."""

    def build(self, weights: Weights) -> nn.Module:
        network = StockTransformer(weights)
        network.load_state_dict({name: torch.from_numpy(weights[name]) for name in network.state_dict()})
        return network

    def logits(self, batch: Padded) -> Tensor:
        return self.network(batch.src, batch.src_mask, batch.tgt)  # type: ignore[no-any-return]


if __name__ == "__main__":
    Training(StockLearner(*sys.argv[1:])).serve()
