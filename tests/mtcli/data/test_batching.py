"""Token-budget batches: every pair once, no batch too large, an order that (seed, epoch) fixes."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtcli.data.batching import Share, TokenBatches

lengths = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), max_size=60)


def batches_of(
    pairs: list[tuple[int, int]], batch_tokens: int, seed: int = 1, shares: tuple[Share, ...] = ()
) -> TokenBatches:
    src, tgt = np.array(pairs, dtype=np.int32).reshape(-1, 2).T
    return TokenBatches(src, tgt, batch_tokens, seed, shares)


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


def definition(pairs: list[tuple[int, int]], batch_tokens: int, seed: int, epoch: int) -> list[list[int]]:
    """The batches of a corpus without weights, written down plainly: runs that began with them go on with them."""
    random = np.random.default_rng((seed, epoch))
    order = sorted(random.permutation(len(pairs)).tolist(), key=lambda place: pairs[place][::-1])
    batches: list[list[int]] = []
    used = batch_tokens
    for place in order:
        used += max(pairs[place])
        if used > batch_tokens:
            batches.append([])
            used = max(pairs[place])
        batches[-1].append(place)
    return [batches[place] for place in random.permutation(len(batches))]


@pytest.mark.parametrize("longest", [4, 40, 70_000])
@pytest.mark.parametrize(("seed", "epoch"), [(1, 0), (3, 7)])
def test_batches_without_weights_never_change(longest: int, seed: int, epoch: int) -> None:
    for size in (0, 1, 2, 500):
        random = np.random.default_rng(size)
        pairs = [(int(src), int(tgt)) for src, tgt in random.integers(1, longest, (size, 2))]
        assert as_lists(batches_of(pairs, 200, seed), epoch) == definition(pairs, 200, seed, epoch)


def test_batches_are_those_of_the_first_version() -> None:
    batches = as_lists(batches_of([(1, 2), (2, 2), (1, 2), (3, 1), (2, 1), (9, 9)], 5, seed=1), 0)
    assert batches == [[5], [4, 3], [0, 2], [1]]


def times_drawn(shares: tuple[Share, ...], epoch: int, seed: int = 1) -> Counter[int]:
    batches = as_lists(batches_of(corpus(), 200, seed, shares), epoch)
    return Counter(place for batch in batches for place in batch)


def test_a_weight_of_one_changes_nothing() -> None:
    plain, weighted = (as_lists(batches_of(corpus(), 200, 1, shares), 3) for shares in ((), (Share(0, 300, 1.0),)))
    assert plain == weighted


def test_whole_weights_repeat_every_pair() -> None:
    drawn = times_drawn((Share(0, 100, 2.0), Share(100, 300, 3.0)), 0)
    assert drawn == {place: 2 if place < 100 else 3 for place in range(300)}


def test_halves_complete_one_another() -> None:
    shares = (Share(0, 100, 1.5), Share(100, 300, 0.5))
    first, second = (times_drawn(shares, epoch) for epoch in (0, 1))
    assert sum(first.values()) == 150 + 100
    assert {first[place] for place in range(100)} == {1, 2}
    assert first + second == {place: 3 if place < 100 else 1 for place in range(300)}
    assert set(first) & set(range(100, 300)) != set(range(100, 200))


@given(st.floats(0.01, 3.5), st.integers(1, 50), st.integers(0, 20))
def test_every_pair_comes_up_as_often_as_its_weight_says(weight: float, size: int, epochs: int) -> None:
    batches = batches_of([(1, 1)] * size, 16, 1, (Share(0, size, weight),))
    drawn = Counter(place for epoch in range(epochs) for batch in as_lists(batches, epoch) for place in batch)
    assert abs(sum(drawn.values()) - epochs * weight * size) < 1 + 1e-6 * epochs
    assert all(abs(drawn[place] - epochs * weight) < 2 for place in range(size))


def test_seed_and_epoch_fix_what_fills_a_fraction() -> None:
    shares = (Share(0, 300, 0.3),)
    assert times_drawn(shares, 4) == times_drawn(shares, 4)
    assert times_drawn(shares, 4) != times_drawn(shares, 4, seed=2)
    assert not times_drawn(shares, 0) & times_drawn(shares, 1)
