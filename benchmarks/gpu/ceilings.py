"""Stage `ceilings`: what this GPU can do at best, to hold everything else against.

`ceilings.json` adds to what every results file says (rates in bytes and floating-point operations a second, times
in microseconds):

    {"copy": [{"bytes": copied, "us": timing, "bytes_per_second"}],
     "matmul": [{"dtype", "m", "k", "n", "us", "flops_per_second", "bytes_per_second"}],
     "launch": [{"what", "us": timing of one, "launches"}],
     "best": {"bytes_per_second", "flops_per_second": {dtype: rate}},
     "clocks": {"before": {...}, "after": {...}}: as nvidia-smi gives them, in MHz, W and degrees C}
"""

from collections.abc import Callable, Iterator
from functools import partial

import torch

from gpu import formulas
from gpu.context import Context
from gpu.probe import CLOCKS, query_nvidia_smi
from gpu.results import Json, ResultsFile, load
from gpu.timing import Stopwatch, Timed, Timing

COPIED_MIB = (64, 256, 1024, 4096)
SQUARES = (4096, 8192, 16384)
# Rows, inner size, columns: projections, feed-forward and output layers of base and big, in training and in decoding.
MODEL_SHAPES = (
    (25_000, 512, 512),
    (25_000, 512, 1536),
    (25_000, 512, 2048),
    (25_000, 2048, 512),
    (25_000, 1024, 4096),
    (25_000, 512, 32_000),
    (4096, 512, 32_000),
    (4096, 512, 2048),
    (256, 512, 32_000),
    (256, 512, 2048),
    (4, 512, 32_000),
)
DTYPES = {"float32": torch.float32, "tf32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
SECONDS_EACH = 0.5
GRAPH_KERNELS = 100


def run(context: Context) -> None:
    file = ResultsFile(context, "ceilings", "Ceilings of the GPU")
    watch = Stopwatch(context.torch_device, context.rehearsal)
    best: Json = {"bytes_per_second": 0.0, "flops_per_second": {}}
    clocks = {"before": query_nvidia_smi(*CLOCKS)}
    file.save(best=best, clocks=clocks, copy=[], matmul=[], launch=[])
    _measure_launches(file, watch, context.rehearsal)
    for mib in COPIED_MIB if not context.rehearsal else (1,):
        if context.left() < 10:
            file.leave_out(f"copy of {mib} MiB")
        elif row := _if_it_fits(partial(measure_copy, watch, mib << 20)):
            if row["bytes"] >= 4 * watch.l2_bytes:  # smaller ones are copied within the cache in part
                best["bytes_per_second"] = max(best["bytes_per_second"], row["bytes_per_second"])
            file.save(copy=[*file.record["copy"], row])
    for dtype, m, k, n in _products(context.rehearsal):
        if context.left() < 10:
            file.leave_out(f"matmul {m} x {k} x {n} in {dtype}")
            continue
        if row := _if_it_fits(partial(measure_matmul, watch, dtype, m, k, n)):
            rates = best["flops_per_second"]
            rates[dtype] = max(rates.get(dtype, 0.0), row["flops_per_second"])
            file.save(matmul=[*file.record["matmul"], row])
    clocks["after"] = query_nvidia_smi(*CLOCKS)
    file.save()
    print("\n".join(summary(file.record)))


def _products(rehearsal: bool) -> Iterator[tuple[str, int, int, int]]:
    if rehearsal:
        yield from ((dtype, 64, 32, 48) for dtype in DTYPES)
        return
    for size in SQUARES:
        for dtype in DTYPES:
            if size <= 8192 or dtype in ("float16", "bfloat16"):
                yield dtype, size, size, size
    for shape in MODEL_SHAPES:
        for dtype in ("bfloat16", "float16", "tf32"):
            yield dtype, *shape


def _if_it_fits(measure: Callable[[], Json]) -> Json | None:
    """The row; None where the GPU's memory does not suffice."""
    try:
        return measure()
    except torch.cuda.OutOfMemoryError:
        return None
    finally:
        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()


def measure_copy(watch: Stopwatch, num_bytes: int) -> Json:
    """Copy a buffer from device memory to device memory; the rate counts bytes read and bytes written."""
    source = torch.randint(-128, 128, (num_bytes,), dtype=torch.int8, device=watch.device)
    target = torch.empty_like(source)
    timing = watch.in_turn({"copy": Timed(lambda: target.copy_(source))}, seconds=SECONDS_EACH, flush=False)["copy"]
    rate = formulas.copy(num_bytes).bytes / (timing.median * 1e-6)
    return {"bytes": num_bytes, "us": timing.as_json(), "bytes_per_second": rate}


def measure_matmul(watch: Stopwatch, dtype: str, m: int, k: int, n: int) -> Json:
    """[m, k] @ [k, n] of random numbers; float32 is IEEE arithmetic, tf32 the tensor cores' shortened one."""
    torch.set_float32_matmul_precision("high" if dtype == "tf32" else "highest")
    try:
        a = torch.randn(m, k, device=watch.device).to(DTYPES[dtype])
        b = torch.randn(k, n, device=watch.device).to(DTYPES[dtype])
        out = torch.empty(m, n, dtype=DTYPES[dtype], device=watch.device)
        call = Timed(lambda: torch.mm(a, b, out=out))
        timing = watch.in_turn({"matmul": call}, seconds=SECONDS_EACH)["matmul"]
    finally:
        torch.set_float32_matmul_precision("highest")
    cost, seconds = formulas.matmul(m, k, n, a.element_size()), timing.median * 1e-6
    return {
        "dtype": dtype,
        "m": m,
        "k": k,
        "n": n,
        "us": timing.as_json(),
        "flops_per_second": cost.flops / seconds,
        "bytes_per_second": cost.bytes / seconds,
    }


def _measure_launches(file: ResultsFile, watch: Stopwatch, rehearsal: bool) -> None:
    """What a kernel costs that does nothing: the floor under every step made of many small ones."""
    from gpu.empty_kernel import empty_kernel

    one = torch.zeros(1, device=watch.device)
    calls = {
        "an empty Triton kernel": lambda: empty_kernel[(1,)](one),
        "PyTorch adding 1 to one number": lambda: one.add_(1.0),
    }
    in_a_row, in_a_graph = (3, 3) if rehearsal else (1000, GRAPH_KERNELS)
    for what, call in calls.items():
        eager = _one_by_one(watch, call, in_a_row)
        graph = watch.in_a_graph([call], seconds=SECONDS_EACH, launches=in_a_graph)
        rows = [
            {"what": f"{what}, launched one by one", "us": eager.as_json(), "launches": in_a_row},
            {"what": f"{what}, in a CUDA graph", "us": graph.as_json(), "launches": in_a_graph},
        ]
        file.save(launch=[*file.record["launch"], *rows])


def _one_by_one(watch: Stopwatch, call: Callable[[], object], launches: int) -> Timing:
    """One of many launches in a row: the slower of what the CPU needs to launch it and the GPU to run it."""

    def launch_all() -> None:
        for _ in range(launches):
            call()

    many = watch.in_turn({"all": Timed(launch_all)}, seconds=SECONDS_EACH, most=20)["all"]
    return Timing(many.median / launches, many.p20 / launches, many.p80 / launches, many.repeats)


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
