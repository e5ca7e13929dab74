"""The kernel of self-attention at decoding against its definition, a cache that is gathered anew for everyone."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.accuracy import assert_as_exact_as_eager
from support.decoding_cases import SelfCase, self_case
from support.slow import slow

from mtcli_kernels.decoding_layout import BeamPlaces
from mtcli_kernels.self_attention_decode import self_attention_decode

POSITIONS = [0, 1, 14, 15, 16, -1, 62, 63, 64, 126]  # of 1 to 127 tokens with the new one


def run(case: SelfCase) -> torch.Tensor:
    return self_attention_decode(*case.arguments, impl="triton")


def assert_right(case: SelfCase) -> None:
    ours, eager, exact = case.copy(), case.copy(), case.copy(torch.float64)
    out = run(ours)
    out_eager, out_exact = (self_attention_decode(*other.arguments, impl="reference") for other in (eager, exact))
    assert_as_exact_as_eager(out, out_eager, out_exact)
    for cache, expected in ((ours.k_cache, eager.k_cache), (ours.v_cache, eager.v_cache)):
        torch.testing.assert_close(cache, expected, rtol=0, atol=0, equal_nan=True)


def slots_of(case: SelfCase, slots: Sequence[int]) -> SelfCase:
    """The same with these slots alone, in this order."""
    beam = case.places.beam
    q, k, v = (x.unflatten(0, (-1, beam))[slots].flatten(0, 1) for x in (case.q, case.k, case.v))
    positions = case.places.positions[slots]
    places = BeamPlaces(case.places.ancestry[slots], positions, max(0, int(positions.max())))
    return SelfCase(q, k, v, case.k_cache[slots], case.v_cache[slots], places)


@pytest.mark.parametrize("head_dim", [16, 48, *slow(32, 64, 128)])
def test_agrees_with_reference(head_dim: int, dtype: torch.dtype, device: torch.device) -> None:
    assert_right(self_case(POSITIONS, beam=3, heads=1, head_dim=head_dim, dtype=dtype, device=device))


@pytest.mark.parametrize("beam", [1, 5, 17, *slow(4, 16, 64)])
def test_any_beam(beam: int, dtype: torch.dtype, device: torch.device) -> None:
    assert_right(self_case([5, 0, -1], beam=beam, dtype=dtype, device=device))


def test_entries_of_nobody_are_not_read(device: torch.device) -> None:
    """NaN stands in them: in what has not been written, and in what no living hypothesis descends from."""
    case = self_case([30, 3, 17], beam=5, unowned=float("nan"), device=device)
    assert case.k_cache[0, :, : 30 * 5].isnan().any()
    assert_right(case)


def test_any_strides(device: torch.device) -> None:
    case = self_case([12, 0, -1, 5], beam=3, device=device)
    q = case.q.transpose(0, 1).contiguous().transpose(0, 1)
    k = case.k.transpose(1, 2).contiguous().transpose(1, 2)  # its last axis is not adjacent
    v = case.v.new_full((24, 5, 20), torch.nan)[::2, 1:5:2, :16].copy_(case.v)
    entries = case.k_cache.shape[2]
    room = case.q.new_full((8, entries + 7, 5, 16), torch.nan).transpose(1, 2)
    k_cache = room[::2, 1:5:2, :entries].copy_(case.k_cache)
    v_cache = room[1::2, :2, 7:].copy_(case.v_cache)
    ancestry = case.places.ancestry.transpose(1, 2).contiguous().transpose(1, 2)
    out = run(SelfCase(q, k, v, k_cache, v_cache, replace(case.places, ancestry=ancestry)))
    plain = case.copy()
    assert out.equal(run(plain))
    torch.testing.assert_close(k_cache, plain.k_cache, rtol=0, atol=0, equal_nan=True)
    torch.testing.assert_close(v_cache, plain.v_cache, rtol=0, atol=0, equal_nan=True)
    assert room[1::2, 2:].isnan().all()


def test_a_slots_bits_do_not_depend_on_the_batch(dtype: torch.dtype, device: torch.device) -> None:
    """Neither on its neighbours, nor on its place, nor on the cache's capacity."""
    case = self_case([40, -1, 0, 15, 16, 33], dtype=dtype, device=device)
    together = run(case.copy()).unflatten(0, (6, -1))
    for slots in [[5, 4, 3, 2, 1, 0], *([slot] for slot in range(6))]:
        part = run(slots_of(case, slots).copy()).unflatten(0, (len(slots), -1))
        assert part.equal(together[slots]), slots
    wider = case.copy()
    room = torch.full((6, 2, 100 * 4, 16), torch.nan, dtype=dtype, device=device)
    k_cache, v_cache = room, room.clone()
    k_cache[:, :, : 42 * 4], v_cache[:, :, : 42 * 4] = wider.k_cache, wider.v_cache
    ancestry = torch.full((6, 4, 100), 7, dtype=torch.int32, device=device)
    ancestry[:, :, :42] = wider.places.ancestry
    places = BeamPlaces(ancestry, wider.places.positions, 99)
    assert run(replace(wider, k_cache=k_cache, v_cache=v_cache, places=places)).equal(together.flatten(0, 1))


def test_a_broken_line_breaks_no_other_slot(device: torch.device) -> None:
    case = self_case([9, 20, 3], beam=2, device=device)
    case.v_cache[1] = torch.nan
    out = run(case)
    assert out[[0, 1, 4, 5]].isfinite().all()
    assert out[[2, 3]].isnan().all()


@pytest.mark.parametrize("positions", [[], [-1], [-1, -1, -1]])
def test_no_live_slot(positions: list[int], device: torch.device) -> None:
    case = self_case(positions, beam=3, device=device)
    assert run(case).equal(torch.zeros(3 * len(positions), 2, 16, device=device))
    assert case.k_cache.isnan().all()
    assert case.v_cache.isnan().all()


def test_large_scores_do_not_overflow(device: torch.device) -> None:
    case = self_case([50, 7], head_dim=32, device=device)
    assert_right(replace(case, q=case.q * 300))


def test_a_whole_search_needs_no_reordering(device: torch.device) -> None:
    """Twelve steps of reordering hypotheses; at each one the kernel sees what the earlier ones left in the caches."""
    generator = torch.Generator().manual_seed(6)
    slots, beam, heads, head_dim, steps = 2, 3, 1, 16, 12
    shape = (slots, heads, steps * beam, head_dim)
    caches = {impl: [torch.full(shape, torch.nan, device=device) for _ in "kv"] for impl in ("triton", "reference")}
    ancestry = torch.zeros(slots, beam, steps, dtype=torch.int32)
    for step in range(steps):
        q, k, v = (torch.randn(slots * beam, heads, head_dim, generator=generator).to(device) for _ in "qkv")
        ancestry[:, :, step] = torch.arange(beam)
        # The second sentence starts three steps after the first
        positions = torch.tensor([step, step - 3 if step >= 3 else -1], dtype=torch.int32, device=device)
        own = torch.stack([ancestry[0], ancestry[1].roll(-3, dims=-1)]).to(device)
        places = BeamPlaces(own, positions, step)
        out = {impl: self_attention_decode(q, k, v, *caches[impl], places, impl=impl) for impl in caches}
        torch.testing.assert_close(out["triton"], out["reference"], rtol=1e-5, atol=1e-5)
        parents = torch.randint(beam, (slots, beam, 1), generator=generator).expand(-1, -1, steps)
        ancestry = ancestry.gather(1, parents)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    positions=st.lists(st.integers(-1, 30), min_size=1, max_size=4),
    beam=st.integers(1, 6),
    head_dim=st.integers(1, 40),
    seed=st.integers(0, 1000),
)
def test_any_beams(device: torch.device, positions: list[int], beam: int, head_dim: int, seed: int) -> None:
    assert_right(self_case(positions, beam=beam, heads=1, head_dim=head_dim, device=device, seed=seed))


def test_the_operator_keeps_torchs_rules(device: torch.device) -> None:
    from mtcli_kernels.self_attention_decode.op import self_attention_decode_op

    # opcheck compares what runs of the same operator leave in the caches, where NaN would equal nothing
    case = self_case([3, -1, 9], beam=2, unwritten=0.0, device=device)
    *tensors, places = case.arguments
    torch.library.opcheck(self_attention_decode_op, (*tensors, places.ancestry, places.positions, 0.25))


def test_it_can_be_compiled(device: torch.device) -> None:
    case = self_case([3, -1, 9], beam=2, device=device)
    ours, expected = case.copy(), case.copy()
    compiled = torch.compile(self_attention_decode, fullgraph=True, backend="aot_eager")
    assert compiled(*ours.arguments, impl="triton").equal(run(expected))
    torch.testing.assert_close(ours.k_cache, expected.k_cache, rtol=0, atol=0, equal_nan=True)


@pytest.mark.gpu
@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
def test_real_sizes(half: torch.dtype, device: torch.device) -> None:
    """256 slots of beam 4 at 0 to 120 tokens, heads of the base model."""
    positions = torch.randint(0, 121, (256,), generator=torch.Generator().manual_seed(5)).tolist()
    positions[7] = -1
    case = self_case(positions, heads=8, head_dim=64, unowned=float("nan"), dtype=half, device=device)
    assert_right(case)
    together = run(case.copy()).unflatten(0, (256, -1))
    for slots in ([3], [200, 100, 7, 1]):
        assert run(slots_of(case, slots).copy()).unflatten(0, (len(slots), -1)).equal(together[slots])


@pytest.mark.gpu
@pytest.mark.parametrize(("beam", "head_dim"), [(1, 64), (5, 32), (8, 128)])
@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
def test_other_beams_and_heads(half: torch.dtype, beam: int, head_dim: int, device: torch.device) -> None:
    positions = [200, 0, -1, 77, 16]
    assert_right(self_case(positions, beam=beam, heads=16, head_dim=head_dim, dtype=half, device=device))
