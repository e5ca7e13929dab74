"""Token-budget batches: every pair once, no batch too large, an order that (seed, epoch) fixes."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtcli.data.batching import TokenBatches

lengths = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), max_size=60)


def batches_of(pairs: list[tuple[int, int]], batch_tokens: int, seed: int = 1) -> TokenBatches:
    src, tgt = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return TokenBatches(src, tgt, batch_tokens, seed)


def corpus(size: int = 300) -> list[tuple[int, int]]:
    random = np.random.default_rng(7)
    return [(int(src), int(tgt)) for src, tgt in random.integers(1, 30, (size, 2))]


def as_lists(batches: TokenBatches, epoch: int) -> list[list[int]]:
    return [batch.tolist() for batch in batches.epoch(epoch)]


@given(lengths, st.integers(16, 200), st.integers(0, 5))
def test_every_pair_is_in_exactly_one_batch(pairs: list[tuple[int, int]], budget: int, epoch: int) -> None:
    batches = as_lists(batches_of(pairs, budget), epoch)
    assert sorted(index for batch in batches for index in batch) == list(range(len(pairs)))
    assert all(batches)


@given(lengths, st.integers(16, 200), st.integers(0, 5))
def test_the_budget_holds_on_the_longer_side(pairs: list[tuple[int, int]], budget: int, epoch: int) -> None:
    for batch in as_lists(batches_of(pairs, budget), epoch):
        assert len(batch) == 1 or sum(max(pairs[index]) for index in batch) <= budget


def test_a_pair_beyond_the_budget_is_a_batch_of_its_own() -> None:
    batches = as_lists(batches_of([(5, 5), (100, 3), (5, 5), (3, 100)], 20), epoch=0)
    assert sorted(batches, key=min) == [[0, 2], [1], [3]] or sorted(batches, key=min) == [[2, 0], [1], [3]]


def test_seed_and_epoch_fix_the_batches() -> None:
    assert as_lists(batches_of(corpus(), 200, seed=3), 4) == as_lists(batches_of(corpus(), 200, seed=3), 4)


@pytest.mark.parametrize(("seed", "epoch"), [(3, 5), (4, 4)])
def test_another_seed_or_epoch_gives_another_order(seed: int, epoch: int) -> None:
    assert as_lists(batches_of(corpus(), 200, seed=3), 4) != as_lists(batches_of(corpus(), 200, seed), epoch)


def test_equal_pairs_meet_others_in_another_epoch() -> None:
    batches = batches_of([(10, 10)] * 40, 50)
    first, second = ({frozenset(batch) for batch in as_lists(batches, epoch)} for epoch in (0, 1))
    assert first != second


def test_a_batch_holds_similar_lengths() -> None:
    pairs = corpus()
    ranges = sorted(
        (min(pairs[index][1] for index in batch), max(pairs[index][1] for index in batch))
        for batch in as_lists(batches_of(pairs, 200), 0)
    )
    assert all(shorter[1] <= longer[0] for shorter, longer in pairwise(ranges))


def test_long_and_short_batches_are_mixed() -> None:
    pairs = corpus()
    first_lengths = [pairs[batch[0]][1] for batch in as_lists(batches_of(pairs, 200), 0)]
    assert first_lengths not in (sorted(first_lengths), sorted(first_lengths, reverse=True))


def test_batches_fill_their_budget() -> None:
    pairs = corpus()
    batches = as_lists(batches_of(pairs, 200), 0)
    tokens = sum(max(pair) for pair in pairs)
    assert len(batches) <= tokens / (200 - 30) + 1


def test_an_empty_corpus_has_no_batch() -> None:
    assert as_lists(batches_of([], 100), 0) == []
