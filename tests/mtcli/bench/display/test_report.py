"""What the tables of a made-up record say, and how they are laid out."""

import io

import pytest
from support.bench_records import (
    CEILINGS,
    GPU,
    copy_row,
    decoded,
    figure,
    kernel_row,
    kernel_rows,
    record,
    trained,
    workload,
)

from mtcli.bench.contest import Check
from mtcli.bench.display.report import report
from mtcli.bench.display.tables import ReportTable, as_csv, as_text, number, scaled, share, show
from mtcli.bench.record.schema import GRAPH_TIME, KERNEL, PADDED, BenchRecord


def text_of(record: BenchRecord) -> str:
    return as_text(report(record))


def cells(text: str, start: str) -> list[str]:
    [line] = [line for line in text.splitlines() if line.startswith(start)]
    return line.removeprefix(start).split()


def test_every_section_is_in_a_table() -> None:
    text = text_of(record())
    assert "Some CPU, 2 cores, 23 GiB, 2 threads; python 3.11.7, mtcli 0.1.0" in text
    assert cells(text, "copy") == ["64", "MiB", "1,000", "2%", "20", "G"]
    assert "Taken as the limits: copying 10 GB/s, float32 100 GFLOP/s" in text
    assert "cross_entropy (padded), called one by one" in text
    assert cells(text, "64 x 8000 fwd, float32") == (
        ["200", "2%", "10", "G", "20", "G", "50%", "5.00x", "1.50x", "F.cross_entropy"]
    )
    assert "torch.compile: cannot run: RuntimeError: no compiler here - 64 x 8000 fwd, float32." in text
    assert cells(text, "beam 4, 32 at once            1") == [",500", "2%", "55.6", "0.750", "31%"]
    assert cells(text, "beam 4   ") == ["12.5", "20.2", "31.0", "40"]
    assert cells(text, "as by default, 1,024 tokens a batch          ") == ["250", "2%", "3,961", "42%"]
    assert "beam 4, 32 at once      12%   88%" in text
    assert "checked before timing: decoding alone gives the same (8 of 8 sentences)." in text
    assert "least time that the work can take" in " ".join(text.split())


def test_a_table_fits_a_page_and_keeps_its_words() -> None:
    case = "self-attention of a decoder, base, heads of 128, lengths as in news, forward and backward"
    text = text_of(record(kernel_row(PADDED, 200.0, case=case), kernel_row("sdpa memory-efficient", 300.0, case=case)))
    assert max(map(len, text.splitlines())) <= 110
    assert {"self-attention", "decoder,", "128,", "memory-efficient", "fwd+bwd"} <= set(text.split())


def test_spreads_that_are_too_wide_or_unknown_are_marked() -> None:
    assert "30% noisy" in text_of(record(decoded(spread=0.3)))
    assert "% noisy" not in text_of(record())
    once = decoded(figures={"target tokens/s": figure(1500.0, 0.0, repeats=1)}, phases=())
    assert cells(text_of(record(once)), "beam 4, 32 at once") == ["1,500", "once", "31%"]


def test_what_is_wrong_has_no_time_and_says_why() -> None:
    why = "output 0: largest error 1, where 0.1 is allowed"
    bad = kernel_row(PADDED, None, status="wrong", why=why)
    short = decoded(status="out of memory", why="no room.", figures={}, fraction=None, phases=())
    failed = workload(checks=(Check(what="the same alone", passed=False, detail="3 of 8 sentences differ"),))
    text = text_of(record(bad, short, workloads={"translate": failed}))
    assert cells(text, "64 x 8000 fwd, float32") == ["wrong"]
    assert f"padded (mtcli): wrong: {why} - 64 x 8000 fwd, float32." in text
    assert "beam 4, 32 at once: out of memory: no room." in text
    assert "FAILED: the same alone: 3 of 8 sentences differ." in text


def test_kernels_stand_beside_the_plain_form_and_the_best_of_pytorch() -> None:
    def row(by: str, time: float, **changes: object) -> object:
        return kernel_row(by, None, figures={GRAPH_TIME: figure(time)}, fraction=1.0, ours=by == KERNEL, **changes)

    rows = [row(KERNEL, 100.0), row(PADDED, 400.0), row("slow", 300.0), row("fast", 150.0, prepared=True)]
    text = text_of(record(*rows, workloads={}))  # type: ignore[arg-type]
    assert "cross_entropy (triton), in a CUDA graph" in text
    assert cells(text, "64 x 8000 fwd, float32")[-3:] == ["4.00x", "1.50x", "fast*"]


def test_a_gpu_is_named_and_sections_that_were_not_asked_for_are_not_there() -> None:
    fast = CEILINGS.model_copy(update={"flops_per_second": {"bfloat16": 7e14}})
    text = text_of(record(copy_row(), device=GPU, ceilings=fast, workloads={}, left_out=("kernels: stopped", "b.")))
    assert "Some GPU, 80 GiB, driver 570.1; Some CPU, 2 cores" in text
    assert "bfloat16 700 TFLOP/s" in text and "roofline" not in text
    assert text.endswith("\n\nLeft out:\n- kernels: stopped.\n- b.\n")


def test_what_was_left_out_is_in_no_table() -> None:
    other = decoded(case="beam 8, 2 at once", status="left out", figures={}, phases=(), fraction=None)
    assert "beam 8" not in text_of(record(other, decoded()))


def test_a_part_that_is_not_counted_has_no_fraction() -> None:
    tables = [block for block in report(record(trained(), *kernel_rows())) if isinstance(block, ReportTable)]
    shares, fractions = tables[-2:]
    assert shares.columns == fractions.columns == ("", "forward")
    tables = [block for block in report(record(decoded())) if isinstance(block, ReportTable)]
    assert [table.columns for table in tables[-2:]] == [("", "encoder", "host"), ("", "encoder")]


@pytest.mark.parametrize(
    ("value", "written"),
    [(123456.0, "123,456"), (123.4, "123"), (12.34, "12.3"), (1.234, "1.23"), (0.1234, "0.123"), (None, "")],
)
def test_numbers_have_three_digits(value: float | None, written: str) -> None:
    assert number(value) == written


def test_rates_and_shares() -> None:
    assert [scaled(rate) for rate in (3.3512e12, 9.99e9, 12.0, 2e15)] == ["3.35 T", "9.99 G", "12 ", "2 P"]
    assert (share(0.314), share(0.0314), share(None), share(0.0)) == ("31%", "3.1%", "", "0.0%")


def test_columns_are_aligned_whatever_the_letters() -> None:
    table = ReportTable(title="T", columns=("이름", "ms"), rows=(("가나다", "1.00"), ("a", "10.0")), notes=("End.",))
    assert as_text([table]) == "T\n이름      ms\n------------\n가나다  1.00\na       10.0\nEnd.\n"


def test_csv_has_an_empty_cell_for_what_is_not_there() -> None:
    assert as_csv([{"a": None, "b": True, "c": 0.123456789, "d": "x,y"}]) == 'a,b,c,d\n,yes,0.123457,"x,y"\n'


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_the_same_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    stream = Terminal()
    table = ReportTable(title="Products", columns=("[m, k]", "ms"), rows=(("[bold]1", "2.00"),), notes=("[red]End.",))
    show([table, "A paragraph."], stream)
    for words in ("Products", "[m, k]", "[bold]1", "2.00", "[red]End.", "A paragraph.", "─"):
        assert words in stream.getvalue()
