"""Made-up records of `mtcli bench`."""

from typing import Any

from mtcli.bench.record.rows import DEFINITION, EAGER
from mtcli.bench.record.schema import (
    Ceilings,
    Check,
    Copied,
    Decoded,
    Device,
    Figure,
    Kernels,
    Latency,
    Launched,
    Model,
    Phase,
    Product,
    Record,
    Train,
    Trained,
    Translate,
)

DEVICE = Device(kind="cpu", name="Some CPU", cpu="Some CPU", cores=2, memory_gib=23.4, threads=2)
GPU = DEVICE.model_copy(update={"kind": "cuda", "name": "Some GPU", "gpu_memory_gib": 79.6, "driver": "570.1"})
MODEL = Model(
    name="tiny", parameters=2_350_000, vocabulary=8000, encoder_layers=4, decoder_layers=3, d_model=128, random=True
)


def figure(median: float, spread: float = 0.02) -> Figure:
    return Figure(median=median, low=median * (1 - spread / 2), high=median * (1 + spread / 2), repeats=9)


def timing(median: float, spread: float = 0.02) -> dict[str, float | int]:
    one = figure(median, spread)
    return {"median": one.median, "p20": one.low, "p80": one.high, "repeats": one.repeats}


def contestant(name: str, median: float | None, status: str = "right", why: str | None = None) -> dict[str, Any]:
    one: dict[str, Any] = {"name": name, "note": "", "status": status, "error": 1e-7, "why": why}
    return one if median is None else {**one, "eager": timing(median), "bytes_per_second": 1e9, "flops_per_second": 2e9}


def kernel_row(*contestants: dict[str, Any], **changes: Any) -> dict[str, Any]:
    row = {
        "case": "64 x 8000",
        "direction": "forward",
        "shape": {"rows": 64, "vocabulary": 8000},
        "dtype": "float32",
        "bytes": 2_000_000,
        "flops": 4_000_000,
        "floor_us": 100.0,
        "contestants": list(contestants),
        "torch_best": {},
    }
    return row | changes


def kernels(ours_us: float = 200.0, **changes: Any) -> Kernels:
    row = kernel_row(
        contestant(EAGER, ours_us),
        contestant(DEFINITION, 1000.0),
        contestant("F.cross_entropy", 300.0),
        contestant("torch.compile", None, "cannot run", "RuntimeError: no compiler here."),
        **changes,
    )
    return Kernels(operations={"cross_entropy": (row,)}, ours=EAGER)


def ceilings(copy_us: float = 1000.0) -> Ceilings:
    return Ceilings(
        copy=(Copied(bytes=1 << 26, microseconds=figure(copy_us), bytes_per_second=2e10),),
        matmul=(Product(dtype="float32", m=512, k=256, n=128, microseconds=figure(350.0), flops_per_second=9.6e10),),
        launch=(Launched(what="PyTorch adding 1 to one number", microseconds=figure(2.5)),),
        bytes_per_second=2e10,
        flops_per_second={"float32": 9.6e10},
        launch_microseconds=2.5,
    )


def decoded(rate: float = 1500.0, spread: float = 0.02, **changes: Any) -> Decoded:
    fields: dict[str, Any] = {
        "beam": 4,
        "slots": 32,
        "status": "right",
        "sentences": 64,
        "src_tokens": 1700,
        "tgt_tokens": 1728,
        "seconds": figure(1728 / rate, spread),
        "tgt_tokens_per_second": figure(rate, spread),
        "src_tokens_per_second": figure(rate * 0.98, spread),
        "sentences_per_second": figure(rate / 27, spread),
        "peak_gib": 0.75,
        "bytes": 10**9,
        "flops": 10**10,
        "fraction": 0.31,
        "phases": (
            Phase(name="encoder", seconds=0.1, share=0.125, bytes=1, flops=10**9, fraction=0.5),
            Phase(name="host", seconds=0.7, share=0.875),
        ),
    }
    return Decoded(**fields | changes)


def not_right(status: str, why: str | None = None, **changes: Any) -> Decoded:
    fields: dict[str, Any] = {"beam": 4, "slots": 32, "status": status, "why": why}
    return Decoded(**fields | changes)


def translate(*rows: Decoded, **changes: Any) -> Translate:
    fields: dict[str, Any] = {
        "model": MODEL,
        "dtype": "float32",
        "sources": "64 sentences as long as news",
        "checks": (Check(what="decoding alone gives the same", passed=True, detail="8 of 8 sentences"),),
        "rows": rows or (decoded(),),
        "latency": (Latency(beam=4, sentences=40, p50_ms=12.5, p95_ms=20.25, p99_ms=31.0),),
    }
    return Translate(**fields | changes)


def trained(step_ms: float = 250.0, **changes: Any) -> Trained:
    fields: dict[str, Any] = {
        "way": "mtcli",
        "status": "right",
        "batch_tokens": 1024,
        "src_tokens": 1000.5,
        "tgt_tokens": 990.25,
        "step_ms": figure(step_ms),
        "tgt_tokens_per_second": figure(990.25 / step_ms * 1000),
        "flops": 10**10,
        "flops_per_second": 4e10,
        "mfu": 0.42,
        "peak_gib": 1.5,
        "phases": (
            Phase(name="forward", seconds=0.1, share=0.4, flops=10**9, fraction=0.5),
            Phase(name="backward", seconds=0.15, share=0.6, flops=10**9, fraction=0.38),
        ),
    }
    return Trained(**fields | changes)


def train(*rows: Trained, **changes: Any) -> Train:
    fields: dict[str, Any] = {
        "model": MODEL,
        "dtype": "float32",
        "sources": "sentences as long as news",
        "checks": (Check(what="the loss falls", passed=True, detail="from 9.1 to 8.7"),),
        "rows": rows or (trained(),),
    }
    return Train(**fields | changes)


def record(**changes: Any) -> Record:
    fields: dict[str, Any] = {
        "command": "mtcli bench --device cpu",
        "date": "2026-01-31T12:00:00+00:00",
        "seconds": 140.5,
        "seed": 1,
        "device": DEVICE,
        "versions": {"python": "3.11.7", "mtcli": "0.1.0", "torch": "2.13.0"},
        "ceilings": ceilings(),
        "kernels": kernels(),
        "translate": translate(),
        "train": train(),
    }
    return Record(**fields | changes)
