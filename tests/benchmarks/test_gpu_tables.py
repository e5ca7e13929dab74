"""Markdown from made-up results."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.report import gpu as tables

HEAD: dict[str, Any] = {
    "title": "Toy",
    "command": ["make gpu STAGE=toy"],
    "rehearsal": False,
    "device": {"gpu": "NVIDIA Toy", "driver": "1.2"},
    "versions": {"torch": "2.11.0", "triton": "3.6.0"},
    "date": "2025-01-31",
    "seed": 1,
    "seconds": 2.0,
    "left_out": [],
}
CEILINGS = HEAD | {
    "best": {"bytes_per_second": 1.234e12, "flops_per_second": {"bfloat16": 4.5e14}},
    "launch": [{"what": "an empty kernel, in a CUDA graph", "us": {"median": 1.5}, "launches": 100}],
}
CORRECT = HEAD | {
    "tests": [
        {"file": "test_toy.py", "seconds": 3.4, "passed": 10, "failed": 1, "errors": 1, "skipped": 2, "ended": None}
    ],
    "sanitizer": {"tool": "/bin/compute-sanitizer", "memcheck": {"status": "clean"}, "racecheck": {"status": "errors"}},
}


def timing(median: float) -> dict[str, float]:
    return {"median": median, "p20": median, "p80": median, "repeats": 10}


def kernels(**ours: Any) -> dict[str, Any]:
    row = {
        "case": "base, 64 slots",
        "direction": "forward",
        "dtype": "float16",
        "floor_us": 2.0,
        "contestants": [
            {"name": "triton", "status": "right", "eager": timing(20.0), "graph": timing(4.0)} | ours,
            {"name": "sdpa math", "status": "right", "eager": timing(50.0), "graph": timing(10.0)},
        ],
        "torch_best": {"eager": {"name": "sdpa math", "speedup": 2.5}, "graph": {"name": "sdpa math", "speedup": 2.5}},
    }
    entry = {"finished": True, "left_out": ["big, forward"], "lost": ["it broke."], "error": None, "rows": [row]}
    return HEAD | {"ops": {"toy_attention": entry}}


RUN = {
    "seed": 1,
    "status": "scored",
    "minutes": 3.25,
    "steps": 20_000,
    "target_tokens_per_second": 250_000.0,
    "set": "test_toy",
    "beam": 5,
    "bleu": 41.0,
    "chrf": 65.0,
    "signatures": {"bleu": "BLEU-SIGNATURE"},
}
QUALITY = HEAD | {
    "recipe": "toy.toml",
    "tokenize": "none",
    "runs": [RUN, RUN | {"seed": 2, "bleu": 42.0}, {"seed": 3, "status": "failed", "why": "training: it was stopped."}],
    "bleu": {"mean": 41.5, "min": 41.0, "max": 42.0},
}


def test_quality() -> None:
    block = tables.quality_block(json.dumps(QUALITY))
    assert "| 1 | 3.2 | 20,000 | 250,000 | test_toy | 5 | 41.00 | 65.00 |" in block
    assert "BLEU 41.50 on average, 41.00 to 42.00." in block
    assert "Seed 3 failed: training: it was stopped." in block
    assert block.count("BLEU-SIGNATURE") == 1


def test_kernels() -> None:
    block = tables.kernels_block(json.dumps(kernels()))
    head, _, tables_of_ops = block.partition("\n\n")
    assert head == "**Toy**: NVIDIA Toy, driver 1.2; torch 2.11.0, triton 3.6.0; 2025-01-31."
    assert tables_of_ops.startswith("**`toy_attention`**, in a CUDA graph\n")
    assert "| base, 64 slots, float16 | forward | 4.0 | 10.0 | sdpa math | 2.50x | 50% |" in block
    assert "| base, 64 slots, float16 | forward | 20.0 | 50.0 | sdpa math | 2.50x | 10% |" in block
    assert "`toy_attention`: for lack of time, without 1 cases." in block
    assert "`toy_attention`: it broke." in block
    assert block.endswith("```console\n$ make gpu STAGE=toy\n```")


def test_a_wrong_kernel_has_no_time() -> None:
    record = kernels()
    ours = record["ops"]["toy_attention"]["rows"][0]["contestants"][0]
    del ours["eager"], ours["graph"]
    ours["status"] = "wrong"
    assert "| base, 64 slots, float16 | forward | wrong |  |  |  |  |" in tables.kernels_block(json.dumps(record))


def test_without_a_rival_there_is_no_speedup() -> None:
    record = kernels()
    record["ops"]["toy_attention"]["rows"][0]["torch_best"] = {"eager": None, "graph": None}
    assert "| forward | 4.0 | none |  |  | 50% |" in tables.kernels_block(json.dumps(record))


def test_ceilings_and_tests() -> None:
    block = tables.ceilings_block(json.dumps(CEILINGS))
    assert "| copy within device memory, bytes read and written | 1,234 GB/s |" in block
    assert "| matrix product, bfloat16 | 450.0 TFLOP/s |" in block
    assert "| an empty kernel, in a CUDA graph | 1.50 µs |" in block
    block = tables.correct_block(json.dumps(CORRECT))
    assert "| `test_toy.py` | 10 | 2 | 2 | 3 |" in block
    assert "compute-sanitizer: memcheck: clean; racecheck: errors." in block


def rate(contestant: str, size: int, **parts: Any) -> dict[str, Any]:
    figures = {"median": 12345.0, "min": 12000.0, "max": 12600.0, "rounds": 3, "step_ms": 1.234, "ratio": 1.0}
    row = {"contestant": contestant, "search": "beam 4", "way": "", "size": size, "one_by_one": False}
    return row | {"status": "right", "why": None} | figures | parts


def translation(*rows: dict[str, Any]) -> dict[str, Any]:
    return HEAD | {
        "model": {"name": "base", "parameters": 60_500_000},
        "sources": {"origin": "newstest2014", "mean": 26.4},
        "target_tokens": 27,
        "checks": [
            {"check": "graphs", "passed": True, "detail": "8 of 8 are the same"},
            {"check": "independence", "passed": False, "detail": "3 of 8 are the same"},
            {"check": "model", "passed": None, "detail": "no answer"},
        ],
        "rows": list(rows),
    }


def test_translation() -> None:
    fast = {"median": 500.0, "step_ms": 2.0, "ratio": 0.25}
    wrong = {"search": "greedy", "way": "CUDA graphs", "status": "wrong", "ratio": None}
    alone = {"one_by_one": True, "p50_ms": 31.26, "p95_ms": 40.0, "median": 860.0, "min": 860.0, "max": 860.0}
    record = translation(
        rate("mtcli", 64, way="CUDA graphs"),
        rate("mtcli", 16, way="CUDA graphs", ratio=1.5),
        rate("Toy", 32, **fast),
        rate("mtcli", 16, **wrong),
        rate("Toy", 32, search="greedy", status="cannot run", why="no module 'toy'"),
        rate("Toy", 64, search="greedy", status="cannot run", why="no module 'toy'"),
        rate("mtcli", 1, way="no graphs", **alone),
    )
    block = tables.translate_block(json.dumps(record))
    assert "Transformer base, 60 million random weights in float16; newstest2014, 26 source tokens" in block
    assert "| decoder | 16 | 32 | 64 | best, to mtcli |\n|---|--:|--:|--:|--:|\n" in block
    assert "| mtcli, CUDA graphs | 12,345 (1.23) |  | 12,345 (1.23) | 1.50x |" in block
    assert "| Toy |  | 500 (2.00) |  | 0.25x |" in block
    assert "| mtcli, CUDA graphs | wrong |  |  |  |" in block
    assert "| Toy |  | cannot run | cannot run |" in block
    assert "| mtcli, no graphs | beam 4 | 31.3 | 40.0 | 860 |" in block
    assert "\nCould not run: Toy: no module 'toy'.\n" in block
    assert "Checks that failed: independence (3 of 8 are the same)." in block
    assert "Medians of up to 3 rounds; a figure's least and greatest are up to 120% apart." in block


def test_translation_of_which_nothing_was_measured() -> None:
    left_out = {"contestant": "mtcli", "search": "greedy", "way": "CUDA graphs", "size": 16, "one_by_one": False}
    alone = left_out | {"size": 1, "one_by_one": True}
    rows = [one | {"status": "left out", "why": None} for one in (left_out, alone)]
    block = tables.translate_block(json.dumps(translation(*rows)))
    assert "| mtcli, CUDA graphs | left out |  |" in block
    assert "| mtcli, CUDA graphs | greedy | left out |  |  |" in block
    assert "Medians" not in block


def test_training() -> None:
    right = {"status": "right", "why": None, "median": 123456.0, "step_ms": 100.44, "fraction": 0.404}
    rows = [
        {"contestant": "mtcli", "way": "", "ratio": 1.0, "peak_gib": 12.34} | right,
        {"contestant": "PyTorch", "way": "", "ratio": 0.5, "peak_gib": None} | right,
        {"contestant": "Toy", "way": "", "status": "cannot run", "why": "no module 'toy'"},
    ]
    model = {
        "model": {"name": "base", "parameters": 60_500_000},
        "mean_tokens": {"src": 24_000.0, "tgt": 25_000.0},
        "rows": rows,
        "parts": [{"part": "backward", "ms": 60.0, "share": 0.6}],
    }
    block = tables.train_block(json.dumps(HEAD | {"models": [model]}))
    assert (
        "**base**, 60 million parameters, bfloat16; random sentences as long as news, 24,000 source and 25,000" in block
    )
    assert "| mtcli | 123,456 | 100.4 | 1.00x | 40% | 12.3 |" in block
    assert "| PyTorch | 123,456 | 100.4 | 0.50x | 40% |  |" in block
    assert "| Toy | cannot run |  |  |  |  |" in block
    assert "mtcli's update: backward 60%." in block
    assert "Not right, or not there: Toy: no module 'toy'." in block


def test_the_terminal_shows_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    lines = "\n".join(tables.kernel_lines(kernels()))
    assert "toy_attention:" in lines
    assert "base, 64 slots, float16" in lines
    assert "left out: big, forward" in lines


def test_a_rehearsal_is_never_shown() -> None:
    for block in tables.BLOCKS.values():
        with pytest.raises(ValueError, match="rehearsal"):
            block(json.dumps(HEAD | {"rehearsal": True}))


def test_what_was_never_measured_says_so(tmp_path: Path) -> None:
    (tmp_path / "cpu").mkdir()
    assert tables.gpu_blocks("kernels", tmp_path) == "**Kernels**: not yet measured on a GPU."
    (tmp_path / "nvidia-toy").mkdir()
    (tmp_path / "nvidia-toy" / "ceilings.json").write_text(json.dumps(CEILINGS))
    assert tables.gpu_blocks("ceilings", tmp_path) == tables.ceilings_block(json.dumps(CEILINGS))


def test_the_repository_holds_no_rehearsal() -> None:
    for name in tables.BLOCKS:
        tables.gpu_blocks(name)
