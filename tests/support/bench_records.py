"""Made-up results of `mtcli bench` with round numbers, and what a section is told in tests."""

import time
from typing import Any

from mtcli.bench.contest import Check, Figure
from mtcli.bench.record.findings import Findings
from mtcli.bench.record.schema import (
    DEFINITION,
    MACHINE,
    MEMORY,
    PADDED,
    TIME,
    BenchRecord,
    BenchRow,
    Ceilings,
    CopyRate,
    Device,
    Phase,
    Workload,
)
from mtcli.bench.settings import BenchSettings

DEVICE = Device(kind="cpu", name="Some CPU", cpu="Some CPU", cores=2, memory_gib=23.4, threads=2)
GPU = DEVICE.model_copy(update={"kind": "cuda", "name": "Some GPU", "gpu_memory_gib": 79.6, "driver": "570.1"})
CEILINGS = Ceilings(
    bytes_per_second=1e10,
    copies=(CopyRate(bytes=1000, bytes_per_second=1e10), CopyRate(bytes=100, bytes_per_second=4e10)),
    flops_per_second={"float32": 1e11, "bfloat16": 2e11},
    launch_us=2.5,
)
VERSIONS = {"python": "3.11.7", "mtcli": "0.1.0", "torch": "2.13.0"}


def settings(seconds: float = 600.0, **changes: Any) -> BenchSettings:
    """The smallest sizes on a CPU, for longer than a test takes."""
    fields = {"torch_device": "cpu", "seed": 1, "toy": True, "dtype": "float32", "preset": "tiny"}
    return BenchSettings(**{**fields, "ends_at": time.monotonic() + seconds, **changes})


def findings(saved: list[BenchRecord] | None = None) -> Findings:
    """Nothing found yet but the ceilings; `saved` gets every record that is saved."""
    save = (lambda record: None) if saved is None else saved.append
    found = Findings(command="mtcli bench", seed=1, device=DEVICE, versions=VERSIONS, save=save)
    found.ceilings = CEILINGS
    return found


def recorded(found: Findings) -> BenchRecord:
    """The record of what was found."""
    record = found.record()
    assert record is not None
    return record


def figure(median: float, spread: float = 0.02, repeats: int = 9) -> Figure:
    return Figure(median=median, low=median * (1 - spread / 2), high=median * (1 + spread / 2), repeats=repeats)


def copy_row(microseconds: float = 1000.0) -> BenchRow:
    time = {TIME: figure(microseconds)}
    case = {"name": "copy", "case": "64 MiB", "by": MACHINE, "ours": False, "bytes": 20_000_000}
    return BenchRow(section="ceilings", figures=time, **case)


def kernel_row(by: str, microseconds: float | None, **changes: Any) -> BenchRow:
    fields: dict[str, Any] = {
        "section": "kernels",
        "name": "cross_entropy",
        "case": "64 x 8000, forward, float32",
        "by": by,
        "ours": by == PADDED,
        "figures": {} if microseconds is None else {TIME: figure(microseconds)},
        "dtype": "float32",
        "bytes": 2_000_000,
        "flops": 4_000_000,
        "fraction": None if microseconds is None else 100.0 / microseconds,
    }
    return BenchRow(**fields | changes)


def kernel_rows(ours: float = 200.0) -> tuple[BenchRow, ...]:
    return (
        kernel_row(PADDED, ours),
        kernel_row(DEFINITION, 1000.0),
        kernel_row("F.cross_entropy", 300.0),
        kernel_row("torch.compile", None, status="cannot run", why="RuntimeError: no compiler here."),
    )


def decoded(rate: float = 1500.0, spread: float = 0.02, **changes: Any) -> BenchRow:
    phases = (
        Phase(name="encoder", seconds=0.1, share=0.125, bytes=10**9, flops=8 * 10**9, fraction=0.5),
        Phase(name="host", seconds=0.7, share=0.875),
    )
    fields: dict[str, Any] = {
        "section": "translate",
        "name": "decoding",
        "case": "beam 4, 32 at once",
        "figures": {
            "target tokens/s": figure(rate, spread),
            "sentences/s": figure(rate / 27, spread),
            MEMORY: figure(0.75, 0.0, repeats=1),
        },
        "dtype": "float32",
        "bytes": 10**9,
        "flops": 10**10,
        "fraction": 0.31,
        "phases": phases,
    }
    return BenchRow(**fields | changes)


def latency_row() -> BenchRow:
    figures = {"p50 (ms)": 12.5, "p95 (ms)": 20.25, "p99 (ms)": 31.0, "sentences": 40.0}
    once = {name: figure(value, 0.0, repeats=1) for name, value in figures.items()}
    return BenchRow(section="translate", name="single sentences", case="beam 4", figures=once, dtype="float32")


def trained(milliseconds: float = 250.0, **changes: Any) -> BenchRow:
    fields: dict[str, Any] = {
        "section": "train",
        "name": "updates",
        "case": "as by default, 1,024 tokens a batch",
        "figures": {"update (ms)": figure(milliseconds), "target tokens/s": figure(990.25 / milliseconds * 1000)},
        "dtype": "float32",
        "flops": 10**10,
        "fraction": 0.42,
        "phases": (Phase(name="forward", seconds=0.1, share=0.4, flops=10**9, fraction=0.5),),
    }
    return BenchRow(**fields | changes)


def workload(**changes: Any) -> Workload:
    fields: dict[str, Any] = {
        "model": "tiny, 2.4 million random weights",
        "dtype": "float32",
        "sentences": "sentences as long as news",
        "checks": (Check(what="decoding alone gives the same", passed=True, detail="8 of 8 sentences"),),
    }
    return Workload(**fields | changes)


def record(*rows: BenchRow, **changes: Any) -> BenchRecord:
    """A record of these rows; with none, of some of every section."""
    all_rows = (copy_row(), *kernel_rows(), decoded(), latency_row(), trained())
    fields: dict[str, Any] = {
        "command": "mtcli bench --device cpu",
        "date": "2026-01-31T12:00:00+00:00",
        "seconds": 140.5,
        "seed": 1,
        "device": DEVICE,
        "versions": VERSIONS,
        "ceilings": CEILINGS,
        "workloads": {"translate": workload(), "train": workload()},
        "rows": rows or all_rows,
    }
    return BenchRecord(**fields | changes)


def make_up_sections(monkeypatch: Any, told: list[tuple[str, BenchSettings]], **sections: Any) -> None:
    """Have every section find what `record()` has of it, and tell what it was told; those given do something else."""

    def ceilings(given: BenchSettings) -> Any:
        given.say("measuring the ceilings")
        told.append(("ceilings", given))
        return CEILINGS, [copy_row()]

    def section(name: str) -> Any:
        def measure(given: BenchSettings, found: Findings) -> None:
            told.append((name, given))
            if name in sections:
                sections[name](given, found)
                return
            if name in record().workloads:
                found.describe(name, workload())
            found.add(*record().of(name))

        return measure

    monkeypatch.setattr("mtcli.bench.machine.versions", lambda: VERSIONS)
    monkeypatch.setattr("mtcli.bench.machine.device", lambda given: DEVICE)
    monkeypatch.setattr("mtcli.bench.ceilings.measure_ceilings", ceilings)
    monkeypatch.setattr("mtcli.bench.kernels.section.measure_kernels", section("kernels"))
    monkeypatch.setattr("mtcli.bench.translation.section.measure_translate", section("translate"))
    monkeypatch.setattr("mtcli.bench.training.section.measure_train", section("train"))
