"""Markdown from made-up results."""

import json
from pathlib import Path
from typing import Any

import pytest
from gpu import tables

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
