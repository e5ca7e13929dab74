"""Stage `ceilings`: what this GPU can do at best, to hold everything else against.

`ceilings.json` adds to what every results file says (rates in bytes and floating-point operations a second, times
in microseconds):

    {"copy": [{"bytes": copied, "us": timing, "bytes_per_second"}],
     "matmul": [{"dtype", "m", "k", "n", "us", "flops_per_second", "bytes_per_second"}],
     "launch": [{"what", "us": timing of one, "launches"}],
     "best": {"bytes_per_second", "flops_per_second": {dtype: rate}},
     "clocks": {"before": {...}, "after": {...}}: as nvidia-smi gives them, in MHz, W and degrees C}
"""

from collections.abc import Iterable
from functools import partial

<<<<<<< HEAD
from benchmarks.gpu.context import Context
from benchmarks.gpu.probe import CLOCKS
from benchmarks.gpu.results import Json, ResultsFile, load
=======
from gpu.context import Context
from gpu.probe import CLOCKS
from gpu.results import Json, ResultsFile, load
from mtcli.bench.contest.timing import Stopwatch
>>>>>>> bench
from mtcli.bench.host import query_nvidia_smi
from mtcli.bench.measuring.peaks import (
    COPIED_MIB,
    DTYPES,
    gpu_products,
    if_it_fits,
    measure_copy,
    measure_launches,
    measure_matmul,
)


def run(context: Context) -> None:
    file = ResultsFile(context, "ceilings", "Ceilings of the GPU")
    watch = Stopwatch(context.torch_device, context.rehearsal)
    best: Json = {"bytes_per_second": 0.0, "flops_per_second": {}}
    clocks = {"before": query_nvidia_smi(*CLOCKS)}
    file.save(best=best, clocks=clocks, copy=[], matmul=[], launch=[])
    for launched in measure_launches(watch, context.rehearsal):
        file.save(launch=[*file.record["launch"], launched])
    for mib in COPIED_MIB if not context.rehearsal else (1,):
        if context.left() < 10:
            file.leave_out(f"copy of {mib} MiB")
        elif row := if_it_fits(partial(measure_copy, watch, mib << 20)):
            if row["bytes"] >= 4 * watch.l2_bytes:  # smaller ones are copied within the cache in part
                best["bytes_per_second"] = max(best["bytes_per_second"], row["bytes_per_second"])
            file.save(copy=[*file.record["copy"], row])
    for dtype, m, k, n in _products(context.rehearsal):
        if context.left() < 10:
            file.leave_out(f"matmul {m} x {k} x {n} in {dtype}")
            continue
        if row := if_it_fits(partial(measure_matmul, watch, dtype, m, k, n)):
            rates = best["flops_per_second"]
            rates[dtype] = max(rates.get(dtype, 0.0), row["flops_per_second"])
            file.save(matmul=[*file.record["matmul"], row])
    clocks["after"] = query_nvidia_smi(*CLOCKS)
    file.save()
    print("\n".join(summary(file.record)))


def _products(rehearsal: bool) -> Iterable[tuple[str, int, int, int]]:
    return [(dtype, 64, 32, 48) for dtype in DTYPES] if rehearsal else gpu_products()


def summary(record: Json) -> list[str]:
    """A few lines for people."""
    best = record["best"]
    lines = [f"copy: {best['bytes_per_second'] / 1e9:,.0f} GB/s"]
    lines += [f"matmul, {dtype}: {rate / 1e12:,.1f} TFLOP/s" for dtype, rate in best["flops_per_second"].items()]
    lines += [f"{row['what']}: {row['us']['median']:.2f} us each" for row in record["launch"]]
    return lines


def ceilings_of(context: Context, watch: Stopwatch, dtype: str) -> tuple[Json, str]:
    """The best rates measured on this device, and where they are from: `ceilings.json`, or measured now."""
    found = load(context.results / "ceilings.json")
    if (
        found
        and found["rehearsal"] == context.rehearsal
        and found["device"].get("gpu") == context.device.get("gpu")
        and found["best"]["bytes_per_second"]
        and dtype in found["best"]["flops_per_second"]
    ):
        return found["best"], "ceilings.json"
    size, mib = (64, 1) if context.rehearsal else (8192, 1024)
    copied = measure_copy(watch, mib << 20)
    product = measure_matmul(watch, dtype, size, size, size)
    return {
        "bytes_per_second": copied["bytes_per_second"],
        "flops_per_second": {dtype: product["flops_per_second"]},
    }, "measured for this file"
