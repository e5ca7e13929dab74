"""The lengths that are measured."""

import statistics

import pytest
import torch

from mtcli.bench.kernels.self_attention_decode import owned_entries, random_ancestry
from mtcli.bench.workload.shapes import bucketed_lengths, news_lengths, region_lengths, translated_lengths


def test_news_lengths_have_the_spread_of_news() -> None:
    lengths = news_lengths(25_000, seed=1)
    assert sum(lengths) == 25_000
    assert min(lengths) >= 1
    assert max(lengths) <= 128
    assert statistics.mean(lengths) == pytest.approx(27, abs=2)
    assert statistics.pstdev(lengths) == pytest.approx(15, abs=2)
    assert lengths == news_lengths(25_000, seed=1)
    assert lengths != news_lengths(25_000, seed=2)


def test_bucketed_lengths_are_close_together() -> None:
    lengths = bucketed_lengths(25_000, seed=1)
    assert sum(lengths) == 25_000
    assert {min(lengths[:-1]), max(lengths)} == {24, 30}


def test_translated_lengths_pair_up() -> None:
    lengths = news_lengths(1000, seed=1)
    translated = translated_lengths(lengths, seed=2)
    assert len(translated) == len(lengths)
    assert sum(translated) == pytest.approx(1000, rel=0.15)


def test_region_lengths_fill_one_region() -> None:
    lengths = region_lengths(50, 32, seed=1)
    assert len(lengths) == 50
    assert max(lengths) == 32
    assert min(lengths) >= 16


def test_random_ancestry_is_one() -> None:
    ancestry = random_ancestry(slots=3, beam=4, position=6, seed=1)
    assert ancestry.shape == (3, 4, 7)
    assert ancestry[:, :, 6].equal(torch.arange(4, dtype=torch.int32).expand(3, 4))
    for later in range(6):  # hypotheses that shared an entry shared all before it
        for slot in ancestry.tolist():
            pasts: dict[int, list[int]] = {}
            for row in slot:
                assert pasts.setdefault(row[later], row[:later]) == row[:later]


def test_owned_entries_are_counted_once() -> None:
    ancestry = torch.tensor([[[0, 1, 0], [0, 0, 1]]])  # one slot: step 0 place 0 twice, step 1 both places
    assert owned_entries(ancestry) == 3
