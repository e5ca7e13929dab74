"""The held-out part: the same for the same seed, small, and never more than a tenth."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sentences import sentences

from mtcli.data.held_out import HeldOut, SmallestHashes, choose, source_hash, sources_needed


def hold_out(sources: list[str], size: int, seed: int = 1) -> HeldOut:
    smallest = SmallestHashes(sources_needed(size))
    smallest.update(Counter(source_hash(source, seed) for source in sources))
    return HeldOut(choose(smallest.counts, size, len(sources)), seed)


def count(sources: list[str], size: int = 1000) -> int:
    """Pairs held out."""
    held_out = hold_out(sources, size)
    return sum(source in held_out for source in sources)


def numbered(count: int) -> list[str]:
    return [f"source {number}" for number in range(count)]


def test_as_many_distinct_sources_are_held_out_as_asked() -> None:
    sources = sentences(200, seed=3)
    held_out = hold_out(sources * 2, 15)
    assert sum(source in held_out for source in sources) == 15


def test_the_seed_chooses_what_is_held_out() -> None:
    sources = sentences(200, seed=3)

    def chosen(seed: int, order: list[str]) -> set[str]:
        held_out = hold_out(order, 15, seed)
        return {source for source in sources if source in held_out}

    assert chosen(1, sources) == chosen(1, sources[::-1]) != chosen(2, sources)


def test_nothing_is_held_out_of_nothing() -> None:
    assert "a" not in hold_out([], 5)


def test_a_blank_source_is_never_held_out() -> None:
    assert "" not in HeldOut(frozenset({source_hash("", 1)}), 1)


@given(st.lists(st.integers(0, 30)), st.integers(0, 8))
def test_the_smallest_of_many_are_kept_with_their_counts(numbers: list[int], size: int) -> None:
    smallest = SmallestHashes(size)
    for start in range(0, len(numbers), 3):
        part = SmallestHashes(size)  # as one process looks at one part
        part.update(Counter(numbers[start : start + 3]))
        smallest.update(part.counts)
    expected = Counter(numbers)
    assert list(smallest.counts.items()) == [(number, expected[number]) for number in sorted(expected)[:size]]


@pytest.mark.parametrize(
    ("distinct", "times", "held_out"),
    [
        (100_000, 1, 1000),
        (1_500, 10, 1_500),  # of 15,000 pairs
        (900, 10, 900),
        (50, 6, 30),  # fine-tuning on 300 rows
        (30_000, 5, 2_000),
        (500, 1, 50),
        (300, 1, 30),
        (10, 1, 1),
        (9, 1, 1),
        (2, 1, 1),
        (3, 700, 700),
    ],
)
def test_a_tenth_of_the_sources_at_most(distinct: int, times: int, held_out: int) -> None:
    assert count(numbered(distinct) * times) == held_out


@pytest.mark.parametrize("sources", [["one"] * 50, numbered(3) * 2001], ids=["one source", "three of 2,001 pairs"])
def test_nothing_is_held_out_where_nothing_would_be_left_or_too_much_taken(sources: list[str]) -> None:
    assert count(sources) == 0


def test_a_source_with_very_many_pairs_is_passed_over() -> None:
    often = min(numbered(2000), key=lambda source: source_hash(source, 1))  # the first to be drawn
    sources = [*numbered(2000), *[often] * 5000]
    assert count(sources) == 200
    assert often not in hold_out(sources, 1000)


@given(st.lists(st.integers(1, 40), min_size=10, max_size=60), st.integers(1, 30))
def test_the_bounds_hold_whatever_the_corpus(times: list[int], size: int) -> None:
    sources = [f"source {number}" for number, often in enumerate(times) for _ in range(often)]
    chosen = hold_out(sources, size)
    held_out = [source for source in sources if source in chosen]
    assert len(set(held_out)) <= max(1, min(size, len(times) // 10))
    fewest = min(times)
    assert fewest <= len(held_out) <= max(fewest, len(sources) // 10)
