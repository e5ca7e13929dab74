"""Fewest bytes that an operation must move through the GPU's memory, and the arithmetic it must do.

Every input is read once and every output written once; indexes and tables are left out where they are small.
A product of [m, k] and [k, n] is 2 m k n floating-point operations; the softmax's own are left out, as everywhere.
`width` is bytes of a number.
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


NOTHING = Cost(0)


def copy(num_bytes: int) -> Cost:
    """A copy reads and writes."""
    return Cost(2 * num_bytes)


def matmul(m: int, k: int, n: int, width: int) -> Cost:
    """[m, k] @ [k, n]."""
    return Cost((m * k + k * n + m * n) * width, 2 * m * k * n)


def attention(
    queries: Sequence[int],
    keys: Sequence[int],
    causal: bool,
    heads: int,
    head_dim: int,
    width: int,
    *,
    training: bool = False,
) -> Cost:
    """Attention over sentences with so many queries and keys.

    - Forward reads q, k, v and writes the output; two products (q k and p v) for each pair of a query and a key that
      it sees.
    - Backward, in training, reads q, k, v, the output, its gradient, and the log-sum-exps that forward wrote, and
      writes three gradients; five products (q k again, dp, dv, dq, dk) for each pair.
    """
    if causal:
        pairs = sum(length * (length + 1) // 2 for length in queries)
    else:
        pairs = sum(rows * columns for rows, columns in zip(queries, keys, strict=True))
    size, num_q, num_k = heads * head_dim, sum(queries), sum(keys)
    forward = Cost((2 * num_q + 2 * num_k) * size * width, 4 * size * pairs)
    backward = Cost((4 * num_q + 4 * num_k) * size * width + 2 * 4 * heads * num_q, 10 * size * pairs)
    return forward + backward if training else forward


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


def logits(rows: int, vocabulary: int, width: int, *, times: int = 1) -> Cost:
    """Logits that are gone over so many times: once by a search step and by the loss, whose results are small; three
    times by the loss and its gradient, which reads them again and writes as much."""
    return Cost(times * rows * vocabulary * width)
