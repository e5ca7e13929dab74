"""Markdown from made-up results of training."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from benchmarks.report import training as tables

ROOT = Path(__file__).resolve().parents[2]
HEAD: dict[str, Any] = {
    "title": "Toy",
    "command": ["python -m training toy"],
    "device": {"cpu": "Some CPU", "cores": 2, "memory_gib": 23.4},
    "versions": {"mtcli": "0.1.0", "joeynmt": "2.3.0"},
    "date": "2025-01-31",
    "seed": 1,
}
MODEL = {
    "name": "tiny",
    "encoder_layers": 4,
    "decoder_layers": 4,
    "d_model": 128,
    "ffn_dim": 256,
    "heads": 4,
    "norm": "post",
    "vocabulary": 8000,
    "parameters": 2_350_000,
}
CORPUS = {"origin": "Multi30k, en to de", "pairs": 29000, "mean_src": 15.04, "mean_tgt": 16.0, "longest": 60}


def row(contestant: str, median: float | None, dtype: str = "float32", **more: Any) -> dict[str, Any]:
    figures: dict[str, Any] = {"min": 90.4, "max": 110.0, "ratio": 0.254, "peak_mib": 1234.5, "why": None}
    if median is None:
        figures = dict.fromkeys(figures)
    who = {"contestant": contestant, "dtype": dtype, "cores": 1, "way": "", "parameters": 2_350_000}
    return who | {"rounds": [median, median], "median": median} | figures | more


def trained(*rows: dict[str, Any]) -> str:
    sizes = {"batch_tokens": 4096, "warm_up": 10, "steps": 40}
    return json.dumps(HEAD | {"model": MODEL, "corpus": CORPUS, "rows": list(rows)} | sizes)


def test_rates_and_memory() -> None:
    block = tables.trained_block(
        trained(
            row("mtcli", 4000.0),
            row("mtcli", 9000.0, way="dropout where JoeyNMT has it"),
            row("mtcli", 8000.0, "bfloat16"),
            row("JoeyNMT", 1000.0, way="sorted"),
            row("JoeyNMT", 500.0, way="shuffled"),
        )
    )
    assert "| JoeyNMT | float32 | 1 | sorted | 1,000 | 90 to 110 | 0.25 | 1,234 |" in block
    assert "| mtcli | float32 | 1 | dropout where JoeyNMT has it | 9,000 |" in block
    assert "- On 1 core mtcli at its fastest (bfloat16) trains 8.0 times as fast as JoeyNMT at its own (f" in block
    assert "trains 16.0 times as fast as JoeyNMT at its own (float32, shuffled)." in block
    assert "Multi30k, en to de: 29,000 pairs of 15.0 source and 16.0 target tokens on average." in block
    assert "40 updates after 10 that do not count." in block
    assert "medians of 2 rounds" in block
    assert "Some CPU, 2 cores, 23 GiB; mtcli 0.1.0, joeynmt 2.3.0; 2025-01-31." in block
    assert block.endswith("```console\n$ PYTHONPATH=benchmarks python -m training toy\n```")


def test_a_name_with_a_comma_is_set_off_in_a_sentence() -> None:
    block = tables.trained_block(trained(row("mtcli", 4000.0), row("PyTorch, compiled", 1000.0)))
    assert "trains 4.0 times as fast as PyTorch, compiled, at its own (float32)." in block


def test_what_failed_says_why() -> None:
    block = tables.trained_block(trained(row("mtcli", 4000.0), row("JoeyNMT", None, cores=2, why="no module 'toy'")))
    assert "| JoeyNMT | float32 | 2 |  | failed |  |  |  |" in block
    assert "- Failed: JoeyNMT, float32, 2 cores: no module 'toy'." in block
    assert "times as fast" not in block


def test_profile_has_a_column_for_each_model() -> None:
    def part(name: str, share: float) -> dict[str, Any]:
        groups = [{"group": "attention", "seconds": 2 * share, "share": share}]
        sizes = {"dtype": "float32", "batch_tokens": 4096, "updates": 4, "target_tokens": 4000.0}
        taken = {"wall": 2.0, "profiled_wall": 2.2, "groups": groups}
        return {"model": MODEL | {"name": name}, "corpus": CORPUS} | sizes | taken

    block = tables.profile_block(json.dumps(HEAD | {"parts": [part("tiny", 0.25), part("base", 0.5)]}))
    assert "| part | tiny | base |" in block
    assert "| attention | 25.0% | 50.0% |" in block
    assert "| target tokens/s | 2,000 | 2,000 |" in block
    assert "The profiler slowed it down by 10%" in block


def test_another_record_is_refused() -> None:
    with pytest.raises(ValidationError):
        tables.trained_block(trained(row("mtcli", 1.0, extra=1)))


@pytest.fixture
def pages(tmp_path: Path) -> dict[str, Path]:
    """The two other pages without blocks' contents, as they are in the repository."""
    readme, decoding = tmp_path / "README.md", tmp_path / "decoding.md"
    readme.write_text((ROOT / "README.md").read_text(encoding="utf-8"), encoding="utf-8")
    decoding.write_text((ROOT / "docs" / "decoding.md").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "cpu").mkdir()
    return {"--readme": readme, "--decoding-page": decoding, "--results": tmp_path}


def run_readme(pages: dict[str, Path], *more: str) -> subprocess.CompletedProcess[str]:
    words = [str(word) for pair in pages.items() for word in pair]
    command = [sys.executable, str(ROOT / "benchmarks" / "readme.py"), *words, *more]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8")


def test_the_training_page_gets_its_tables(pages: dict[str, Path]) -> None:
    page = pages["--decoding-page"].with_name("training.md")
    names = ("corpus", "training-tiny", "training-base", "training-profile", "train")
    page.write_text("".join(f"<!-- begin: {name} -->\n<!-- end: {name} -->\n" for name in names), encoding="utf-8")
    results = pages["--results"] / "cpu" / "training-tiny.json"
    results.write_text(trained(row("mtcli", 4000.0)), encoding="utf-8")
    assert run_readme(pages).returncode == 0
    text = page.read_text(encoding="utf-8")
    assert "| mtcli | float32 | 1 |  | 4,000 |" in text
    assert text.count("not measured yet.") == 3
    assert "**Train**: not yet measured on a GPU." in text
    assert run_readme(pages, "--check").returncode == 0


def test_a_training_page_without_blocks_is_left_alone_and_one_with_a_few_is_an_error(pages: dict[str, Path]) -> None:
    page = pages["--decoding-page"].with_name("training.md")
    page.write_text("words\n", encoding="utf-8")
    assert run_readme(pages).returncode == 0
    assert page.read_text(encoding="utf-8") == "words\n"
    page.write_text("<!-- begin: train -->\n<!-- end: train -->\n", encoding="utf-8")
    finished = run_readme(pages)
    assert finished.returncode == 1
    assert "<!-- begin: corpus -->" in finished.stderr
