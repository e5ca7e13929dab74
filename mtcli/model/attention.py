"""Multi-head attention (Vaswani et al. 2017, section 3.2.2), for training and step by step.

The arithmetic is in kernels/mtcli_kernels: here are the projections before and after it.

Axes: N packed tokens, d model width, H heads, D head size, B sentences, R = slots x beam hypotheses.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mtcli.config import ModelConfig
from mtcli.model.cache import CrossCache, SelfCache
from mtcli_kernels.cross_attention_decode import cross_attention_decode
from mtcli_kernels.decoding_layout import BeamPlaces, SourceRegions
from mtcli_kernels.dense import attention_bias
from mtcli_kernels.masked_attention import masked_attention
from mtcli_kernels.packing import Packing
from mtcli_kernels.self_attention_decode import self_attention_decode


class Attention(nn.Module):
    """Queries from one sequence look at keys and values from another, or from the same one.

    In the decoder's encoder-decoder attention the queries come from the decoder, and the keys and
    values from the encoder's top layer through this layer's own W_k (`k_proj`) and W_v (`v_proj`).

    Attributes:
        impl: the form of the attention operations: `auto`, or one that must run (mtcli/model/implementations.py).
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads, self.head_dim, self.dropout = config.heads, config.head_dim, config.attention_dropout
        self.impl = "auto"
        self.q_proj = nn.Linear(config.d_model, config.d_model)
        self.k_proj = nn.Linear(config.d_model, config.d_model)
        self.v_proj = nn.Linear(config.d_model, config.d_model)
        self.out_proj = nn.Linear(config.d_model, config.d_model)
        self._joined: tuple[Tensor, Tensor] | None = None

    def split_heads(self, x: Tensor) -> Tensor:
        """[N, d] -> [N, H, D]."""
        return x.view(-1, self.heads, self.head_dim)

    def forward(self, x: Tensor, memory: Tensor, queries: Packing, keys: Packing, causal: bool = False) -> Tensor:
        """[N_q, d] from x [N_q, d] attending to memory [N_k, d], sentence by sentence."""
        q, k, v = (self.split_heads(y) for y in (self.q_proj(x), self.k_proj(memory), self.v_proj(memory)))
        dropout = self.dropout if self.training else 0.0
        out = masked_attention(q, k, v, queries, keys, causal=causal, dropout=dropout, impl=self.impl)
        return self.out_proj(out.flatten(1))  # type: ignore[no-any-return]

    def project_memory(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values [N, H, D] of the encoder's top layer [N, d], computed once for all decoding steps."""
        return self.split_heads(self.k_proj(memory)), self.split_heads(self.v_proj(memory))

    @property
    def joined(self) -> tuple[Tensor, Tensor]:
        """W_q, W_k and W_v as one [3 * d, d], and their biases [3 * d]: in a step one product costs less than three."""
        return self._joined or self._join()

    def _join(self) -> tuple[Tensor, Tensor]:
        layers = (self.q_proj, self.k_proj, self.v_proj)
        return torch.cat([layer.weight for layer in layers]), torch.cat([layer.bias for layer in layers])

    def join(self) -> None:
        """Keep `joined` as the weights are now; to be called again when they have changed. Training undoes it."""
        self._joined = self._join()

    def train(self, mode: bool = True) -> "Attention":
        if mode:
            self._joined = None
        return super().train(mode)

    def __getstate__(self) -> dict[str, Any]:
        """For copies, whose weights may become others."""
        return {**self.__dict__, "_joined": None}

    def step_self(self, x: Tensor, cache: SelfCache, places: BeamPlaces) -> Tensor:
        """[R, d]: the newest token of each hypothesis attends to itself and its predecessors."""
        qkv = F.linear(x, *self.joined).view(-1, 3, self.heads, self.head_dim)
        q, k, v = qkv.unbind(1)
        out = self_attention_decode(q, k, v, cache.keys, cache.values, places, impl=self.impl)
        return self.out_proj(out.flatten(1))  # type: ignore[no-any-return]

    def step_cross(self, x: Tensor, cache: CrossCache, regions: SourceRegions) -> Tensor:
        """[R, d]: the newest token of each hypothesis attends to its source sentence."""
        q = self.split_heads(self.q_proj(x))
        out = cross_attention_decode(q, cache.keys, cache.values, regions, impl=self.impl)
        return self.out_proj(out.flatten(1))  # type: ignore[no-any-return]

    def weights(self, x: Tensor, memory: Tensor, queries: Packing, keys: Packing) -> Tensor:
        """[B, H, T, S]: how much each query looks at each key, which the operations do not keep."""
        q = queries.pad(self.split_heads(self.q_proj(x))).transpose(1, 2)
        k = keys.pad(self.split_heads(self.k_proj(memory))).transpose(1, 2)
        scores = (q * self.head_dim**-0.5) @ k.transpose(-1, -2)
        bias = attention_bias(queries, keys, causal=False, dtype=scores.dtype)
        if bias is not None:
            scores = scores + bias
        return scores.softmax(-1)  # type: ignore[no-any-return]
