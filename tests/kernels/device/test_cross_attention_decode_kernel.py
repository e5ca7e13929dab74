"""The kernels of cross-attention at decoding against their definition."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.accuracy import assert_as_exact_as_eager
from support.decoding_cases import LAYOUTS, CrossCase, cross_case
from support.slow import slow

from mtcli_kernels.cross_attention_decode import cross_attention_decode
from mtcli_kernels.decoding_layout import SourceRegions

LENGTHS = [1, 2, 15, 16, 17, 63, 64, 65, 127]
SPLIT_LENGTHS = [0, 127, 128, 129, 255, 256, 257, 300]  # a program reads 128 source rows


def run(case: CrossCase) -> torch.Tensor:
    return cross_attention_decode(*case.arguments, impl="triton")


def assert_right(case: CrossCase) -> torch.Tensor:
    ours = run(case)
    exact = cross_attention_decode(*case.to(torch.float64).arguments, impl="reference")
    eager = cross_attention_decode(*case.arguments, impl="reference")
    assert_as_exact_as_eager(ours, eager, exact)
    return ours


def slots_of(case: CrossCase, slots: Sequence[int]) -> CrossCase:
    """The same with these slots alone, in this order."""
    beam = case.q.shape[0] // case.regions.num_slots
    q, lengths = case.q.unflatten(0, (-1, beam))[slots].flatten(0, 1), case.regions.lengths[slots]
    if case.regions.starts is None:
        return CrossCase(q, case.k[slots], case.v[slots], SourceRegions(None, lengths, int(lengths.max())))
    regions = SourceRegions(case.regions.starts[slots], lengths, int(lengths.max()))
    return replace(case, q=q, regions=regions)


@pytest.mark.parametrize("head_dim", [16, 48, *slow(32, 64, 128)])
def test_agrees_with_reference(head_dim: int, dtype: torch.dtype, device: torch.device) -> None:
    assert_right(cross_case(LENGTHS, head_dim=head_dim, dtype=dtype, device=device))


@pytest.mark.parametrize("beam", [1, 5, 17, *slow(4, 16, 64)])
def test_any_beam(beam: int, dtype: torch.dtype, device: torch.device) -> None:
    assert_right(cross_case([33, 0, 7], beam=beam, dtype=dtype, device=device))


@pytest.mark.parametrize("beam", [1, 5])
def test_sources_longer_than_a_split(beam: int, dtype: torch.dtype, device: torch.device) -> None:
    out = assert_right(cross_case(SPLIT_LENGTHS, beam=beam, dtype=dtype, device=device))
    assert out[:beam].eq(0).all()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_layout(layout: str, device: torch.device) -> None:
    """NaN stands in all rows that belong to no slot."""
    assert_right(cross_case([5, 0, 40, 1], head_dim=20, layout=layout, device=device))


def test_any_strides(device: torch.device) -> None:
    case = cross_case([5, 40, 3], device=device)
    q = case.q.transpose(0, 1).contiguous().transpose(0, 1)
    k = case.k.new_full((2 * case.k.shape[0], 5, 16), torch.nan)[::2, 1:5:2]
    k.copy_(case.k)
    v = case.v.transpose(1, 2).contiguous().transpose(1, 2)  # its last axis is not adjacent
    assert_right(replace(case, q=q, k=k, v=v))


@pytest.mark.parametrize("is_alike", [True, False])
def test_keys_kept_slot_by_slot_may_lie_anyhow_in_memory(is_alike: bool, device: torch.device) -> None:
    """As parts of larger caches, alike or each in a way of its own."""
    case = cross_case([5, 40, 0, 3], layout="by slot", device=device)
    room = case.k.new_full((8, 5, 50, 16), torch.nan)
    k = room[::2, 1:5:2, 3:43].copy_(case.k)
    v = room[1::2, 1:5:2, 3:43] if is_alike else torch.empty_like(case.v.transpose(1, 2)).transpose(1, 2)
    v.copy_(case.v)
    out = assert_right(replace(case, k=k, v=v))
    assert out.equal(run(case))


def test_keys_kept_slot_by_slot_are_read_as_packed_ones_are(dtype: torch.dtype, device: torch.device) -> None:
    """To the bit, also where a source is split."""
    lengths = [1, 300, 128, 0, 17]
    case = cross_case(lengths, layout="by slot with room", dtype=dtype, device=device)
    k, v = (
        torch.cat([rows[slot, :, :length].transpose(0, 1) for slot, length in enumerate(lengths)])
        for rows in (case.k, case.v)
    )
    starts = torch.tensor([0, 1, 301, 429, 429], dtype=torch.int32, device=device)
    packed = CrossCase(case.q, k, v, SourceRegions(starts, case.regions.lengths, 300))
    assert run(case).equal(run(packed))


@pytest.mark.parametrize("layout", ["packed", "by slot with room"])
def test_a_sources_bits_do_not_depend_on_the_batch(layout: str, dtype: torch.dtype, device: torch.device) -> None:
    """Neither on its neighbours, nor on its place, nor on whether another one is long enough to be split."""
    lengths = [1, 300, 128, 0, 127, 129, 16, 200]
    case = cross_case(lengths, layout=layout, dtype=dtype, device=device)
    together = run(case).unflatten(0, (len(lengths), -1))
    for slots in [[0, 2, 3, 4, 6], [7, 6, 5, 4, 3, 2, 1, 0], *([slot] for slot in range(len(lengths)))]:
        part = run(slots_of(case, slots)).unflatten(0, (len(slots), -1))
        assert part.equal(together[slots]), slots
    bound = SourceRegions(case.regions.starts, case.regions.lengths, 303 if layout != "packed" else 1000)
    assert run(replace(case, regions=bound)).equal(together.flatten(0, 1))


def test_a_broken_source_breaks_no_other_slot(device: torch.device) -> None:
    case = cross_case([20, 200, 0, 31], beam=2, device=device)
    case.k[20:220] = torch.nan  # slot 1
    out = run(case)
    assert out[[0, 1, 4, 5, 6, 7]].isfinite().all()
    assert out[[2, 3]].isnan().all()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("lengths", [[], [0], [0, 0, 0]])
def test_nothing_to_look_at(lengths: list[int], layout: str, device: torch.device) -> None:
    out = run(cross_case(lengths, beam=3, layout=layout, device=device))
    assert out.equal(torch.zeros(3 * len(lengths), 2, 16, device=device))


def test_large_scores_do_not_overflow(device: torch.device) -> None:
    case = cross_case([150, 30], head_dim=32, device=device)
    assert_right(replace(case, q=case.q * 300))


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lengths=st.lists(st.integers(0, 40) | st.integers(120, 270), min_size=1, max_size=4),
    beam=st.integers(1, 6),
    head_dim=st.integers(1, 40),
    layout=st.sampled_from(LAYOUTS),
    seed=st.integers(0, 1000),
)
def test_any_sources(
    device: torch.device, lengths: list[int], beam: int, head_dim: int, layout: str, seed: int
) -> None:
    case = cross_case(lengths, beam=beam, heads=1, head_dim=head_dim, layout=layout, device=device, seed=seed)
    assert_right(case)


@pytest.mark.parametrize("lengths", [[3, 0, 9], [3, 140]])
def test_the_operator_keeps_torchs_rules(lengths: list[int], device: torch.device) -> None:
    from mtcli_kernels.cross_attention_decode.op import cross_attention_decode_op

    case = cross_case(lengths, beam=2, device=device)
    regions = case.regions
    arguments = (case.q, case.k, case.v, regions.starts, regions.lengths, regions.max_length, 0.25)
    torch.library.opcheck(cross_attention_decode_op, arguments)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_it_can_be_compiled(layout: str, device: torch.device) -> None:
    case = cross_case([3, 0, 9], beam=2, layout=layout, device=device)
    compiled = torch.compile(cross_attention_decode, fullgraph=True, backend="aot_eager")
    assert compiled(*case.arguments, impl="triton").equal(run(case))


@pytest.mark.gpu
@pytest.mark.parametrize("layout", ["packed", "by slot with room"])
@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
def test_real_sizes(half: torch.dtype, layout: str, device: torch.device) -> None:
    """256 sentences of 1 to 200 tokens, beam 4, heads of the base model."""
    lengths = torch.randint(1, 201, (256,), generator=torch.Generator().manual_seed(5)).tolist()
    lengths[7] = 0
    case = cross_case(lengths, heads=8, head_dim=64, layout=layout, dtype=half, device=device)
    together = assert_right(case).unflatten(0, (256, -1))
    short = [slot for slot in range(256) if lengths[slot] <= 128]
    assert run(slots_of(case, short)).unflatten(0, (len(short), -1)).equal(together[short])


@pytest.mark.gpu
@pytest.mark.parametrize("head_dim", [32, 128])
@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
def test_long_sources(half: torch.dtype, head_dim: int, device: torch.device) -> None:
    assert_right(cross_case([1000, 3, 0, 777, 128], beam=5, heads=16, head_dim=head_dim, dtype=half, device=device))
