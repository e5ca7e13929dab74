"""`make gpu` on a machine without a GPU: it says so, and its rehearsal runs every stage on the CPU."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.gpu import __main__ as driver
from benchmarks.gpu import packages
from benchmarks.gpu.stages import STAGES
from mtcli.bench.training.parts import PARTS

ROOT = Path(__file__).resolve().parents[2]
OPS = (
    "masked_attention",
    "cross_entropy",
    "beam_step",
    "cross_attention_decode",
    "self_attention_decode",
)

without_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")


def make_gpu(**variables: object) -> subprocess.CompletedProcess[str]:
    settings = [f"{name}={value}" for name, value in ({"PYTHON": sys.executable} | variables).items()]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", "gpu", *settings], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", env=environment
    )


def rehearse(folder: Path, stage: str, **variables: object) -> dict[str, Any]:
    finished = make_gpu(STAGE=stage, REHEARSE=1, RESULTS=folder, **variables)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    record: dict[str, Any] = json.loads((folder / f"{stage}.json").read_text(encoding="utf-8"))
    assert record["rehearsal"] is True
    assert record["left_out"] == []
    assert record["seed"] >= 0
    assert record["versions"]["torch"] == torch.__version__
    return record


@without_gpu
def test_without_a_gpu_one_sentence_says_so(tmp_path: Path) -> None:
    finished = make_gpu(RESULTS=tmp_path)
    assert finished.returncode != 0
    sentence = finished.stderr.splitlines()[0]
    assert sentence.startswith("No GPU: ")
    assert sentence.endswith("make gpu REHEARSE=1")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"STAGE": "magic"}, "there is no stage magic; there are ceilings, correct, kernels"),
        ({"OPS": "magic"}, "there is no operation magic"),
        ({"STAGE": ","}, "no stage is named"),
        ({"REHEARSE": 1, "RESULTS": ROOT / "benchmarks/results/toy"}, "A rehearsal does not write into"),
    ],
)
def test_wrong_options_are_refused(variables: dict[str, object], message: str) -> None:
    finished = make_gpu(**variables)
    assert finished.returncode != 0
    assert message in finished.stderr


@pytest.mark.parametrize(
    ("lacking", "wheels", "message"),
    [
        (["torch>=2.11"], None, r"lacks torch>=2.11, which is not installed here; name another: make gpu PYTHON="),
        (["numpy>=1", "triton>=3"], None, r"lacks triton>=3, which is not"),
        (["rich>=13", "typer"], None, r"lacks rich>=13, typer; name a folder of wheels: make gpu WHEELS="),
        (["rich>=13"], "empty", r"lacks rich>=13; empty has no wheel that fits"),
    ],
)
def test_what_is_missing_is_said(
    lacking: list[str], wheels: str | None, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "missing", lambda requirements: lacking)
    monkeypatch.setattr(packages, "install", lambda requirements, wheels, target: requirements)
    with pytest.raises(SystemExit, match=message):
        driver._install(list(STAGES), Path(wheels) if wheels else None)


def test_ceilings(tmp_path: Path) -> None:
    record = rehearse(tmp_path, "ceilings")
    assert record["best"]["bytes_per_second"] > 0
    assert set(record["best"]["flops_per_second"]) == {"float32", "tf32", "float16", "bfloat16"}
    assert [row["what"] for row in record["launch"]] == [
        "an empty Triton kernel, launched one by one",
        "an empty Triton kernel, in a CUDA graph",
        "PyTorch adding 1 to one number, launched one by one",
        "PyTorch adding 1 to one number, in a CUDA graph",
    ]


def test_correct(tmp_path: Path) -> None:
    record = rehearse(tmp_path, "correct", OPS="cross_entropy")
    (tested,) = record["tests"]
    assert tested["file"] == "test_cross_entropy_kernel.py"
    assert tested["passed"] == 2
    assert record["sanitizer"]["launches"] == "They ran, without the tool."


def test_kernels(tmp_path: Path) -> None:
    record = rehearse(tmp_path, "kernels")
    assert tuple(record["ops"]) == OPS
    for name, entry in record["ops"].items():
        assert entry["finished"], name
        assert not entry["lost"], name
        for row in entry["rows"]:
            found = {one["name"]: one for one in row["contestants"]}
            assert found["triton"]["status"] == "right", (name, row["case"], found["triton"])
            assert found["padded"]["status"] == "right", (name, row["case"])
            assert "wrong" not in [one["status"] for one in found.values()], (name, row["case"])
            assert row["torch_best"]["eager"]["speedup"] > 0


def test_translate(tmp_path: Path) -> None:
    record = rehearse(tmp_path, "translate")
    ours = [row for row in record["rows"] if row["contestant"] == "mtcli"]
    assert {row["search"] for row in ours} == {"beam 4", "greedy"}
    for row in ours:
        assert row["status"] == "right", row
        assert row["median"] > 0
        assert row["slots"] == row["size"] or row["settings"]["independent"]
        assert ("p95_ms" in row) == row["one_by_one"]
    assert [row["ratio"] for row in ours if row["way"] == "CUDA graphs" and row["size"] == 2] == [1.0, 1.0]
    assert [one["passed"] for one in record["checks"] if one["contestant"] == "mtcli"] == [True] * 12
    assert set(record["contestants"]) == {"mtcli", "CTranslate2", "Hugging Face Marian"}
    assert record["contestants"]["mtcli"]["torch"] == torch.__version__


def test_train(tmp_path: Path) -> None:
    record = rehearse(tmp_path, "train")
    (model,) = record["models"]
    rows = {", ".join(filter(None, (row["contestant"], row["way"]))): row for row in model["rows"]}
    for name in ("mtcli", "mtcli, attention sdpa", "PyTorch", "PyTorch, compiled"):
        assert rows[name]["status"] == "right", rows[name]
        assert rows[name]["parameters"] == model["model"]["parameters"]
        assert rows[name]["median"] > 0
    assert rows["mtcli"]["ratio"] == 1.0
    assert "Hugging Face Marian" in record["contestants"]
    checked = [(one["contestant"], one["dtype"]) for one in model["checks"] if one["passed"]]
    assert checked[:3] == [("mtcli", "float32"), ("mtcli", "bfloat16"), ("PyTorch", "bfloat16")]
    assert [part["part"] for part in model["parts"]] == list(PARTS)
    assert sum(part["share"] for part in model["parts"]) == pytest.approx(1.0, abs=1e-3)
    assert all(part["ms"] > 0 for part in model["parts"])


def test_quality(tmp_path: Path) -> None:
    record = rehearse(tmp_path, "quality")
    (run,) = record["runs"]
    assert run["status"] == "scored", run
    assert (run["seed"], run["steps"], run["set"], run["beam"]) == (1, 2, "test", 5)
    assert record["bleu"] == {"mean": run["bleu"], "min": run["bleu"], "max": run["bleu"]}
    assert "tok:none" in run["signatures"]["bleu"]


@without_gpu
def test_a_total_time_leaves_out_the_last_stages(tmp_path: Path) -> None:
    finished = make_gpu(REHEARSE=1, RESULTS=tmp_path, TOTAL=76)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "There was no time for: correct, kernels, translate, train, quality." in finished.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["ceilings.json"]


def test_operations_run_again_keep_the_others(tmp_path: Path) -> None:
    rehearse(tmp_path, "kernels", OPS="cross_entropy")
    record = rehearse(tmp_path, "kernels", OPS="self_attention_decode")
    assert set(record["ops"]) == {"cross_entropy", "self_attention_decode"}
