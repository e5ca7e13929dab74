"""The definition of self-attention at decoding, against a cache that is physically reordered."""

import torch
from support.decoding_cases import self_case

from mtcli_kernels.decoding_layout import BeamPlaces
from mtcli_kernels.self_attention_decode import self_attention_decode


def test_it_is_attention_over_a_reordered_cache() -> None:
    """Five steps of a beam of three: a cache whose rows follow their hypotheses must give the same, every step."""
    generator = torch.Generator().manual_seed(4)
    slots, beam, heads, head_dim, steps = 2, 3, 2, 4, 5
    k_cache, v_cache = (torch.full((slots, heads, steps * beam, head_dim), torch.nan).double() for _ in range(2))
    ancestry = torch.zeros(slots, beam, steps, dtype=torch.int32)
    keys, values = (torch.zeros(slots, beam, heads, 0, head_dim).double() for _ in range(2))
    for step in range(steps):
        q, k, v = (torch.randn(slots * beam, heads, head_dim, generator=generator).double() for _ in range(3))
        ancestry[:, :, step] = torch.arange(beam)
        places = BeamPlaces(ancestry, torch.full((slots,), step, dtype=torch.int32), step)
        ours = self_attention_decode(q, k, v, k_cache, v_cache, places, impl="reference")

        keys, values = (
            torch.cat([old, new.view(slots, beam, heads, 1, head_dim)], dim=3) for old, new in ((keys, k), (values, v))
        )
        scores = (q.view(slots, beam, heads, 1, head_dim) @ keys.transpose(-1, -2)) / head_dim**0.5
        expected = (scores.softmax(-1) @ values).view(ours.shape)
        torch.testing.assert_close(ours, expected, rtol=1e-12, atol=1e-12)

        parents = torch.randint(beam, (slots, beam), generator=generator)
        ancestry = torch.stack([ancestry[slot, parents[slot]] for slot in range(slots)])
        keys, values = (torch.stack([x[slot, parents[slot]] for slot in range(slots)]) for x in (keys, values))


def test_the_first_token_sees_itself_alone() -> None:
    case = self_case([0, 0], beam=2)
    assert self_attention_decode(*case.arguments, impl="reference").equal(case.v)


def test_only_the_new_entries_are_written() -> None:
    case = self_case([2, -1, 0], beam=2, dtype=torch.float64)
    before = case.copy()
    self_attention_decode(*case.arguments, impl="reference")
    for cache, old, new in ((case.k_cache, before.k_cache, case.k), (case.v_cache, before.v_cache, case.v)):
        assert cache[0, :, 4:6].equal(new[0:2].transpose(0, 1))
        assert cache[2, :, 0:2].equal(new[4:6].transpose(0, 1))
        cache[0, :, 4:6], cache[2, :, 0:2] = torch.nan, torch.nan
        torch.testing.assert_close(cache, old, rtol=0, atol=0, equal_nan=True)
