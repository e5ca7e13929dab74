"""What the decoder remembers between steps: the keys and values it need not compute again.

Axes: B sentences, R = B x beam rows (hypotheses), H heads, S source tokens, T target tokens so far, D head size.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class CrossCache:
    """One decoder layer's view of the encoder's top layer, through this layer's own W_k and W_v.

    It is projected once a sentence and shared by all its hypotheses.

    Attributes:
        keys, values: [B, H, S, D].
        bias: [B, 1, 1, S], -1e30 where a shorter sentence is padded; None without padding.
    """

    keys: Tensor
    values: Tensor
    bias: Tensor | None

    def select(self, sentences: Tensor) -> "CrossCache":
        """Keep these sentences, in this order."""
        bias = None if self.bias is None else self.bias.index_select(0, sentences)
        return CrossCache(self.keys.index_select(0, sentences), self.values.index_select(0, sentences), bias)


class SelfCache:
    """One decoder layer's keys and values of the target tokens so far, for every hypothesis."""

    def __init__(self, capacity: int = 32) -> None:
        self._capacity = capacity
        self._keys: Tensor | None = None
        self._values: Tensor | None = None

    def update(self, key: Tensor, value: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """Append this step's key and value [R, H, D]; return all so far, each [R, H, step + 1, D]."""
        if self._keys is None or self._values is None:
            rows, heads, head_dim = key.shape
            self._keys = key.new_empty(rows, heads, self._capacity, head_dim)
            self._values = torch.empty_like(self._keys)
        elif step >= self._keys.shape[2]:
            self._keys, self._values = _doubled(self._keys), _doubled(self._values)
        self._keys[:, :, step] = key
        self._values[:, :, step] = value
        return self._keys[:, :, : step + 1], self._values[:, :, : step + 1]

    def select(self, rows: Tensor, step: int) -> None:
        """Row i continues the hypothesis that row `rows[i]` held; only the first `step` entries matter."""
        if self._keys is None or self._values is None:
            return
        for name, tensor in (("_keys", self._keys), ("_values", self._values)):
            moved = tensor.new_empty(rows.numel(), *tensor.shape[1:])
            moved[:, :, :step] = tensor[:, :, :step].index_select(0, rows)
            setattr(self, name, moved)


def _doubled(tensor: Tensor) -> Tensor:
    grown = tensor.new_empty(*tensor.shape[:2], 2 * tensor.shape[2], tensor.shape[3])
    grown[:, :, : tensor.shape[2]] = tensor
    return grown


class DecoderCache:
    """The caches of all decoder layers, and the step they stand at."""

    def __init__(self, cross: list[CrossCache]) -> None:
        self.cross = cross
        self.self_attention = [SelfCache() for _ in cross]
        self.step = 0

    def select_rows(self, rows: Tensor) -> None:
        """Reorder hypotheses within their sentences: row i continues what row `rows[i]` held."""
        for cache in self.self_attention:
            cache.select(rows, self.step)

    def select_sentences(self, sentences: Tensor) -> None:
        """Drop all sentences but these; `select_rows` must be told the rows that stay."""
        self.cross = [cache.select(sentences) for cache in self.cross]
