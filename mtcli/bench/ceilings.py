"""What a device can do at best, measured: copying, matrix products, launching kernels."""

from collections.abc import Callable, Iterator

import torch

from mtcli.bench import formulas
from mtcli.bench.files import Json
from mtcli.bench.timing import Stopwatch, Timed, Timing

DTYPES = {"float32": torch.float32, "tf32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
SECONDS_EACH = 0.5
GRAPH_KERNELS = 100


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


def measure_launches(watch: Stopwatch, rehearsal: bool) -> Iterator[Json]:
    """What a kernel costs that does nothing: the floor under every step made of many small ones."""
    from mtcli.bench.empty_kernel import empty_kernel

    one = torch.zeros(1, device=watch.device)
    calls = {
        "an empty Triton kernel": lambda: empty_kernel[(1,)](one),
        "PyTorch adding 1 to one number": lambda: one.add_(1.0),
    }
    in_a_row, in_a_graph = (3, 3) if rehearsal else (1000, GRAPH_KERNELS)
    for what, call in calls.items():
        eager = _one_by_one(watch, call, in_a_row)
        graph = watch.in_a_graph([call], seconds=SECONDS_EACH, launches=in_a_graph)
        yield {"what": f"{what}, launched one by one", "us": eager.as_json(), "launches": in_a_row}
        yield {"what": f"{what}, in a CUDA graph", "us": graph.as_json(), "launches": in_a_graph}


def _one_by_one(watch: Stopwatch, call: Callable[[], object], launches: int) -> Timing:
    """One of many launches in a row: the slower of what the CPU needs to launch it and the GPU to run it."""

    def launch_all() -> None:
        for _ in range(launches):
            call()

    many = watch.in_turn({"all": Timed(launch_all)}, seconds=SECONDS_EACH, most=20)["all"]
    return Timing(many.median / launches, many.p20 / launches, many.p80 / launches, many.repeats)
