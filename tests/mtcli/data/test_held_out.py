"""The held-out part: the same for the same seed, sources equal to the tokenizer on one side."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sentences import sentences

from mtcli.data.held_out import HeldOut, SmallestHashes, held_out_size, source_hash


def hold_out(sources: Iterable[str], size: int, seed: int) -> HeldOut:
    smallest = SmallestHashes(size)
    smallest.update(source_hash(source, seed) for source in sources)
    return HeldOut(smallest.threshold(size), seed)


def test_as_many_distinct_sources_are_held_out_as_asked() -> None:
    sources = sentences(200, seed=3)
    held_out = hold_out(sources * 2, 15, seed=1)
    assert sum(source in held_out for source in sources) == 15


def test_the_seed_chooses_what_is_held_out() -> None:
    sources = sentences(200, seed=3)

    def chosen(seed: int, order: list[str]) -> set[str]:
        held_out = hold_out(order, 15, seed)
        return {source for source in sources if source in held_out}

    assert chosen(1, sources) == chosen(1, sources[::-1]) != chosen(2, sources)


def test_nothing_is_held_out_of_nothing() -> None:
    assert "a" not in hold_out([], 5, seed=1)


@given(st.lists(st.integers(0, 30)), st.integers(1, 8), st.integers(0, 8))
def test_the_smallest_of_many_are_kept(numbers: list[int], size: int, wanted: int) -> None:
    smallest = SmallestHashes(size)
    for start in range(0, len(numbers), 3):
        smallest.update(numbers[start : start + 3])
    expected = sorted(set(numbers))[:size]
    assert list(smallest) == expected
    assert smallest.threshold(wanted) == (expected[:wanted] or [-1])[-1]


@pytest.mark.parametrize(
    ("num_pairs", "wanted", "size"), [(100_000, 1000, 1000), (500, 1000, 50), (9, 1000, 1), (100_000, 5, 5)]
)
def test_at_most_a_tenth_is_held_out(num_pairs: int, wanted: int, size: int) -> None:
    assert held_out_size(num_pairs, wanted) == size
