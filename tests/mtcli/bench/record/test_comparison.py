"""Ratios, and what counts as a regression, on made-up records."""

import json

import pytest
from support.bench_records import (
    DEVICE,
    GPU,
    copy_row,
    decoded,
    figure,
    kernel_row,
    kernel_rows,
    latency_row,
    record,
    trained,
    workload,
)

from mtcli.bench.contest import Figure
from mtcli.bench.display.comparison import comparison_blocks, comparison_csv, comparison_json, record_csv
from mtcli.bench.display.tables import as_text
from mtcli.bench.record.comparison import MARGIN, Compared, compare, device_differences, differences
from mtcli.bench.record.schema import MEMORY, PADDED


def verdict(old: Figure, new: Figure, name: str = "update (ms)") -> str:
    return Compared(trained(), name, old, new).verdict


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (figure(100.0, 0), figure(100.0, 0), "same"),
        (figure(100.0, 0), figure(104.9, 0), "same"),
        (figure(100.0, 0), figure(105.1, 0), "worse"),
        (figure(100.0, 0), figure(95.3, 0), "same"),
        (figure(100.0, 0), figure(95.1, 0), "better"),
        (figure(100.0, 0.2), figure(115.0, 0), "same"),  # up to 110 was its noise
        (figure(100.0, 0.2), figure(116.0, 0), "worse"),
        (figure(100.0, 0), figure(125.0, 0.4), "same"),  # from 100 on is its noise
        (figure(100.0, 0, 1), figure(115.0, 0, 1), "same"),  # what was not repeated spreads by a tenth
        (figure(100.0, 0, 1), figure(117.0, 0, 1), "worse"),
    ],
)
def test_worse_is_beyond_the_noise_of_both_and_the_margin(old: Figure, new: Figure, expected: str) -> None:
    assert MARGIN == 0.05
    assert verdict(old, new) == expected


def test_of_rates_more_is_better() -> None:
    assert verdict(figure(100.0, 0), figure(105.1, 0), "target tokens/s") == "better"
    assert verdict(figure(100.0, 0), figure(95.1, 0), "target tokens/s") == "worse"


def test_every_row_of_both_is_compared_by_its_first_figure_and_its_memory() -> None:
    rows = compare(record(), record(*kernel_rows(), decoded(3000.0), latency_row(), trained(500.0))).rows
    found = {(one.row.section, one.row.by, one.figure): (one.ratio, one.verdict, one.ours) for one in rows}
    assert found["translate", "mtcli", "target tokens/s"] == (pytest.approx(2.0), "better", True)
    assert found["translate", "mtcli", MEMORY] == (1.0, "same", True)
    assert found["train", "mtcli", "update (ms)"] == (pytest.approx(2.0), "worse", True)
    assert ("translate", "mtcli", "p50 (ms)") in found and ("translate", "mtcli", "p99 (ms)") not in found
    assert ("translate", "mtcli", "sentences/s") not in found
    assert found["kernels", "F.cross_entropy", "time (µs)"][2] is False


def test_only_mtclis_own_is_a_regression() -> None:
    slower = [kernel_row(PADDED, 200.0), kernel_row("F.cross_entropy", 900.0), copy_row(2000.0)]
    comparison = compare(record(), record(*slower))
    assert comparison.regressions == 0
    assert comparison.warnings == (
        "The machine itself is not as it was: copy, 64 MiB takes 2.00 times as long. What follows may be its doing, "
        "not mtcli's.",
    )


def test_what_was_right_and_is_wrong_now_is_a_regression() -> None:
    wrong = decoded(status="wrong", why="other tokens.", figures={})
    comparison = compare(record(), record(wrong))
    assert comparison.broken == ("translate: decoding, beam 4, 32 at once: wrong: other tokens, where it was right.",)
    assert comparison.regressions == 1
    assert compare(record(), record(decoded(status="left out", figures={}))).broken == ()


def test_what_is_missing_is_said_of_sections_that_were_measured() -> None:
    missing = compare(record(), record(decoded(case="beam 1, 8 at once"), workloads={})).missing
    assert missing == ("translate, decoding, beam 4, 32 at once, mtcli", "translate, single sentences, beam 4, mtcli")


def test_other_versions_and_seeds_are_warnings() -> None:
    new = record(versions={"python": "3.12.1", "mtcli": "0.1.0", "cuda": "13.0"}, seed=2)
    assert compare(record(), new).warnings == (
        "Other versions: cuda was absent and is 13.0.",
        "Other versions: python was 3.11.7 and is 3.12.1.",
        "Other versions: torch was 2.13.0 and is absent.",
        "Other random numbers, lengths of sentences among them: the seed was 1 and is 2.",
    )


def test_another_device_cannot_be_compared() -> None:
    assert device_differences(DEVICE, DEVICE.model_copy(update={"memory_gib": 23.5})) == []
    assert device_differences(DEVICE, DEVICE.model_copy(update={"threads": 1})) == ["device.threads was 2 and is 1"]
    assert "device.name was Some CPU and is Some GPU" in device_differences(DEVICE, GPU)
    assert device_differences(GPU, GPU.model_copy(update={"threads": 1, "driver": "571"})) == []


def test_another_model_or_another_size_cannot_be_compared() -> None:
    other = record(workloads={"translate": workload(model="base"), "train": workload(dtype="bfloat16")})
    assert differences(record(), other) == [
        "translate.model was tiny, 2.4 million random weights and is base",
        "train.dtype was float32 and is bfloat16",
    ]
    assert differences(record(), record(kernel_row(PADDED, 1.0, bytes=5))) == [
        "cross_entropy, 64 x 8000, forward, float32 was (2000000, 4000000) bytes and operations and is "
        "(5, 4000000) bytes and operations"
    ]
    assert differences(record(), record(decoded(), workloads={})) == []


def test_the_table_shows_mtclis_own_figures_and_the_machines() -> None:
    old, new = record(), record(copy_row(), *kernel_rows(400.0), date="2026-02-01T12:00:00+00:00")
    text = as_text(comparison_blocks(compare(old, new), old, new))
    [line] = [line for line in text.splitlines() if "REGRESSION" in line]
    assert line.split()[-5:] == ["less", "200", "400", "2.00", "REGRESSION"]
    assert "F.cross_entropy" not in text and "copy, 64 MiB: time (µs)" in text
    assert "2026-01-31T12:00:00+00:00, and new, of 2026-02-01T12:00:00+00:00" in text
    assert text.rstrip().splitlines()[-1].startswith("1 regression")
    assert max(map(len, text.splitlines())) <= 110
    noisy = record(decoded(500.0, spread=0.3))
    assert "REGRESSION, noisy" in " ".join(as_text(comparison_blocks(compare(old, noisy), old, noisy)).split())


def test_for_machines_it_is_json_or_csv() -> None:
    comparison = compare(record(), record(*kernel_rows(400.0)))
    found = json.loads(comparison_json(comparison))
    assert found["regressions"] == 1
    [worse] = [each for each in found["rows"] if each["verdict"] == "regression"]
    assert (worse["name"], worse["old"], worse["new"], worse["ratio"]) == ("cross_entropy", 200.0, 400.0, 2.0)
    lines = comparison_csv(comparison).splitlines()
    assert lines[0] == "section,name,case,by,figure,better,old,new,ratio,verdict"
    assert len(lines) == 1 + len(comparison.rows)
    assert sum(line.endswith(",less,200,400,2,regression") for line in lines) == 1


def test_the_csv_of_a_record_has_a_row_for_each_figure() -> None:
    lines = record_csv(record(decoded(spread=0.3))).splitlines()
    assert lines[0] == "section,name,case,by,figure,median,low,high,repeats,noisy,bytes,flops,fraction"
    assert lines[1].endswith(",target tokens/s,1500,1275,1725,9,yes,1000000000,10000000000,0.31")
    assert len(lines) == 4
