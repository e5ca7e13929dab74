"""The measured parts of all pages are what benchmarks/results says, and every result is on a page."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_pages_plots_and_the_picture_are_up_to_date() -> None:
    command = [sys.executable, "-m", "benchmarks.report", "--check"]
    checked = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=ROOT)
    assert checked.returncode == 0, checked.stderr
