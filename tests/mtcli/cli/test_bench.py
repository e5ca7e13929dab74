"""`mtcli bench` with made-up sections: what it prints, writes, refuses, and how it ends."""

import json
import sys
import types
from pathlib import Path
from typing import Any

import pytest
import torch
from support.bench_records import DEVICE, decoded, kernel_row, make_up_sections, record, trained, workload
from typer.testing import CliRunner, Result

from mtcli.bench.contest import Check
from mtcli.bench.record.findings import Findings
from mtcli.bench.record.schema import PADDED, BenchRecord, BenchRow
from mtcli.bench.record.stored import read_record, to_json
from mtcli.bench.settings import BenchSettings
from mtcli.cli.main import app
from mtcli.errors import BackendUnavailableError

CPU = ("--device", "cpu")
Told = list[tuple[str, BenchSettings]]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Told:
    """What the sections were told, in a directory of its own where sections are made up."""
    calls: Told = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mtcli.devices.prepare_cpu", lambda: None)
    make_up_sections(monkeypatch, calls)
    return calls


def bench(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["bench", *map(str, arguments)])


def stored(path: str, *rows: BenchRow, **changes: Any) -> Path:
    Path(path).write_text(to_json(record(*rows, **changes)))
    return Path(path)


def test_tables_go_to_stdout_and_progress_to_stderr(told: Told) -> None:
    result = bench(*CPU)
    assert result.exit_code == 0, result.stderr
    for title in ("Ceilings", "cross_entropy (padded)", "Translate: tiny", "Train: tiny", "single sentences"):
        assert title in result.stdout
    assert result.stderr == "measuring the ceilings\n"
    assert bench(*CPU, "--quiet").stderr == ""


def test_the_sections_are_told_what_was_asked_for(told: Told) -> None:
    bench("translate", *CPU, "--preset", "tiny", "--seed", "5", "--dtype", "bfloat16")
    given = told[0][1]
    assert (given.torch_device, given.preset, given.seed, given.dtype) == ("cpu", "tiny", 5, "bfloat16")
    told.clear()
    bench(*CPU)
    assert [name for name, _ in told] == ["ceilings", "kernels", "translate", "train"]
    given = told[0][1]
    assert (given.preset, given.seed, given.dtype, given.model, given.operations) == ("base", 1, None, None, ())


def test_ops_are_kernels_alone(told: Told) -> None:
    found = json.loads(bench("--ops", "beam_step,cross_entropy", *CPU, "--json").stdout)
    assert {row["section"] for row in found["rows"]} == {"ceilings", "kernels"}
    assert told[1][1].operations == ("beam_step", "cross_entropy")


def test_only_the_sections_asked_for_are_measured(told: Told) -> None:
    found = json.loads(bench("train", "kernels", *CPU, "--json").stdout)
    assert {row["section"] for row in found["rows"]} == {"ceilings", "kernels", "train"}
    assert {row["section"] for row in json.loads(bench("ceilings", *CPU, "--json").stdout)["rows"]} == {"ceilings"}


def test_json_is_the_record_that_o_writes(told: Told, tmp_path: Path) -> None:
    result = bench(*CPU, "--json", "-o", "bench.json")
    assert json.loads(result.stdout) == json.loads((tmp_path / "bench.json").read_text())
    assert read_record(tmp_path / "bench.json").device == DEVICE
    assert [path.name for path in tmp_path.iterdir()] == ["bench.json"]


def test_csv_has_a_row_for_each_figure(told: Told) -> None:
    lines = bench(*CPU, "--csv").stdout.splitlines()
    assert lines[0] == "section,name,case,by,figure,median,low,high,repeats,noisy,bytes,flops,fraction"
    assert {line.split(",")[0] for line in lines[1:]} == {"ceilings", "kernels", "translate", "train"}


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("device", [(), ("--device", "auto")])
def test_without_a_gpu_it_says_so_and_measures_nothing(told: Told, device: tuple[str, ...]) -> None:
    result = bench(*device)
    assert (result.exit_code, result.stdout, told) == (1, "", [])
    assert result.stderr == (
        "Error: No CUDA device is here; `mtcli bench --device cpu` measures this processor at smaller sizes.\n"
    )


USAGE = {
    "speed": "SECTION speed: expected one of ceilings, kernels, translate, train.",
    "--ops attention": "--ops attention: expected one of masked_attention, cross_entropy",
    "train --ops beam_step": "--ops is for kernels",
    "--json --csv": "contradict",
    "--from F -m DIR": "--from measures nothing, so it goes without -m",
    "--from F --device cpu --dtype float32": "goes without --device, --dtype",
    "--from F -o G": "goes without -o",
    "-i F": "-i FILE needs -m DIR",
    "-m DIR --preset tiny": "a model has its own sizes",
    "kernels -m DIR": "kernels are measured without a model",
    "train -m DIR -i F": "-i is for translate",
    "--fail-on-regression": "needs --compare OLD.json",
    "--from - --compare -": "cannot both read standard input",
    "-o -": "--json prints the record",
    "--plot -": "--plot takes the name of a file",
    "-o F.svg --plot F.svg": "Two outputs would be written to",
    "-m DIR -i -": "-i takes the name of a file",
}


@pytest.mark.parametrize("call", USAGE)
def test_what_contradicts_itself_is_exit_2(told: Told, call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mtcli.model_directory.description.load_architecture", lambda directory: None)
    result = bench(*call.split())
    assert (result.exit_code, result.stdout, told) == (2, "", [])
    assert USAGE[call] in result.stderr
    assert not list(Path().iterdir())


def test_what_cannot_be_used_is_said_before_anything_is_measured(told: Told) -> None:
    stored("old.json")
    stored("other.json", device=DEVICE.model_copy(update={"cores": 64}))
    Path("cut.json").write_text(to_json(record())[:100])
    Path("blank").write_text("\n \n")
    calls = {
        "-o old.json": "--force",
        "-o nowhere/bench.json": "Create it first",
        "--compare gone.json": "gone.json does not exist",
        "--compare cut.json": "cut.json is no JSON, or was cut short",
        "--compare other.json": "device.cores was 64 and is 2",
        "-m gone": "gone does not exist",
        "--dtype float16": "not supported on a CPU",
    }
    for call, gist in calls.items():
        result = bench(*CPU, *call.split())
        assert (result.exit_code, result.stdout, told) == (1, "", []), call
        assert result.stderr.startswith("Error: ") and gist in result.stderr


def test_a_model_needs_lines_with_text(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mtcli.model_directory.description.load_architecture", lambda directory: None)
    Path("blank").write_text("\n \n")
    Path("lines").write_text("\nA line.\n")
    assert "blank holds no line with text" in bench(*CPU, "-m", "model", "-i", "blank").stderr
    assert "gone does not exist" in bench(*CPU, "-m", "model", "-i", "gone").stderr
    assert told == []
    assert bench(*CPU, "-m", "model", "-i", "lines").exit_code == 0
    assert (told[0][1].model, told[0][1].input) == (Path("model"), Path("lines"))


def test_force_overwrites(told: Told) -> None:
    Path("bench.json").write_text("precious")
    assert bench(*CPU, "-o", "bench.json").exit_code == 1
    assert Path("bench.json").read_text() == "precious"
    assert bench(*CPU, "-o", "bench.json", "--force").exit_code == 0
    assert "train" in read_record(Path("bench.json")).sections


def interrupt(given: BenchSettings, found: Findings) -> None:
    found.add(decoded())
    raise KeyboardInterrupt


def test_ctrl_c_keeps_what_was_measured(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    make_up_sections(monkeypatch, told, translate=interrupt)
    result = bench(*CPU, "-o", "bench.json")
    assert (result.exit_code, result.stdout) == (130, "")
    found = read_record(Path("bench.json"))
    assert found.sections == ["ceilings", "kernels", "translate"]
    assert "translate: it was stopped before the end" in found.left_out


def test_ctrl_c_before_anything_was_measured_writes_nothing(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(given: BenchSettings) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mtcli.bench.ceilings.measure_ceilings", stop)
    assert bench(*CPU, "-o", "bench.json").exit_code == 130
    assert not list(Path().iterdir())


def test_an_error_in_a_section_keeps_what_came_before_it(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(given: BenchSettings, found: Findings) -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    make_up_sections(monkeypatch, told, train=fail)
    result = bench(*CPU, "-o", "bench.json")
    assert result.exit_code == 1 and "the device failed" in result.stderr
    assert "translate" in read_record(Path("bench.json")).sections


@pytest.mark.parametrize("status", ["wrong", "cannot run"])
def test_a_wrong_kernel_is_exit_1_and_has_no_time(told: Told, monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    bad = kernel_row(PADDED, None, status=status, why="output 0: largest error 1, where 0.1 is allowed")
    make_up_sections(monkeypatch, told, kernels=lambda given, found: found.add(bad))
    result = bench(*CPU, "-o", "bench.json")
    assert result.exit_code == 1
    gist = f"kernels: cross_entropy, 64 x 8000, forward, float32, padded: {status}: output 0: largest error"
    assert gist in result.stderr
    assert "Translate: tiny" in result.stdout
    assert Path("bench.json").exists()


def test_a_check_that_failed_is_exit_1(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = workload(checks=(Check(what="the loss falls", passed=False, detail="it rose"),))
    make_up_sections(monkeypatch, told, train=lambda given, found: found.describe("train", failed))
    result = bench("train", *CPU)
    assert result.exit_code == 1
    assert "train: a check failed: the loss falls: it rose." in result.stderr


def test_a_comparison_marks_regressions_and_fails_only_if_asked(told: Told) -> None:
    stored("old.json", *record().of("kernels"), trained(100.0))
    result = bench(*CPU, "--compare", "old.json")
    assert result.exit_code == 0
    assert "Train: tiny" in result.stdout
    assert result.stdout.count("REGRESSION") == 1
    failing = bench(*CPU, "--compare", "old.json", "--fail-on-regression", "-o", "new.json")
    assert failing.exit_code == 1
    assert "1 regression against old.json" in failing.stderr
    assert Path("new.json").exists()
    assert bench("--from", "new.json", "--compare", "new.json", "--fail-on-regression").exit_code == 0


def test_a_comparison_can_be_json_or_csv(told: Told) -> None:
    stored("old.json", *record().of("kernels"), trained(100.0))
    found = json.loads(bench(*CPU, "--compare", "old.json", "--json").stdout)
    assert found["regressions"] == 1
    lines = bench(*CPU, "--compare", "old.json", "--csv").stdout.splitlines()
    assert lines[0].endswith("old,new,ratio,verdict")


def test_another_size_is_refused_after_the_record_is_written(told: Told) -> None:
    stored("old.json", workloads={"translate": workload(dtype="bfloat16")})
    result = bench(*CPU, "--compare", "old.json", "-o", "new.json")
    assert result.exit_code == 1
    assert "translate.dtype was bfloat16 and is float32" in result.stderr
    assert Path("new.json").exists()


def test_records_without_a_common_figure_are_refused(told: Told) -> None:
    stored("old.json", decoded(), workloads={})
    stored("new.json", trained(), workloads={})
    result = bench("--from", "new.json", "--compare", "old.json")
    assert result.exit_code == 1
    assert "no figure in common" in result.stderr


def test_a_stored_record_is_shown_without_measuring(told: Told) -> None:
    stored("bench.json", seconds=77.0)
    result = bench("--from", "bench.json")
    assert (result.exit_code, told, result.stderr) == (0, [], "")
    assert "took 77 s; seed 1." in " ".join(result.stdout.split()) and "Train: tiny" in result.stdout
    some = bench("translate", "--from", "bench.json").stdout
    assert "Translate: tiny" in some and "Train: tiny" not in some
    assert json.loads(bench("--from", "bench.json", "--json").stdout) == json.loads(Path("bench.json").read_text())


def test_a_section_that_a_stored_record_lacks_is_named(told: Told) -> None:
    stored("bench.json", trained(), workloads={})
    result = bench("translate", "--from", "bench.json")
    assert result.exit_code == 1
    assert "bench.json holds no section translate; it holds train." in result.stderr


def test_a_plot_is_drawn_of_what_was_measured_or_stored(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[BenchRecord, Path]] = []
    _make_up_the_plot(monkeypatch, check_plot=lambda path: None, write_roofline=lambda *what: drawn.append(what))
    stored("bench.json", seed=9)
    assert bench("--from", "bench.json", "--plot", "roof.svg").exit_code == 0
    assert bench(*CPU, "--plot", "roof.svg").exit_code == 0
    assert [(one.seed, path) for one, path in drawn] == [(9, Path("roof.svg")), (1, Path("roof.svg"))]


def test_a_plot_that_cannot_be_drawn_is_refused_first(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    def check_plot(path: Path) -> None:
        raise BackendUnavailableError("it needs matplotlib")

    _make_up_the_plot(monkeypatch, check_plot=check_plot, write_roofline=None)
    result = bench(*CPU, "--plot", "roof.svg")
    assert (result.exit_code, result.stderr, told) == (1, "Error: it needs matplotlib\n", [])


def _make_up_the_plot(monkeypatch: pytest.MonkeyPatch, **functions: Any) -> None:
    plot = types.ModuleType("mtcli.bench.display.plot")
    for name, function in functions.items():
        setattr(plot, name, function)
    monkeypatch.setitem(sys.modules, "mtcli.bench.display.plot", plot)
