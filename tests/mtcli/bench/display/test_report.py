"""What the tables of a made-up record say, and how they are laid out."""

import io

import pytest
from support.made_up_bench import (
    GPU,
    ceilings,
    contestant,
    decoded,
    figure,
    kernel_row,
    not_right,
    record,
    timing,
    train,
    trained,
    translate,
)

from mtcli.bench.display.quantities import number, share
from mtcli.bench.display.report import report
from mtcli.bench.display.tables import Table, as_text, show
from mtcli.bench.record.rows import EAGER, OURS
from mtcli.bench.record.schema import Check, Kernels, Record


def text_of(record: Record) -> str:
    return as_text(report(record))


def cells(text: str, start: str) -> list[str]:
    [line] = [line for line in text.splitlines() if line.startswith(start)]
    return line.split()


def test_every_figure_of_the_record_is_in_a_table() -> None:
    text = text_of(record())
    assert "Some CPU, 2 cores, 23 GiB, 2 threads; python 3.11.7, mtcli 0.1.0" in text
    assert cells(text, "copy")[1:] == ["64", "MiB", "1,000", "2%", "20.0"]
    assert cells(text, "64 x 8000, float32")[4:] == [
        "fwd", "200", "2%", "10.0", "20.0", "50%", "5.00x", "1.50x", "F.cross_entropy",
    ]  # fmt: skip
    assert cells(text, "   4     32            1,500")[2:] == ["1,500", "2%", "1,470", "55.6", "0.750", "31%"]
    assert cells(text, "mtcli           1,024          250")[2:] == ["250", "2%", "3,961", "40.0", "42%", "1.50"]
    assert cells(text, "   4         40")[2:] == ["12.5", "20.2", "31.0"]
    assert "encoder  host" in text and "12%   88%" in text
    assert "forward  backward" in text and "40%       60%" in text
    assert "least time that the work can take" in " ".join(text.split())


def test_a_table_fits_a_page() -> None:
    wide = kernel_row(contestant(EAGER, 200.0), contestant("sdpa memory-efficient", 300.0))
    wide |= {
        "case": "self-attention of a decoder, base, heads of 128, lengths as in news",
        "direction": "forward and backward",
    }
    text = text_of(record(kernels=Kernels(operations={"masked_attention": (wide,)}, ours=EAGER)))
    assert max(map(len, text.splitlines())) <= 110
    assert {"self-attention", "decoder,", "128,", "news,", "memory-efficient"} <= set(text.split())


def test_what_spreads_too_far_is_marked_noisy() -> None:
    noisy, quiet = record(translate=translate(decoded(spread=0.3))), record()
    assert "30% noisy" in text_of(noisy)
    assert "% noisy" not in text_of(quiet)


def test_one_repetition_says_so_instead_of_a_spread() -> None:
    rate = figure(1500.0, spread=0.0).model_copy(update={"repeats": 1})
    text = text_of(record(translate=translate(decoded(tgt_tokens_per_second=rate))))
    assert cells(text, "   4     32            1,500")[3] == "once"


def test_what_is_wrong_has_no_time_and_says_why() -> None:
    bad = kernel_row(contestant(EAGER, None, "wrong", "output 0: largest error 1, where 0.1 is allowed"))
    text = text_of(
        record(
            kernels=Kernels(operations={"cross_entropy": (bad,)}, ours=EAGER),
            translate=translate(
                not_right("out of memory", "no room for 32 slots."),
                checks=(Check(what="the same alone", passed=False, detail="3 of 8 sentences differ"),),
            ),
        )
    )
    assert cells(text, "64 x 8000, float32")[4:] == ["fwd", "wrong"]
    assert "padded (mtcli's): wrong: output 0: largest error 1, where 0.1 is allowed - 64 x 8000 fwd." in text
    assert "beam 4, slots 32: out of memory: no room for 32 slots." in text
    assert "FAILED: the same alone: 3 of 8 sentences differ." in text


def test_kernels_stand_beside_the_plain_form_and_the_best_of_pytorch() -> None:
    row = kernel_row(
        contestant(OURS, 100.0) | {"graph": timing(50.0)},
        contestant(EAGER, 400.0),
        contestant("slow", 300.0),
        contestant("fast", 150.0) | {"graph": timing(45.0), "prepared": True},
        contestant("fastest", 10.0, "wrong", "it is off"),
    )
    blocks = report(record(kernels=Kernels(operations={"op": (row,)}, ours=OURS)))
    graph, eager = [block for block in blocks if isinstance(block, Table) and block.title.startswith("op ")]
    assert (graph.title, eager.title) == ("op (triton), in a CUDA graph", "op (triton), called one by one")
    assert graph.rows[0][2:] == ("50.0", "2%", "40.0", "80.0", "200%", "", "0.90x", "fast*")
    assert eager.rows[0][2:] == ("100", "2%", "20.0", "40.0", "100%", "4.00x", "1.50x", "fast*")
    assert graph.notes == () and len(eager.notes) == 1


def test_a_fast_device_is_counted_in_tflops() -> None:
    fast = ceilings().model_copy(update={"flops_per_second": {"bfloat16": 7e14}})
    text = text_of(record(device=GPU, ceilings=fast))
    assert "Some GPU, 80 GiB, driver 570.1; Some CPU, 2 cores" in text
    assert "bfloat16 700 TFLOP/s" in text
    assert "GFLOP/s" not in text


def test_sections_that_were_not_asked_for_are_not_there() -> None:
    text = text_of(
        record(kernels=None, translate=None, train=None, left_out=("kernels: stopped", "train: too little time."))
    )
    assert "Ceilings" in text and "roofline" not in text
    assert text.endswith("\n\nLeft out:\n- kernels: stopped.\n- train: too little time.\n")


def test_what_was_left_out_is_in_no_table() -> None:
    section = translate(not_right("left out", "no time", beam=8), decoded(slots=32), decoded(slots=8), latency=())
    text = text_of(record(kernels=None, translate=section, train=None))
    assert "left out" not in text and "no time" not in text
    assert text.index("   4      8  ") < text.index("   4     32  ")


def test_a_part_that_is_not_counted_has_no_fraction() -> None:
    rows = trained(phases=trained().phases[:1]), trained(way="plain", phases=())
    tables = [block for block in report(record(train=train(*rows))) if isinstance(block, Table)]
    shares, fractions = tables[-2:]
    assert shares.rows == (("mtcli", "1,024", "40%"),)
    assert fractions.columns == ("way", "batch (tokens)", "forward")


@pytest.mark.parametrize(
    ("value", "written"),
    [(123456.0, "123,456"), (123.4, "123"), (12.34, "12.3"), (1.234, "1.23"), (0.1234, "0.123"), (0.0, "0.000")],
)
def test_numbers_have_three_digits(value: float, written: str) -> None:
    assert number(value) == written


def test_small_shares_keep_a_digit() -> None:
    assert (share(0.314), share(0.0314), share(None), share(0.0)) == ("31%", "3.1%", "", "0.0%")


def test_columns_are_aligned_whatever_the_letters() -> None:
    table = Table(title="T", columns=("이름", "ms"), rows=(("가나다", "1.00"), ("a", "10.0")), notes=("End.",))
    assert as_text([table]) == "T\n이름      ms\n------  ----\n가나다  1.00\na       10.0\nEnd.\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_heads_of_figures_are_broken_before_a_table_grows_too_wide() -> None:
    table = Table(title="T", columns=("way", "forward: output and loss"), rows=(("as by default", "20%"),), words=(0,))
    assert as_text([table], width=30).splitlines()[1:] == [
        "way            forward: output",
        "                      and loss",
        "-------------  ---------------",
        "as by default              20%",
    ]


def test_a_terminal_gets_the_same_cells_in_a_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    stream = Terminal()
    table = Table(title="Products", columns=("[m, k]", "ms"), rows=(("[bold]1", "2.00"),), notes=("[red]End.",))
    show([table, "A paragraph."], stream)
    text = stream.getvalue()
    assert "─" in text or "━" in text
    for words in ("Products", "[m, k]", "[bold]1", "2.00", "[red]End.", "A paragraph."):
        assert words in text
