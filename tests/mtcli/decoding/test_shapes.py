"""Shapes that round alike: which are chosen, given which agree."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from support.searching import network

from mtcli.decoding import shapes
from mtcli.decoding.shapes import IndependentLayout


@pytest.fixture
def layout(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], bool]], IndependentLayout]:
    """A layout in which so many rows agree with the anchor as a function says."""

    def make(agree: Callable[[int], bool]) -> IndependentLayout:
        monkeypatch.setattr(shapes._Rows, "agree", lambda self, rows: agree(rows))
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
    assert [found.slots(wanted) for wanted in (1, 2, 3, 6, 7, 64)] == [2, 2, 6, 6, 1024, 1024]


@torch.inference_mode()
def test_what_is_admitted_rounds_alike() -> None:
    """Of the products that decide, on this machine: the rows of every admitted size are those of the anchor."""
    model = network(0).float()
    layout = IndependentLayout(model, 1)
    sizes = {layout.slots(wanted) for wanted in range(1, 80)}
    x = torch.randn(1024, model.config.d_model)
    expected = model.output(x)
    for size in sizes:
        assert torch.equal(model.output(x[:size]), expected[:size]), size


def test_an_order_of_addition_that_hardly_shows_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """In bfloat16 two orders give the same number but for one in thousands, and still they are not the same."""

    def by_two_halves(x: torch.Tensor, weight: torch.Tensor, bias: None) -> torch.Tensor:
        x, weight = x.float(), weight.float()
        half = x.shape[1] // 2
        if len(x) < 10:
            return (x[:, :half] @ weight[:, :half].T + x[:, half:] @ weight[:, half:].T).bfloat16()
        return (x @ weight.T).bfloat16()

    monkeypatch.setattr(F, "linear", by_two_halves)
    monkeypatch.setattr(shapes, "_known", {})
    product = shapes._Product(torch.zeros(192, 768, dtype=torch.bfloat16), has_bias=False)
    rows = shapes._Rows([product], 64)
    assert rows.agree(16)
    assert not rows.agree(8)
