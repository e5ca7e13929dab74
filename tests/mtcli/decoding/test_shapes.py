"""Shapes that round alike: which are chosen, given which agree."""

from collections.abc import Callable

import pytest
import torch
from support.searching import network

from mtcli.decoding import shapes
from mtcli.decoding.shapes import IndependentLayout
from mtcli.model.linear import JoinedLinear


@pytest.fixture
def layout(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], bool]], IndependentLayout]:
    """A layout in which so many rows agree with the anchor as a function says."""

    def make(agree: Callable[[int], bool]) -> IndependentLayout:
        monkeypatch.setattr(shapes._Rows, "agree", lambda self, rows, threads=1: agree(rows))
        return IndependentLayout(network(0).float(), 1)

    return make


@pytest.mark.parametrize(
    ("lengths", "fewest", "expected"),
    [
        ([5], 1, [([0], 16)]),
        ([5], 24, [([0], 24)]),
        ([5], 1000, [([0], 64)]),  # nothing but the anchor
        ([20, 4], 1, [([0, 1], 24)]),
        ([60, 30], 1, [([0, 1], 96)]),
        ([60, 30], 1000, [([0], 64), ([1], 64)]),
        ([70], 1, [([0], 96)]),
        ([70], 1000, [([0], 96)]),
    ],
)
def test_sentences_are_encoded_on_the_fewest_tokens_that_agree(
    layout: Callable[[Callable[[int], bool]], IndependentLayout],
    lengths: list[int],
    fewest: int,
    expected: list[tuple[list[int], int]],
) -> None:
    found = layout(lambda rows: rows >= fewest)
    assert list(found.encoder_batches(lengths)) == expected


def test_a_long_sentence_that_does_not_fit_beside_others_gets_room_of_its_own(
    layout: Callable[[Callable[[int], bool]], IndependentLayout],
) -> None:
    found = layout(lambda rows: rows in (64, 128))
    assert list(found.encoder_batches([60, 110])) == [([0], 64), ([1], 128)]


def test_a_step_has_the_fewest_slots_that_agree(
    layout: Callable[[Callable[[int], bool]], IndependentLayout],
) -> None:
    found = layout(lambda rows: rows in (2, 6))
    assert [found.slots(wanted) for wanted in (1, 2, 3, 6, 7, 64)] == [2, 2, 6, 6, 64, 64]


@pytest.mark.parametrize(("slots", "expected"), [(1, 1), (64, 1), (128, 3)])
def test_threads_divide_much_work_where_that_changes_nothing(
    slots: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shapes, "_WORTH_DIVIDING", 20 * shapes._work(network(0), 1))
    monkeypatch.setattr(shapes._Rows, "agree", lambda self, rows, threads=1: threads == 1 or rows == 128)
    layout = IndependentLayout(network(0).float(), 1)
    assert layout.threads(slots, 3) == expected
    assert (layout.encoder_threads(64, 3), layout.encoder_threads(128, 3)) == (1, 3)


@torch.inference_mode()
def test_what_is_admitted_rounds_alike() -> None:
    """Of the products that decide, on this machine: the rows of every admitted size are those of the anchor."""
    model = network(0).float()
    model.prepack()
    layout = IndependentLayout(model, 1)
    sizes = {layout.slots(wanted) for wanted in range(1, 80)}
    x = torch.randn(128, model.config.d_model)
    expected = model.output(x[:64])
    assert 64 in sizes
    for size in sizes - {128, 96}:
        with shapes.divided_among(layout.threads(size, 2)):
            assert torch.equal(model.output(x[:size]), expected[:size]), size


def test_an_order_of_addition_that_hardly_shows_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """In bfloat16 two orders give the same number but for one in thousands, and still they are not the same."""

    def by_two_halves(self: JoinedLinear, x: torch.Tensor) -> torch.Tensor:
        x, weight = x.float(), self.weight.float()
        half = x.shape[1] // 2
        if len(x) < 10:
            return (x[:, :half] @ weight[:, :half].T + x[:, half:] @ weight[:, half:].T).bfloat16()
        return (x @ weight.T).bfloat16()

    monkeypatch.setattr(JoinedLinear, "__call__", by_two_halves)
    monkeypatch.setattr(shapes, "_known", {})
    product = shapes._Product("plain", torch.zeros(192, 768, dtype=torch.bfloat16))
    rows = shapes._Rows([product], 64)
    assert rows.agree(16)
    assert not rows.agree(8)


def test_widths_that_hardly_differ_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    weigh = shapes.weigh

    def by_two_halves(weights: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        half = weights.shape[-1] // 2
        if weights.shape[-1] != 48:
            return weigh(weights, values)
        return weigh(weights[..., :half], values[..., :half, :]) + weigh(weights[..., half:], values[..., half:, :])

    monkeypatch.setattr(shapes, "weigh", by_two_halves)
    monkeypatch.setattr(shapes, "_known", {})
    like = torch.zeros(1, dtype=torch.bfloat16)
    assert not shapes._widths_agree(4, 48, 3, 16, like)
