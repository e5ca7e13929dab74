"""The forms of self-attention at decoding made of torch's own operations, against its definition."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.accuracy import assert_as_exact_as_eager
from support.decoding_cases import SelfCase, self_case

from mtcli_kernels.self_attention_decode import self_attention_decode

FORMS = ("padded", "sdpa")
# What may stand in entries never written: `padded` asks for finite numbers of ordinary size
UNWRITTEN = {"padded": (0.0, 1e4), "sdpa": (0.0, 1e4, 1e300, float("inf"), float("nan"))}
FORMS_AND_UNWRITTEN = [(impl, number) for impl in FORMS for number in UNWRITTEN[impl]]
# At one step, at several, with empty slots, with nothing but them
POSITIONS = [[0], [5, 5, 5], [0, 0], [2, 7, 0], [-1, 3, -1], [63, 64, 16, -1], [-1, -1]]


def assert_agrees(case: SelfCase, impl: str) -> None:
    ours, expected = case.copy(), case.copy()
    out = self_attention_decode(*ours.arguments, impl=impl)
    out_expected = self_attention_decode(*expected.arguments, impl="reference")
    torch.testing.assert_close(out, out_expected, rtol=1e-10, atol=1e-12)
    for cache, cache_expected in ((ours.k_cache, expected.k_cache), (ours.v_cache, expected.v_cache)):
        torch.testing.assert_close(cache, cache_expected, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize(("impl", "unwritten"), FORMS_AND_UNWRITTEN)
@pytest.mark.parametrize("beam", [1, 2, 5])
@pytest.mark.parametrize("positions", POSITIONS)
def test_agrees_with_reference(impl: str, beam: int, positions: list[int], unwritten: float) -> None:
    assert_agrees(self_case(positions, beam=beam, unwritten=unwritten, dtype=torch.float64), impl)


@pytest.mark.parametrize(("impl", "unwritten"), FORMS_AND_UNWRITTEN)
@pytest.mark.parametrize("beam", [1, 4])
@pytest.mark.parametrize("positions", [[3, 3], [3, -1, 5]])
def test_a_bound_above_all_positions_changes_nothing(
    impl: str, unwritten: float, beam: int, positions: list[int]
) -> None:
    assert_agrees(self_case(positions, beam=beam, longest=7, unwritten=unwritten, dtype=torch.float64), impl)


@pytest.mark.parametrize("impl", FORMS)
def test_an_ancestry_may_end_before_the_entries_do(impl: str) -> None:
    """A search with room for few steps, in a cache that has room for more."""
    case = self_case([3, 1], beam=1, capacity=16, unwritten=0.0, dtype=torch.float64)
    short = replace(case.places, ancestry=case.places.ancestry[:, :, :4])
    assert_agrees(replace(case, places=short), impl)


@given(
    positions=st.lists(st.integers(-1, 12), min_size=1, max_size=6),
    beam=st.integers(1, 6),
    spare=st.integers(0, 3),
    seed=st.integers(0, 1000),
)
def test_agrees_with_reference_on_any_beams(positions: list[int], beam: int, spare: int, seed: int) -> None:
    capacity = max([0, *positions]) + 1 + spare
    for impl in FORMS:
        case = self_case(
            positions,
            beam=beam,
            head_dim=5,
            capacity=capacity,
            unwritten=UNWRITTEN[impl][-1],
            dtype=torch.float64,
            seed=seed,
        )
        assert_agrees(case, impl)


@pytest.mark.parametrize("impl", FORMS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("positions", [[9, 9, 9], [9, 0, -1, 4]])
def test_others_entries_count_for_nothing_in_any_dtype(impl: str, dtype: torch.dtype, positions: list[int]) -> None:
    case = self_case(positions, unwritten=100.0, dtype=dtype)
    exact = self_attention_decode(*case.copy(torch.float64).arguments, impl="reference")
    eager = self_attention_decode(*case.copy().arguments, impl="reference")
    assert_as_exact_as_eager(self_attention_decode(*case.copy().arguments, impl=impl), eager, exact)


@pytest.mark.parametrize("impl", FORMS)
def test_caches_may_be_parts_of_larger_ones(impl: str) -> None:
    case = self_case([4, 2, -1], beam=3, unwritten=UNWRITTEN[impl][-1], dtype=torch.float64)
    room = torch.full((6, 5, 40, 16), torch.nan, dtype=torch.float64)
    k_cache, v_cache = room[::2, 1:5:2, :18], room[1::2, 1:5:2, 20:38]
    k_cache.copy_(case.k_cache)
    v_cache.copy_(case.v_cache)
    out = self_attention_decode(case.q, case.k, case.v, k_cache, v_cache, case.places, impl=impl)
    expected = self_attention_decode(*case.arguments, impl="reference")
    torch.testing.assert_close(out, expected, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(k_cache, case.k_cache, rtol=0, atol=0, equal_nan=True)
    torch.testing.assert_close(v_cache, case.v_cache, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("impl", FORMS)
def test_a_broken_line_breaks_no_other_slot(impl: str) -> None:
    case = self_case([4, 6, 2], beam=2, unwritten=0.0)
    case.v_cache[1, :, :4] = float("nan")
    out = self_attention_decode(*case.arguments, impl=impl)
    assert out[[0, 1, 4, 5]].isfinite().all()
    assert out[[2, 3]].isnan().any()
