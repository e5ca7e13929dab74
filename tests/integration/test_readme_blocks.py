"""The measured parts of README.md and docs/decoding.md are what benchmarks/readme.py makes of benchmarks/results."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = (
    "multi30k",
    "ko-en",
    "startup",
    "decoding-base",
    "decoding-trained",
    "decoding-latency",
    "ceilings",
    "correct",
    "kernels",
    "translate",
)
PAGE_BLOCKS = ("decoding-base-settings", "decoding-trained-settings", "decoding-profile")


def empty(blocks: tuple[str, ...]) -> str:
    return "".join(f"before\n<!-- begin: {name} -->\n<!-- end: {name} -->\nafter\n" for name in blocks)


QUALITY: dict[str, Any] = {
    "title": "Toy, English to German",
    "command": [
        "mtcli train --src DATA/toy/train.en.xz --tgt DATA/toy/train.de.xz -o toy --preset tiny --max-minutes 40"
    ],
    "device": {"cpu": "Some CPU", "cores": 2, "memory_gib": 23.4},
    "versions": {"python": "3.11.7", "mtcli": "0.1.0"},
    "date": "2025-01-31",
    "train": {
        "minutes": 40.02,
        "steps": 5000,
        "target_tokens": 18_000_000,
        "target_tokens_per_second": 7500.4,
        "parameters": 2_350_000,
    },
    "scores": [
        {
            "set": name,
            "direction": "en-de",
            "beam": 5,
            "lines": 1000,
            "bleu": bleu,
            "chrf": 60.04,
            "ter": 44.96,
            "seconds": 12.34,
            "signatures": {"bleu": "BLEU-SIGNATURE", "chrf": "CHRF-SIGNATURE", "ter": "TER-SIGNATURE"},
        }
        for name, bleu in (("first", 37.04), ("second", 29.96))
    ],
}


def run_readme(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "benchmarks" / "readme.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8")


@pytest.fixture
def readme(tmp_path: Path) -> Path:
    path = tmp_path / "README.md"
    path.write_text(empty(BLOCKS), encoding="utf-8")
    return path


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "decoding.md"
    path.write_text(empty(PAGE_BLOCKS), encoding="utf-8")
    return path


@pytest.fixture
def results(tmp_path: Path) -> Path:
    path = tmp_path / "results"
    (path / "cpu").mkdir(parents=True)
    return path


def write_result(results: Path, result: dict[str, Any]) -> None:
    (results / "cpu" / "multi30k-en-de-tiny.json").write_text(json.dumps(result), encoding="utf-8")


def test_the_readme_is_up_to_date() -> None:
    checked = run_readme("--check")
    assert checked.returncode == 0, checked.stderr


def test_a_missing_result_says_not_measured_yet(readme: Path, page: Path, results: Path) -> None:
    assert run_readme("--readme", readme, "--decoding-page", page, "--results", results).returncode == 0
    text = readme.read_text(encoding="utf-8")
    assert text.count("not measured yet.") + text.count("not yet measured on a GPU.") == len(BLOCKS)
    assert text.count("before\n") == text.count("after\n") == len(BLOCKS)
    assert page.read_text(encoding="utf-8").count("not measured yet.") == len(PAGE_BLOCKS)


def test_a_page_that_is_not_there_is_an_error(readme: Path, page: Path, results: Path) -> None:
    page.unlink()
    finished = run_readme("--readme", readme, "--decoding-page", page, "--results", results)
    assert finished.returncode == 1
    assert "decoding.md does not exist; it must hold the blocks decoding-base-settings" in finished.stderr


def test_a_stale_block_of_the_other_page_is_named(readme: Path, page: Path, results: Path) -> None:
    run_readme("--readme", readme, "--decoding-page", page, "--results", results)
    page.write_text(empty(PAGE_BLOCKS), encoding="utf-8")
    checked = run_readme("--check", "--readme", readme, "--decoding-page", page, "--results", results)
    assert checked.returncode == 1
    assert "decoding.md: out of date: decoding-base-settings, decoding-trained-settings" in checked.stderr
    assert page.read_text(encoding="utf-8") == empty(PAGE_BLOCKS)


def test_a_stale_block_is_named_and_left_alone(readme: Path, page: Path, results: Path) -> None:
    run_readme("--readme", readme, "--decoding-page", page, "--results", results)
    before = readme.read_text(encoding="utf-8")
    write_result(results, QUALITY)
    checked = run_readme("--check", "--readme", readme, "--decoding-page", page, "--results", results)
    assert checked.returncode == 1
    assert "out of date: multi30k." in checked.stderr
    assert readme.read_text(encoding="utf-8") == before


def test_a_result_is_written_and_then_up_to_date(readme: Path, page: Path, results: Path) -> None:
    write_result(results, QUALITY)
    assert run_readme("--readme", readme, "--decoding-page", page, "--results", results).returncode == 0
    text = readme.read_text(encoding="utf-8")
    assert "| first | en-de | 1,000 | 5 | 37.0 | 60.0 | 45.0 | 12.3 |" in text
    assert "| second | en-de | 1,000 | 5 | 30.0 |" in text
    assert text.count("BLEU-SIGNATURE") == 1
    assert "40.0 minutes: 5,000 steps, 18.0 million target tokens at 7,500 a second, 2.35 million" in text
    assert "Some CPU, 2 cores, 23 GiB; python 3.11.7, mtcli 0.1.0; 2025-01-31." in text
    assert max(map(len, text[text.index("```console") :].splitlines())) <= 110
    assert run_readme("--check", "--readme", readme, "--decoding-page", page, "--results", results).returncode == 0


@pytest.mark.parametrize("marker", ["<!-- begin: startup -->", "<!-- end: startup -->"])
def test_a_missing_marker_is_an_error(readme: Path, page: Path, results: Path, marker: str) -> None:
    readme.write_text(empty(BLOCKS).replace(marker, ""), encoding="utf-8")
    finished = run_readme("--readme", readme, "--decoding-page", page, "--results", results)
    assert finished.returncode == 1
    assert "<!-- begin: startup -->" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_result_with_other_keys_is_an_error(readme: Path, page: Path, results: Path) -> None:
    write_result(results, {**QUALITY, "extra": 1})
    finished = run_readme("--check", "--readme", readme, "--decoding-page", page, "--results", results)
    assert finished.returncode == 1
    assert "multi30k-en-de-tiny.json" in finished.stderr
    assert "Traceback" not in finished.stderr
