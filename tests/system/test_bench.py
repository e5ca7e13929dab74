"""The real `mtcli bench` on this processor, as small and as short as its options make it."""

import csv
import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.command import MTCLI, mtcli, succeed
from support.patience import PATIENCE
from support.tiny import write_untrained

from mtcli.bench.record.schema import BenchRecord
from mtcli.bench.record.stored import read_record

SHORT = ("bench", "--device", "cpu", "--preset", "tiny", "--seconds", "30")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[bytes]]:
    """All of it once: the record's file, and how the command ended."""
    path = tmp_path_factory.mktemp("bench") / "bench.json"
    return path, mtcli(*SHORT, "-o", path)


def test_all_is_measured_and_right(run: tuple[Path, subprocess.CompletedProcess[bytes]]) -> None:
    path, finished = run
    assert finished.returncode == 0, finished.stderr.decode()
    record = read_record(path)
    assert record.device.kind == "cpu" and {"mtcli", "torch", "python"} <= set(record.versions)
    assert record.ceilings.bytes_per_second > 0 and record.ceilings.flops_per_second["float32"] > 0
    right = {row.section for row in record.rows if row.status == "right"}
    assert right == {"ceilings", "kernels", "translate", "train"}
    assert all(check.passed for work in record.workloads.values() for check in work.checks)
    assert all(work.model.startswith("tiny, ") for work in record.workloads.values())


def test_the_json_has_the_schema(run: tuple[Path, subprocess.CompletedProcess[bytes]]) -> None:
    found: dict[str, Any] = json.loads(run[0].read_text(encoding="utf-8"))
    schema = BenchRecord.model_json_schema()
    assert set(found) == set(schema["properties"])
    assert BenchRecord.model_validate(found).format_version == 2


def test_shares_and_fractions_are_possible(run: tuple[Path, subprocess.CompletedProcess[bytes]]) -> None:
    for row in read_record(run[0]).rows:
        if row.phases:
            assert sum(phase.share for phase in row.phases) == pytest.approx(1.0, abs=0.05)
        # No upper bound: ceilings and work are measured one after the other, maybe beside other programs.
        fractions = (row.fraction, *(phase.fraction for phase in row.phases))
        assert all(fraction is None or fraction > 0 for fraction in fractions)


def test_tables_go_to_stdout_and_talk_to_stderr(run: tuple[Path, subprocess.CompletedProcess[bytes]]) -> None:
    path, finished = run
    text, talk = finished.stdout.decode(), finished.stderr.decode()
    for title in ("Ceilings:", "cross_entropy", "Translate: tiny", "Train: tiny"):
        assert title in text
    assert "translate" in talk and "Traceback" not in talk
    assert max(map(len, text.splitlines())) <= 120
    assert succeed("bench", "--from", path) == text


def test_a_record_compared_with_itself_has_no_regression(
    run: tuple[Path, subprocess.CompletedProcess[bytes]],
) -> None:
    text = succeed("bench", "--from", run[0], "--compare", run[0], "--fail-on-regression")
    assert "No regression" in text and "REGRESSION" not in text
    rows = list(csv.DictReader(succeed("bench", "--from", run[0], "--csv").splitlines()))
    assert {row["section"] for row in rows} == {"ceilings", "kernels", "translate", "train"}
    assert all(float(row["low"]) <= float(row["median"]) <= float(row["high"]) for row in rows if row["low"])


def test_a_model_of_ones_own_on_ones_own_lines(tmp_path: Path) -> None:
    model, lines = write_untrained(tmp_path), tmp_path / "lines"
    lines.write_text("1 2 3\n4 5\n\n6 7 8 9\n" * 5)
    options = ("--device", "cpu", "--seconds", "10", "--json", "--quiet")
    found = json.loads(succeed("bench", "translate", "-m", model, "-i", lines, *options))
    assert {row["section"] for row in found["rows"]} == {"ceilings", "translate"}
    work = found["workloads"]["translate"]
    assert "random" not in work["model"] and "lines" in work["sentences"]
    assert any(row["status"] == "right" for row in found["rows"] if row["section"] == "translate")


def test_operations_alone_are_measured_in_processes_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "kernels.json"
    succeed("bench", "--ops", "beam_step,cross_entropy", "--device", "cpu", "--toy", "--seconds", "60", "-o", path)
    record = read_record(path)
    assert record.sections == ["ceilings", "kernels"]
    assert {row.name for row in record.of("kernels")} == {"beam_step", "cross_entropy"}
    assert {row.status for row in record.of("kernels")} == {"right"}


def test_ctrl_c_leaves_what_was_measured(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    arguments = [*MTCLI, "bench", "--device", "cpu", "--preset", "tiny", "--seconds", "100", "-o", str(path)]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stderr is not None
    for line in process.stderr:
        if not line.startswith(b"ceilings"):  # the next section has begun
            break
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=PATIENCE)
    assert (process.returncode, stdout) == (130, b"")
    assert b"Interrupted." in stderr and b"Traceback" not in stderr
    record = read_record(path)
    assert record.ceilings.copies and not record.of("train")
    assert len([words for words in record.left_out if "stopped" in words]) == 3
    assert [one.name for one in tmp_path.iterdir()] == ["bench.json"]
