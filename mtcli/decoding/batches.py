"""Sentences of similar length in batches, for one pass over all of a batch. No tensors here.

Similar lengths share a batch, so that little of it is padding; its size is bounded by tokens.
"""

from collections.abc import Iterator, Sequence


def token_batches(lengths: Sequence[int], max_tokens: int) -> Iterator[list[int]]:
    """Group sentences by length, the longest first.

    Args:
        lengths: tokens of each sentence.
        max_tokens: bound on sentences x longest length of a batch; a longer sentence gets a batch of its own.

    Yields:
        Indices into `lengths`; each index exactly once.
    """
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    batch: list[int] = []
    for index in order:
        if batch and (len(batch) + 1) * lengths[batch[0]] > max_tokens:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
