"""Fewest bytes that an operation must move through the GPU's memory, and the arithmetic it must do.

Every input is read once and every output written once; indexes and tables are left out where they are small.
A product of [m, k] and [k, n] is 2 m k n floating-point operations; the softmax's own are left out, as everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """Bytes and floating-point operations of one call."""

    bytes: int
    flops: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.bytes + other.bytes, self.flops + other.flops)

    def floor(self, bytes_per_second: float, flops_per_second: float | None) -> float:
        """Seconds below which no implementation can get: the larger of the two times."""
        arithmetic = self.flops / flops_per_second if flops_per_second else 0.0
        return max(self.bytes / bytes_per_second, arithmetic)


def copy(num_bytes: int) -> Cost:
    """A copy reads and writes."""
    return Cost(2 * num_bytes)


def matmul(m: int, k: int, n: int, width: int) -> Cost:
    """[m, k] @ [k, n], numbers of `width` bytes."""
    return Cost((m * k + k * n + m * n) * width, 2 * m * k * n)


def seen_pairs(queries: Sequence[int], keys: Sequence[int], causal: bool) -> int:
    """Pairs of a query and a key that it sees, over sentences of these lengths."""
    if causal:
        return sum(length * (length + 1) // 2 for length in queries)
    return sum(rows * columns for rows, columns in zip(queries, keys, strict=True))


def attention_forward(
    queries: Sequence[int], keys: Sequence[int], causal: bool, heads: int, head_dim: int, width: int
) -> Cost:
    """Reads q, k, v and writes the output; two products (q k and p v) for each pair."""
    row = heads * head_dim * width
    return Cost((2 * sum(queries) + 2 * sum(keys)) * row, 4 * heads * head_dim * seen_pairs(queries, keys, causal))


def attention_training(
    queries: Sequence[int], keys: Sequence[int], causal: bool, heads: int, head_dim: int, width: int
) -> Cost:
    """Forward, then backward: it reads q, k, v, the output, its gradient, and the log-sum-exps that forward wrote,
    and writes three gradients; five products (q k again, dp, dv, dq, dk) for each pair."""
    row = heads * head_dim * width
    lse = 2 * 4 * heads * sum(queries)
    backward = Cost(
        (4 * sum(queries) + 4 * sum(keys)) * row + lse, 10 * heads * head_dim * seen_pairs(queries, keys, causal)
    )
    return attention_forward(queries, keys, causal, heads, head_dim, width) + backward


def cross_attention_decode(sources: Sequence[int], beam: int, heads: int, head_dim: int, width: int) -> Cost:
    """One step of every slot: its keys and values once for all its hypotheses, queries in, outputs out."""
    row = heads * head_dim * width
    return Cost((2 * sum(sources) + 2 * len(sources) * beam) * row, 4 * heads * head_dim * beam * sum(sources))


def self_attention_decode(owned: int, past: Sequence[int], beam: int, heads: int, head_dim: int, width: int) -> Cost:
    """One step of every hypothesis: it reads k, v and writes them to the cache, reads q and writes the output, and
    reads each earlier entry that some hypothesis owns once.

    Args:
        owned: cache entries of earlier steps that at least one hypothesis owns, over all slots.
        past: each slot's number of earlier steps.
        beam, heads, head_dim, width: as elsewhere.
    """
    row = heads * head_dim * width
    rows = beam * len(past)
    return Cost((2 * owned + 6 * rows) * row, 4 * heads * head_dim * beam * sum(steps + 1 for steps in past))


def beam_step(rows: int, vocabulary: int, width: int) -> Cost:
    """One read of the logits; what it writes is small."""
    return Cost(rows * vocabulary * width)


def cross_entropy_forward(rows: int, vocabulary: int, width: int) -> Cost:
    """One read of the logits."""
    return Cost(rows * vocabulary * width)


def cross_entropy_training(rows: int, vocabulary: int, width: int) -> Cost:
    """Forward reads the logits; backward reads them again and writes the gradient."""
    return Cost(3 * rows * vocabulary * width)
