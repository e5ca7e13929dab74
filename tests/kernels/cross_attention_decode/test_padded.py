"""The forms of cross-attention at decoding made of torch's own operations, against its definition."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.accuracy import assert_as_exact_as_eager
from support.decoding_cases import BY_SLOT, LAYOUTS, cross_case

from mtcli_kernels.cross_attention_decode import cross_attention_decode
from mtcli_kernels.cross_attention_decode.by_slot import as_rows, rows_by_slot
from mtcli_kernels.decoding_layout import SourceRegions

FORMS = ("padded", "sdpa")


def behind(layout: str) -> float:
    """Where rows are kept slot by slot these forms ask for finite numbers up to `max_length`; elsewhere for nothing."""
    return 1e4 if layout in BY_SLOT else float("nan")


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
    case = cross_case([3, 0, 17, 8], layout="by slot", behind=100.0, dtype=dtype)
    exact = cross_attention_decode(*case.to(torch.float64).arguments, impl="reference")
    eager = cross_attention_decode(*case.arguments, impl="reference")
    assert_as_exact_as_eager(cross_attention_decode(*case.arguments, impl=impl), eager, exact)


@pytest.mark.parametrize("impl", FORMS)
def test_an_empty_slot_gives_zero_whatever_lies_there(impl: str) -> None:
    case = cross_case([2, 0, 3, 0], beam=2, layout="by slot", behind=0.0)
    case.v[1] = float("nan")
    out = cross_attention_decode(*case.arguments, impl=impl)
    assert out[[2, 3, 6, 7]].eq(0).all()
    assert out[[0, 1, 4, 5]].isfinite().all()


@pytest.mark.parametrize("impl", FORMS)
@pytest.mark.parametrize("layout", ["packed", "by slot"])
def test_a_broken_source_breaks_no_other_slot(impl: str, layout: str) -> None:
    case = cross_case([3, 2, 0, 5], beam=2, layout=layout, behind=0.0)
    if layout == "packed":
        case.k[3:5] = float("nan")  # slot 1, behind slot 0's rows
    else:
        case.k[1, :, :2] = float("nan")
    out = cross_attention_decode(*case.arguments, impl=impl)
    assert out[[0, 1, 4, 5, 6, 7]].isfinite().all()
    assert out[[2, 3]].isnan().all()


@pytest.mark.parametrize("impl", (*FORMS, "reference"))
def test_keys_kept_slot_by_slot_may_lie_anyhow_in_memory(impl: str) -> None:
    case = cross_case([4, 0, 7], beam=3, layout="by slot", behind=0.0, dtype=torch.float64)
    expected = cross_attention_decode(*case.arguments, impl="reference")
    room = torch.full((6, 5, 9, 16), torch.nan, dtype=torch.float64)
    k = room[::2, 1:5:2, 1:8].copy_(case.k)
    v = room.transpose(1, 2).contiguous().transpose(1, 2)[:3, :2, 2:].copy_(case.v)
    ours = cross_attention_decode(case.q, k, v, case.regions, impl=impl)
    torch.testing.assert_close(ours, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("impl", FORMS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_bound_above_all_lengths_changes_nothing(impl: str, layout: str) -> None:
    case = cross_case([4, 0, 7, 12], beam=2, layout=layout, behind=0.0, dtype=torch.float64)
    regions = SourceRegions(case.regions.starts, case.regions.lengths.clamp(max=9), 12)
    bounded = replace(case, regions=regions)
    expected = cross_attention_decode(*bounded.arguments, impl="reference")
    ours = cross_attention_decode(*bounded.arguments, impl=impl)
    torch.testing.assert_close(ours, expected, rtol=1e-10, atol=1e-12)


def test_rows_kept_slot_by_slot_are_read_where_they_are() -> None:
    case = cross_case([3, 6, 1], layout="by slot with room")
    rows = rows_by_slot(case.k, case.regions)  # cropped to the longest
    assert rows.data_ptr() == case.k.data_ptr()
    assert rows.shape == (3, 2, 6, 16)


@pytest.mark.parametrize("layout", BY_SLOT)
def test_the_kernel_reads_them_where_they_are(layout: str) -> None:
    case = cross_case([3, 6, 1], layout=layout)
    k, v, starts = as_rows(case.k, case.v)
    assert (k.data_ptr(), v.data_ptr()) == (case.k.data_ptr(), case.v.data_ptr())
    for slot, (start, length) in enumerate(zip(starts.tolist(), [3, 6, 1], strict=True)):
        assert k[start : start + length].equal(case.k[slot, :, :length].transpose(0, 1))
        assert v[start : start + length].equal(case.v[slot, :, :length].transpose(0, 1))


@pytest.mark.parametrize("which", ["slots", "rows", "last axis", "unlike"])
def test_what_the_kernel_cannot_read_so_is_copied(which: str) -> None:
    case = cross_case([3, 6, 2], layout="by slot", behind=0.0)
    views = {
        "slots": torch.zeros(3, 2 * 6 * 16 + 8)[:, : 2 * 6 * 16].view(3, 2, 6, 16),
        "rows": torch.zeros(3, 2, 16)[:, :, None].expand(3, 2, 6, 16),
        "last axis": torch.zeros(3, 2, 16, 6).transpose(2, 3),
        "unlike": torch.zeros(3, 2, 9, 16)[:, :, :6],
    }
    v = views[which] if which == "rows" else views[which].copy_(case.v)
    k, rows, starts = as_rows(case.k if which == "unlike" else v, v)
    assert k.stride() == rows.stride()
    assert k.stride(2) == 1
    for slot, start in enumerate(starts.tolist()):
        assert rows[start : start + 6].equal(v[slot].transpose(0, 1))
