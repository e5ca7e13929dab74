"""The definition of cross-attention at decoding, against what it must be in cases that can be told."""

import pytest
import torch
from support.decoding_cases import BY_SLOT, cross_case

from mtcli_kernels.cross_attention_decode import cross_attention_decode
from mtcli_kernels.decoding_layout import SourceRegions
from mtcli_kernels.masked_attention import masked_attention
from mtcli_kernels.packing import Packing


def test_it_is_the_attention_of_training() -> None:
    lengths = [3, 0, 1, 5]
    case = cross_case(lengths, beam=2, dtype=torch.float64)
    ours = cross_attention_decode(*case.arguments, impl="reference")
    queries, keys = Packing.of([2] * len(lengths)), Packing.of(lengths)
    expected = masked_attention(case.q, case.k, case.v, queries, keys, impl="reference")
    torch.testing.assert_close(ours, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("layout", BY_SLOT)
def test_keys_kept_slot_by_slot_give_what_packed_ones_give(layout: str) -> None:
    lengths = [3, 0, 1, 5]
    case = cross_case(lengths, beam=2, layout=layout, dtype=torch.float64)
    k, v = (
        torch.cat([rows[slot, :, :length].transpose(0, 1) for slot, length in enumerate(lengths)])
        for rows in (case.k, case.v)
    )
    starts = torch.tensor([0, 3, 3, 4], dtype=torch.int32)
    packed = cross_attention_decode(case.q, k, v, SourceRegions(starts, case.regions.lengths, 5), impl="reference")
    assert cross_attention_decode(*case.arguments, impl="reference").equal(packed)


def test_a_query_that_matches_nothing_averages_all() -> None:
    v = torch.tensor([[1.0, 4.0], [3.0, 0.0], [8.0, 8.0]])[:, None]
    regions = SourceRegions(torch.tensor([0, 2], dtype=torch.int32), torch.tensor([2, 1], dtype=torch.int32), 2)
    out = cross_attention_decode(torch.zeros(2, 1, 2), torch.ones(3, 1, 2), v, regions, impl="reference")
    assert out[:, 0].tolist() == [[2.0, 2.0], [8.0, 8.0]]


def test_a_good_match_takes_its_value() -> None:
    k = torch.tensor([[0.0, 1.0], [1.0, 0.0]])[:, None]
    v = torch.tensor([[1.0, 2.0], [3.0, 4.0]])[:, None]
    regions = SourceRegions(torch.tensor([0], dtype=torch.int32), torch.tensor([2], dtype=torch.int32), 2)
    q = torch.tensor([[1000.0, 0.0], [0.0, 1000.0]])[:, None]  # two hypotheses of one slot
    assert cross_attention_decode(q, k, v, regions, impl="reference")[:, 0].tolist() == [[3.0, 4.0], [1.0, 2.0]]
