"""What cross-attention at decoding refuses, and which form it chooses."""

import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from support.decoding_cases import LAYOUTS, cross_case

from mtcli_kernels.cross_attention_decode import OFFERED, choice, cross_attention_decode
from mtcli_kernels.decoding_layout import SourceRegions
from mtcli_kernels.dispatch import UnavailableError

CPU = torch.device("cpu")


def regions(starts: list[int] | None, lengths: list[int], max_length: int) -> SourceRegions:
    places = None if starts is None else torch.tensor(starts, dtype=torch.int32)
    return SourceRegions(places, torch.tensor(lengths, dtype=torch.int32), max_length)


def by_slot(lengths: list[int], max_length: int, *shape: int) -> dict[str, object]:
    """Keys and values of this shape, and regions of them."""
    return {"k": torch.zeros(shape), "v": torch.zeros(shape), "regions": regions(None, lengths, max_length)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"k": torch.zeros(6, 2, 4)},
            r"expected q \[S\*K, H, D\] and k, v \[N, H, D\] or \[S, H, L, D\]; got q \[4, 2, 8\]",
        ),
        ({"v": torch.zeros(5, 2, 8)}, r"v \[5, 2, 8\]"),
        ({"q": torch.zeros(4, 16)}, r"got q \[4, 16\]"),
        ({"k": torch.zeros(6, 2, 8, dtype=torch.float64)}, "of one floating-point type; got torch.float32"),
        ({"v": torch.zeros(6, 2, 8, device="meta")}, "on one device; got them on cpu, cpu, meta"),
        ({"regions": regions([0], [2, 3], 3)}, r"starts and lengths to be \[S\] both; got \[1\] and \[2\]"),
        (
            {"regions": SourceRegions(torch.zeros(2, device="meta"), torch.zeros(2), 3)},
            "expected the regions on cpu, where q is",
        ),
        ({"regions": regions([0, 2, 4], [2, 2, 2], 2)}, "as many hypotheses in each of 3 slots; q has 4 rows"),
        ({"regions": regions([], [], 0)}, "as many hypotheses in each of 0 slots; q has 4 rows"),
        (
            {"regions": SourceRegions(torch.zeros(2), torch.zeros(2, device="meta"), 3)},
            "expected the regions on cpu, where q is; got them on meta",
        ),
        (
            {"regions": regions(None, [2, 3], 3)},
            r"starts for packed keys \[N, H, D\], and none for keys kept slot by slot",
        ),
        ({"k": torch.zeros(2, 2, 3, 8), "v": torch.zeros(2, 2, 3, 8)}, "and none for keys kept slot by slot"),
        (by_slot([2, 3], 3, 2, 2, 3, 4), r"got q \[4, 2, 8\], k \[2, 2, 3, 4\]"),
        (by_slot([2, 3], 3, 2, 1, 3, 8), r"got q \[4, 2, 8\], k \[2, 1, 3, 8\]"),
        (by_slot([2, 3], 3, 2, 2, 2, 8), r"2 slots, the longest of 3 rows, do not fit into keys \[2, 2, 2, 8\]"),
        (by_slot([2, 3], 3, 3, 2, 3, 8), r"2 slots, the longest of 3 rows, do not fit into keys \[3, 2, 3, 8\]"),
        (by_slot([[2], [3]], 3, 2, 2, 3, 8), r"lengths to be \[S\] both; got None and \[2, 1\]"),  # type: ignore[list-item]
        ({"impl": "magic"}, "impl = 'magic' is not one of cross_attention_decode's: auto, triton, sdpa"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(change: dict[str, object], message: str) -> None:
    k = torch.zeros(6, 2, 8)
    arguments = {"q": torch.zeros(4, 2, 8), "k": k, "v": k, "regions": regions([0, 3], [2, 3], 3)} | change
    with pytest.raises(ValueError, match=message):
        cross_attention_decode(**arguments)  # type: ignore[arg-type]


def test_a_cpu_takes_the_padded_form() -> None:
    assert choice("auto", CPU, torch.float32, 64).impl == "padded"
    case = cross_case([3, 5])
    ours = cross_attention_decode(*case.arguments)
    assert ours.equal(cross_attention_decode(*case.arguments, impl="padded"))


def test_the_kernel_does_not_give_way_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    with pytest.raises(UnavailableError, match="cross_attention_decode cannot run as 'triton': the tensors are on"):
        cross_attention_decode(*cross_case([3, 5]).arguments, impl="triton")


def test_beams_beyond_the_kernels_largest_tile_are_an_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("triton")
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    assert choice("triton", CPU, torch.float32, 64, beam=64).impl == "triton"
    with pytest.raises(UnavailableError, match="up to 64 hypotheses a slot; there are 65"):
        choice("triton", CPU, torch.float32, 64, beam=65)


@pytest.mark.parametrize("impl", [form for form in OFFERED if form != "triton"])
def test_nothing_to_look_at(impl: str) -> None:
    case = cross_case([0, 0], beam=3)
    assert cross_attention_decode(*case.arguments, impl=impl).equal(torch.zeros(6, 2, 16))
    wider = replace(case, regions=regions([0, 0], [0, 0], 4))  # a bound of the lengths above all of them
    assert cross_attention_decode(*wider.arguments, impl=impl).equal(torch.zeros(6, 2, 16))
    for layout in LAYOUTS:
        without_rows = cross_case([0, 0], beam=3, layout=layout)
        assert cross_attention_decode(*without_rows.arguments, impl=impl).equal(torch.zeros(6, 2, 16))
        without_slots = cross_case([], layout=layout)
        assert cross_attention_decode(*without_slots.arguments, impl=impl).shape == (0, 2, 16)


def test_it_runs_where_triton_cannot_be_imported() -> None:
    program = (
        "import sys; sys.modules['triton'] = None\n"
        "import torch\n"
        "from mtcli_kernels.cross_attention_decode import cross_attention_decode\n"
        "from mtcli_kernels.decoding_layout import SourceRegions\n"
        "one = torch.ones(1, dtype=torch.int32)\n"
        "x = torch.ones(1, 1, 8)\n"
        "print(cross_attention_decode(x, x, x, SourceRegions(one - 1, one, 1)).sum().item())\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.stdout == "8.0\n", run.stderr
