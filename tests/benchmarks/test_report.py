"""The report: every question with its state, plots of the results that are there, nothing out of date."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.questions import suite
from benchmarks.report import __main__ as report
from benchmarks.report.pages import BLOCKS
from benchmarks.report.plots import PLOTS

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"


def run_report(*options: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "benchmarks" / "report.py", *options]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=ROOT)


def test_the_report_is_up_to_date() -> None:
    checked = run_report("--check")
    assert checked.returncode == 0, checked.stderr


def test_without_results_everything_is_not_yet_measured(tmp_path: Path) -> None:
    page = report.report(tmp_path)
    rows = [line for line in page.splitlines() if line.startswith("| [")]
    assert len(rows) == len(report.QUESTIONS)
    assert all(row.endswith("| not yet measured |") for row in rows)
    assert "![" not in page


def test_every_link_of_the_index_leads_to_a_heading() -> None:
    page = report.report(RESULTS)
    targets = re.findall(r"\]\(#([^)]+)\)", page)
    headings = [report.anchor(line.removeprefix("## ")) for line in page.splitlines() if line.startswith("## ")]
    assert targets == headings
    for linked in re.findall(r"\]\(((?:\.\.|decoding|training|gpu|results|plots)[^)#]*)\)", page):
        assert (ROOT / "benchmarks" / linked).exists(), linked


def test_every_plot_belongs_to_a_block_of_the_report() -> None:
    shown = {name for question in report.QUESTIONS for name in question.blocks}
    assert PLOTS.keys() <= shown
    assert PLOTS.keys() <= {*BLOCKS, "bench"}


def test_a_changed_result_makes_page_and_plot_stale(tmp_path: Path) -> None:
    results, page = tmp_path / "results", tmp_path / "page" / "README.md"
    (results / "cpu").mkdir(parents=True)
    page.parent.mkdir()
    text = (RESULTS / "cpu" / "training-tiny.json").read_text(encoding="utf-8")
    (results / "cpu" / "training-tiny.json").write_text(text, encoding="utf-8")
    plot = page.parent / "plots" / "training-tiny.svg"
    assert [*report.stale_plots(results, plot.parent)] == [plot]
    PLOTS["training-tiny"](text, plot)
    assert not report.stale_plots(results, plot.parent)
    first = plot.read_bytes()
    PLOTS["training-tiny"](text, plot)
    assert plot.read_bytes() == first
    record = json.loads(text)
    record["date"] = "2031-01-31"
    (results / "cpu" / "training-tiny.json").write_text(json.dumps(record), encoding="utf-8")
    assert [*report.stale_plots(results, plot.parent)] == [plot]
    assert "| 2031-01-31; 1 of 2 parts not yet measured |" in report.report(results)
    checked = run_report("--check", "--results", results, "--report", page)
    assert checked.returncode == 1
    assert str(plot) in checked.stderr
    assert str(page) in checked.stderr


def test_the_suite_names_steps_that_there_are() -> None:
    assert [step.name for step in suite.chosen("growth-beam, startup")] == ["startup", "growth-beam"]
    assert suite.chosen("") == list(suite.STEPS)
    with pytest.raises(ValueError, match="there is no magic; there are startup"):
        suite.chosen("magic")


def test_the_suite_leaves_out_what_needs_corpora(tmp_path: Path) -> None:
    def planned(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, ROOT / "benchmarks" / "suite.py", "--dry-run", *options]
        return subprocess.run(command, capture_output=True, text=True, encoding="utf-8")

    without = planned()
    assert "Left out, for want of --data DIR: decoding-base, decoding-imported, decoding-trained" in without.stderr
    assert "bench-decoding" not in without.stdout
    assert without.returncode == 0
    given = planned("--data", str(tmp_path))
    assert f"make bench-training QUESTION=tiny DATA={tmp_path}" in given.stdout
    assert "{" not in given.stdout.replace("{scratch}", "")
    assert len(given.stdout.splitlines()) == len(suite.STEPS)
