"""Packed and padded layouts hold the same tokens."""

import pytest
import torch

from mtcli_kernels.packing import NOTHING, Packing


@pytest.mark.parametrize("lengths", [[3], [2, 2, 2], [1, 4, 2], [3, 0, 2], [0, 1]])
def test_unpad_inverts_pad(lengths: list[int]) -> None:
    packing = Packing.of(lengths)
    rows = torch.randn(sum(lengths), 2, 3)
    assert packing.unpad(packing.pad(rows)).equal(rows)


def test_pad_puts_each_sentence_in_its_row_and_zeros_behind_it() -> None:
    padded = Packing.of([1, 3]).pad(torch.tensor([[1.0], [2.0], [3.0], [4.0]]))
    assert padded[:, :, 0].tolist() == [[1, 0, 0], [2, 3, 4]]


@pytest.mark.parametrize("lengths", [[3], [2, 2], [1, 4, 2], [3, 0, 2], [0, 1]])
def test_every_head_has_a_padded_matrix_of_its_own(lengths: list[int]) -> None:
    packing = Packing.of(lengths)
    rows = torch.randn(sum(lengths), 2, 3)
    layout = packing.head_rows(2)
    padded = layout.repeat(rows)
    expected = packing.pad(rows).transpose(1, 2)
    assert layout.spread(rows).equal(expected)
    assert padded[packing.valid[:, None].expand(-1, 2, -1)].equal(expected[packing.valid[:, None].expand(-1, 2, -1)])
    for number, sentence in enumerate(rows.split(lengths)):
        filling = sentence[-1] if len(sentence) else torch.zeros(2, 3)
        assert padded[number, :, max(lengths[number] - 1, 0) :].eq(filling[:, None]).all()
    assert layout.unpad(padded).equal(rows)
    assert packing.head_rows(2) is layout
    assert packing.has_empty == (0 in lengths) == (layout.empty is not None)


def test_positions_start_again_in_each_sentence() -> None:
    assert Packing.of([2, 0, 3]).positions.tolist() == [0, 1, 0, 1, 2]


def test_gradients_flow_through_pad_and_unpad() -> None:
    packing = Packing.of([1, 3, 2])
    rows = torch.randn(6, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: packing.unpad(packing.pad(x) ** 2), rows)
    assert torch.autograd.gradcheck(packing.pad, rows)


def test_gradients_flow_through_a_compiled_pad() -> None:
    packing = Packing.of([1, 3, 2])
    places = packing.padded_places  # outside the graph: it depends on the lengths
    rows = torch.randn(6, 2, requires_grad=True)
    compiled = torch.compile(lambda x: packing.pad(x) ** 2, backend="aot_eager")
    [grad] = torch.autograd.grad(compiled(rows).sum(), rows)
    assert places.numel() == 6
    torch.testing.assert_close(grad, 2 * rows.detach())


def test_intervals_say_what_each_query_sees_and_who_sees_each_key() -> None:
    queries, keys = Packing.of([2, 0, 1]), Packing.of([3, 2, 0])
    seen = queries.intervals(keys, causal=False)
    assert seen.lo.tolist() == [0, 0, NOTHING]
    assert seen.hi.tolist() == [3, 3, 0]
    assert seen.query_lo.tolist() == [0, 0, 0, NOTHING, NOTHING]
    assert seen.query_hi.tolist() == [2, 2, 2, 0, 0]
    assert queries.intervals(keys, causal=False) is seen


def test_causal_intervals_end_at_the_query_and_begin_at_the_key() -> None:
    packing = Packing.of([1, 3])
    seen = packing.intervals(packing, causal=True)
    assert seen.lo.tolist() == [0, 1, 1, 1]
    assert seen.hi.tolist() == [1, 2, 3, 4]
    assert seen.query_lo.tolist() == [0, 1, 2, 3]
    assert seen.query_hi.tolist() == [1, 4, 4, 4]
