"""The measured parts of README.md and docs/decoding.md are what benchmarks/readme.py makes of benchmarks/results."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.bench_records import record

from mtcli.bench.record.stored import to_json

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = (
    "install",
    "first-minute",
    "recipes",
    "startup",
    "decoding-base",
    "decoding-trained",
    "decoding-latency",
    "ceilings",
    "correct",
    "kernels",
    "translate",
)
QUALITY_BLOCKS = ("tatoeba-en-de", "multi30k", "multi30k-raw", "ko-en")
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
    "models": [
        {
            "name": recipe,
            "train": {
                "minutes": 40.02,
                "steps": steps,
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
                    "bleu": bleu + steps / 1000,
                    "chrf": 60.04,
                    "ter": 44.96,
                    "seconds": 12.34,
                    "signatures": {"bleu": "BLEU-SIGNATURE", "chrf": "CHRF-SIGNATURE", "ter": "TER-SIGNATURE"},
                }
                for name, bleu in (("first", 32.04), ("second", 24.96))
            ],
        }
        for recipe, steps in (("toy.toml", 5000), ("preset tiny", 1000))
    ],
}
FIRST_MINUTE: dict[str, Any] = {
    **{key: QUALITY[key] for key in ("device", "versions", "date")},
    "title": "The first minute",
    "command": ["mtcli one", "mtcli two"],
    "install": {"command": "make it", "lines": ["made"], "seconds": 0.1},
    "shown": [
        {"command": "mtcli one", "lines": ["Eins."], "seconds": 1.2},
        {"command": "mtcli two", "lines": ["begin", None, "end"], "seconds": 20.4},
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
    (results / "cpu" / "quality-multi30k.json").write_text(json.dumps(result), encoding="utf-8")


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
    assert "out of date: recipes" in checked.stderr
    assert readme.read_text(encoding="utf-8") == before


def test_a_result_is_written_and_then_up_to_date(readme: Path, page: Path, results: Path) -> None:
    write_result(results, QUALITY)
    quality_page = page.with_name("quality.md")
    quality_page.write_text(empty(QUALITY_BLOCKS), encoding="utf-8")
    assert run_readme("--readme", readme, "--decoding-page", page, "--results", results).returncode == 0
    summary = readme.read_text(encoding="utf-8")
    assert "| Toy, English to German | toy.toml | 2.4 M | 40 | first | 37.0 | 60.0 |" in summary
    assert "| Toy, English to German | preset tiny | 2.4 M | 40 | second | 26.0 | 60.0 |" in summary
    text = quality_page.read_text(encoding="utf-8")
    assert "| toy.toml | first | en-de | 1,000 | 5 | 37.0 | 60.0 | 45.0 | 12.3 |" in text
    assert "| preset tiny | second | en-de | 1,000 | 5 | 26.0 |" in text
    assert text.count("not measured yet.") == len(QUALITY_BLOCKS) - 1
    assert text.count("BLEU-SIGNATURE") == 1
    assert "- toy.toml: 40.0 minutes, 5,000 steps, 18.0 million target tokens at 7,500 a second, 2.35 million" in text
    assert "Some CPU, 2 cores, 23 GiB; python 3.11.7, mtcli 0.1.0; 2025-01-31." in text
    assert max(map(len, text[text.index("```console") :].splitlines())) <= 110
    assert run_readme("--check", "--readme", readme, "--decoding-page", page, "--results", results).returncode == 0


def test_the_first_minute_shows_what_was_printed(readme: Path, page: Path, results: Path) -> None:
    (results / "cpu" / "first-minute.json").write_text(json.dumps(FIRST_MINUTE), encoding="utf-8")
    assert run_readme("--readme", readme, "--decoding-page", page, "--results", results).returncode == 0
    text = readme.read_text(encoding="utf-8")
    assert "```console\n$ mtcli one\nEins.\n$ mtcli two\nbegin\n...\nend\n```" in text
    assert "```console\n$ make it\nmade\n$ . .venv/bin/activate\n```" in text
    assert "Together 22 seconds. Some CPU" in text


def test_the_bench_page_shows_what_the_command_prints(readme: Path, page: Path, results: Path) -> None:
    bench_page = page.with_name("bench.md")
    bench_page.write_text(empty(("bench",)), encoding="utf-8")
    arguments = ("--readme", readme, "--decoding-page", page, "--results", results)
    assert run_readme(*arguments).returncode == 0
    assert "**mtcli bench**: not measured yet." in bench_page.read_text(encoding="utf-8")
    (results / "cpu" / "bench.json").write_text(to_json(record()), encoding="utf-8")
    assert run_readme(*arguments).returncode == 0
    text = bench_page.read_text(encoding="utf-8")
    assert "```console\n$ mtcli bench --device cpu\nSome CPU, 2 cores" in text
    assert "Train: tiny, 4+3 layers" in text
    (results / "cpu" / "bench.json").write_text("{}", encoding="utf-8")
    finished = run_readme(*arguments)
    assert finished.returncode == 1
    assert "is not a record of mtcli bench" in finished.stderr and "Traceback" not in finished.stderr


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
    assert "quality_table.py describes" in finished.stderr
    assert "Traceback" not in finished.stderr
