"""The measured parts of all pages are what benchmarks/results says, and every result is on a page."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = """
from benchmarks.contest.machine import RESULTS, ROOT
from benchmarks.report.pages import shown_nowhere
print(*shown_nowhere(ROOT, RESULTS))
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, encoding="utf-8", cwd=ROOT)


def test_pages_plots_and_the_picture_are_up_to_date() -> None:
    checked = run("-m", "benchmarks.report", "--check")
    assert checked.returncode == 0, checked.stderr


def test_every_results_file_is_shown_on_a_page() -> None:
    assert run("-c", NOWHERE).stdout.split() == []
