"""Ratios, and what counts as a regression, on made-up records."""

import dataclasses
import json

import pytest
from support.made_up_bench import (
    DEVICE,
    GPU,
    MODEL,
    ceilings,
    contestant,
    decoded,
    figure,
    kernel_row,
    kernels,
    not_right,
    record,
    train,
    trained,
    translate,
)

from mtcli.bench.display.comparison_table import (
    comparison_blocks,
    comparison_csv,
    comparison_json,
    summary,
    verdict_words,
)
from mtcli.bench.display.tables import as_text
from mtcli.bench.record.compare import MARGIN, Compared, compare, device_differences, differences, verdict
from mtcli.bench.record.measurements import Measured
from mtcli.bench.record.rows import EAGER
from mtcli.bench.record.schema import Kernels, Record


def one(median: float, spread: float = 0.0, more_is_better: bool = False, judged: bool = True) -> Measured:
    found = figure(median, spread)
    return Measured(
        section="train",
        name="n",
        case="c",
        figure="f",
        unit="ms",
        median=median,
        low=found.low,
        high=found.high,
        more_is_better=more_is_better,
        judged=judged,
    )


def row(old: Record, new: Record, section: str, figure: str, by: str | None = None) -> Compared:
    [found] = [
        each
        for each in compare(old, new).rows
        if (each.new.section, each.new.figure) == (section, figure) and by in (None, each.new.by)
    ]
    return found


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (one(100.0), one(100.0), "same"),
        (one(100.0), one(104.9), "same"),
        (one(100.0), one(105.1), "worse"),
        (one(100.0), one(95.3), "same"),
        (one(100.0), one(95.1), "better"),
        (one(100.0, more_is_better=True), one(105.1, more_is_better=True), "better"),
        (one(100.0, more_is_better=True), one(95.1, more_is_better=True), "worse"),
        (one(100.0, spread=0.2), one(115.0), "same"),  # up to 110 was its noise
        (one(100.0, spread=0.2), one(116.0), "worse"),
        (one(100.0), one(125.0, spread=0.4), "same"),  # from 100 on is its noise
        (one(100.0, spread=0.2), one(125.0, spread=0.1), "worse"),
        (one(100.0), one(300.0, judged=False), "not judged"),
    ],
)
def test_worse_is_beyond_the_noise_of_both_and_the_margin(old: Measured, new: Measured, expected: str) -> None:
    assert MARGIN == 0.05
    assert verdict(old, new) == expected


def test_what_was_not_repeated_is_taken_to_spread_by_a_tenth() -> None:
    def bare(median: float) -> Measured:
        return Measured(section="train", name="n", case="c", figure="f", unit="GiB", median=median)

    assert verdict(bare(1.0), bare(1.15)) == "same"  # 1.05 and 1.0925 are less than 5% apart
    assert verdict(bare(1.0), bare(1.17)) == "worse"
    once = dataclasses.replace(one(115.0), repeats=1)
    assert (verdict(one(100.0), one(115.0)), verdict(one(100.0), once)) == ("worse", "worse")
    assert verdict(dataclasses.replace(one(100.0), repeats=1), once) == "same"


def test_every_figure_of_both_has_its_ratio() -> None:
    old, new = record(), record(translate=translate(decoded(3000.0)), train=train(trained(500.0)))
    assert row(old, new, "translate", "target tokens").ratio == pytest.approx(2.0)
    assert row(old, new, "translate", "target tokens").verdict == "better"
    assert row(old, new, "train", "update").is_regression
    comparison = compare(old, new)
    assert comparison.regressions == 1
    assert "1 regression: 8 figures of mtcli's are in both, 1 of them better." in summary(comparison)
    assert compare(old, old).regressions == 0
    assert {each.ratio for each in compare(old, old).rows} == {1.0}


def test_percentiles_that_rest_on_a_few_sentences_are_not_judged() -> None:
    slow = translate(latency=tuple(each.model_copy(update={"p50_ms": 99.0, "p99_ms": 99.0}) for each in LATENCY))
    assert row(record(), record(translate=slow), "translate", "p50").is_regression  # 20 of 40 lie above
    assert row(record(), record(translate=slow), "translate", "p99").verdict == "not judged"  # none of 40 does


LATENCY = translate().latency


def test_a_slower_kernel_of_pytorch_is_no_regression_of_ours() -> None:
    rows = (kernel_row(contestant(EAGER, 200.0), contestant("F.cross_entropy", 600.0)),)
    new = record(kernels=Kernels(operations={"cross_entropy": rows}, ours=EAGER))
    theirs = row(record(), new, "kernels", "time, called one by one", "F.cross_entropy")
    assert (theirs.verdict, theirs.is_regression) == ("worse", False)
    assert compare(record(), new).regressions == 0


def test_a_slower_machine_is_a_warning_and_no_regression() -> None:
    comparison = compare(record(), record(ceilings=ceilings(copy_us=1500.0)))
    assert comparison.regressions == 0
    assert any("takes 1.50 times as long" in warning for warning in comparison.warnings)


def test_what_was_right_and_is_wrong_now_is_a_regression() -> None:
    new = record(
        kernels=Kernels(
            operations={"cross_entropy": (kernel_row(contestant(EAGER, None, "wrong", "output 0 is off.")),)},
            ours=EAGER,
        ),
        translate=translate(not_right("out of memory")),
    )
    comparison = compare(record(), new)
    assert comparison.regressions == 2
    assert comparison.broken == (
        "kernels: cross_entropy, 64 x 8000, forward, float32, padded: was right and is now wrong (output 0 is off).",
        "translate: beam 4, 32 slots: was right and is now out of memory.",
    )
    assert compare(new, new).regressions == 0


def test_what_is_missing_is_named_and_no_regression() -> None:
    old = record(translate=translate(decoded(), decoded(beam=8)))
    comparison = compare(old, record(translate=translate(decoded(), not_right("left out", beam=8, slots=32))))
    assert comparison.missing == (
        "translate, decoding, beam 8, 32 slots, mtcli, target tokens",
        "translate, decoding, beam 8, 32 slots, mtcli, peak memory",
    )
    assert comparison.regressions == 0
    assert compare(old, record(translate=None)).missing == ()  # not asked for


def test_other_versions_and_seeds_are_a_warning() -> None:
    new = record(versions={"python": "3.11.7", "mtcli": "0.2.0", "torch": "2.13.0", "triton": "3.9.0"}, seed=2)
    assert differences(record(), new) == []
    assert compare(record(), new).warnings == (
        "Other versions: mtcli was 0.1.0 and is 0.2.0.",
        "Other versions: triton was absent and is 3.9.0.",
        "Other random numbers, lengths of sentences among them: the seed was 1 and is 2.",
    )


def test_another_device_cannot_be_compared() -> None:
    assert device_differences(DEVICE, DEVICE) == []
    assert device_differences(DEVICE, DEVICE.model_copy(update={"memory_gib": 23.5})) == []
    assert device_differences(DEVICE, DEVICE.model_copy(update={"threads": 1})) == ["device.threads was 2 and is 1"]
    assert "device.name was Some CPU and is Some GPU" in device_differences(DEVICE, GPU)
    assert device_differences(GPU, GPU.model_copy(update={"threads": 1, "driver": "571"})) == []


def test_another_model_or_another_size_cannot_be_compared() -> None:
    other = MODEL.model_copy(update={"d_model": 256})
    assert differences(record(), record(translate=translate(model=other))) == [
        "translate.model.d_model was 128 and is 256"
    ]
    assert differences(record(), record(train=train(dtype="bfloat16"))) == ["train.dtype was float32 and is bfloat16"]
    changed = record(kernels=kernels(shape={"rows": 65, "vocabulary": 8000}))
    assert differences(record(), changed) == [
        "the shape of cross_entropy, 64 x 8000, forward, float32 was {'rows': 64, 'vocabulary': 8000} and is "
        "{'rows': 65, 'vocabulary': 8000}"
    ]
    assert differences(record(), record(translate=None)) == []


def test_the_table_shows_mtclis_own_figures_and_the_machines() -> None:
    old, new = record(), record(kernels=kernels(400.0), date="2026-02-01T12:00:00+00:00")
    text = as_text(comparison_blocks(compare(old, new), old, new))
    [line] = [line for line in text.splitlines() if "REGRESSION" in line]
    assert line.split()[-6:] == ["us", "less", "200", "400", "2.00", "REGRESSION"]
    assert "F.cross_entropy" not in text
    assert "copy, 67,108,864 bytes: time" in text
    assert "2026-01-31T12:00:00+00:00, and new, of 2026-02-01T12:00:00+00:00" in text
    assert text.rstrip().splitlines()[-1].startswith("1 regression")
    assert max(map(len, text.splitlines())) <= 110


def test_noise_is_said_beside_the_verdict() -> None:
    old, new = record(), record(translate=translate(decoded(500.0, spread=0.3)))
    assert verdict_words(row(old, new, "translate", "target tokens")) == "REGRESSION, noisy"


def test_for_machines_it_is_json_or_csv() -> None:
    comparison = compare(record(), record(kernels=kernels(400.0)))
    found = json.loads(comparison_json(comparison))
    assert found["regressions"] == 1
    [worse] = [each for each in found["rows"] if each["verdict"] == "regression"]
    assert (worse["name"], worse["old"], worse["new"], worse["ratio"]) == ("cross_entropy", 200.0, 400.0, 2.0)
    lines = comparison_csv(comparison).splitlines()
    assert lines[0] == "section,name,case,by,figure,unit,better,old,new,ratio,verdict"
    assert len(lines) == 1 + len(comparison.rows)
    assert sum(line.endswith(",us,less,200,400,2,regression") for line in lines) == 1
