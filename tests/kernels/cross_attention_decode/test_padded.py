"""The forms of cross-attention at decoding made of torch's own operations, against its definition."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.accuracy import assert_as_exact_as_eager
from support.decoding_cases import LAYOUTS, cross_case

from mtcli_kernels.cross_attention_decode import cross_attention_decode
from mtcli_kernels.cross_attention_decode.by_slot import rows_by_slot

FORMS = ("padded", "sdpa")


def behind(layout: str) -> float:
    """Between regions at equal distances these forms ask for finite numbers; elsewhere for nothing."""
    return 1e4 if layout in ("equal", "head-major") else float("nan")


@pytest.mark.parametrize("impl", FORMS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("beam", [1, 5])
@pytest.mark.parametrize("lengths", [[4, 4], [1, 5, 3], [0, 2, 0, 7, 0], [63, 1, 64, 65]])
def test_agrees_with_reference(impl: str, layout: str, beam: int, lengths: list[int]) -> None:
    case = cross_case(lengths, beam=beam, layout=layout, behind=behind(layout), dtype=torch.float64)
    ours = cross_attention_decode(*case.arguments, impl=impl)
    expected = cross_attention_decode(*case.arguments, impl="reference")
    torch.testing.assert_close(ours, expected, rtol=1e-10, atol=1e-12)


@given(
    lengths=st.lists(st.integers(0, 20), min_size=1, max_size=6),
    beam=st.integers(1, 6),
    layout=st.sampled_from(LAYOUTS),
    seed=st.integers(0, 1000),
)
def test_agrees_with_reference_on_any_sources(lengths: list[int], beam: int, layout: str, seed: int) -> None:
    case = cross_case(
        lengths, beam=beam, head_dim=5, layout=layout, behind=behind(layout), dtype=torch.float64, seed=seed
    )
    expected = cross_attention_decode(*case.arguments, impl="reference")
    for impl in FORMS:
        ours = cross_attention_decode(*case.arguments, impl=impl)
        torch.testing.assert_close(ours, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("impl", FORMS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_padding_counts_for_nothing_in_any_dtype(impl: str, dtype: torch.dtype) -> None:
    case = cross_case([3, 0, 17, 8], layout="head-major", behind=100.0, dtype=dtype)
    exact = cross_attention_decode(*case.to(torch.float64).arguments, impl="reference")
    eager = cross_attention_decode(*case.arguments, impl="reference")
    assert_as_exact_as_eager(cross_attention_decode(*case.arguments, impl=impl), eager, exact)


@pytest.mark.parametrize("impl", FORMS)
def test_an_empty_slot_gives_zero_whatever_lies_there(impl: str) -> None:
    case = cross_case([2, 0, 3, 0], beam=2, layout="head-major", behind=0.0)
    case.v[case.regions.stride : 2 * case.regions.stride] = float("nan")
    out = cross_attention_decode(*case.arguments, impl=impl)
    assert out[[2, 3, 6, 7]].eq(0).all()
    assert out[[0, 1, 4, 5]].isfinite().all()


@pytest.mark.parametrize("impl", FORMS)
def test_a_broken_source_breaks_no_other_slot(impl: str) -> None:
    case = cross_case([3, 2, 0, 5], beam=2)
    case.k[3:5] = float("nan")  # slot 1, behind slot 0's rows
    out = cross_attention_decode(*case.arguments, impl=impl)
    assert out[[0, 1, 4, 5, 6, 7]].isfinite().all()


def test_head_major_rows_are_read_where_they_are() -> None:
    case = cross_case([3, 6, 1], layout="head-major")
    by_slot = rows_by_slot(case.k, case.regions)  # two heads, three slots, cropped to the longest
    assert by_slot.data_ptr() == case.k.data_ptr()
    assert by_slot.shape == (6, 6, 16)
