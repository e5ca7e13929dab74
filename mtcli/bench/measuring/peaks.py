"""What a device can do at best, one measurement at a time: copying, matrix products, launching kernels."""

from collections.abc import Callable, Iterator

import torch

from mtcli.bench.arithmetic import formulas
from mtcli.bench.contest.timing import Stopwatch, Timed, Timing
from mtcli.bench.records.files import Json
from mtcli_kernels.dispatch import triton_obstacle

DTYPES = {"float32": torch.float32, "tf32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
SECONDS_EACH = 0.5
GRAPH_KERNELS = 100
RANDOM_BYTES = 1 << 24  # drawn; a longer buffer repeats them

# On a GPU.
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


def gpu_products() -> Iterator[tuple[str, int, int, int]]:
    """Number type, m, k and n of the products that are measured on a GPU, the most telling first."""
    for size in SQUARES:
        for dtype in DTYPES:
            if size <= 8192 or dtype in ("float16", "bfloat16"):
                yield dtype, size, size, size
    for shape in MODEL_SHAPES:
        for dtype in ("bfloat16", "float16", "tf32"):
            yield dtype, *shape


def measure_copy(watch: Stopwatch, num_bytes: int, seconds: float = SECONDS_EACH) -> Json:
    """Copy a buffer from device memory to device memory; the rate counts bytes read and bytes written."""
    few = torch.randint(-128, 128, (min(num_bytes, RANDOM_BYTES),), dtype=torch.int8, device=watch.device)
    source = few.repeat(-(-num_bytes // few.numel()))[:num_bytes]
    target = torch.empty_like(source)
    timing = watch.in_turn({"copy": Timed(lambda: target.copy_(source))}, seconds=seconds, flush=False)["copy"]
    rate = formulas.copy(num_bytes).bytes / (timing.median * 1e-6)
    return {"bytes": num_bytes, "us": timing.as_json(), "bytes_per_second": rate}


def measure_matmul(watch: Stopwatch, dtype: str, m: int, k: int, n: int, seconds: float = SECONDS_EACH) -> Json:
    """[m, k] @ [k, n] of random numbers; float32 is IEEE arithmetic, tf32 the tensor cores' shortened one."""
    precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if dtype == "tf32" else "highest")
    try:
        a = torch.randn(m, k, device=watch.device).to(DTYPES[dtype])
        b = torch.randn(k, n, device=watch.device).to(DTYPES[dtype])
        out = torch.empty(m, n, dtype=DTYPES[dtype], device=watch.device)
        call = Timed(lambda: torch.mm(a, b, out=out))
        timing = watch.in_turn({"matmul": call}, seconds=seconds)["matmul"]
    finally:
        torch.set_float32_matmul_precision(precision)
    cost, taken = formulas.matmul(m, k, n, a.element_size()), timing.median * 1e-6
    return {
        "dtype": dtype,
        "m": m,
        "k": k,
        "n": n,
        "us": timing.as_json(),
        "flops_per_second": cost.flops / taken,
        "bytes_per_second": cost.bytes / taken,
    }


def if_it_fits(measure: Callable[[], Json]) -> Json | None:
    """The row; None where the GPU's memory does not suffice."""
    try:
        return measure()
    except torch.cuda.OutOfMemoryError:
        return None
    finally:
        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()


def measure_launches(watch: Stopwatch, rehearsal: bool, seconds: float = SECONDS_EACH) -> Iterator[Json]:
    """What a kernel costs that does nothing: the floor under every step made of many small ones.

    On a CPU this is what calling PyTorch costs.
    """
    one = torch.zeros(1, device=watch.device)
    calls: dict[str, Callable[[], object]] = {"PyTorch adding 1 to one number": lambda: one.add_(1.0)}
    if triton_obstacle(one.device, one.dtype) is None:
        from mtcli.bench.measuring.empty_kernel import empty_kernel

        calls = {"an empty Triton kernel": lambda: empty_kernel[(1,)](one)} | calls
    in_a_row, in_a_graph = (3, 3) if rehearsal else (1000, GRAPH_KERNELS)
    for what, call in calls.items():
        eager = _one_by_one(watch, call, in_a_row, seconds)
        yield {"what": f"{what}, launched one by one", "us": eager.as_json(), "launches": in_a_row}
        if watch.has_graphs:
            graph = watch.in_a_graph([call], seconds=seconds, launches=in_a_graph)
            yield {"what": f"{what}, in a CUDA graph", "us": graph.as_json(), "launches": in_a_graph}


def _one_by_one(watch: Stopwatch, call: Callable[[], object], launches: int, seconds: float) -> Timing:
    """One of many launches in a row: the slower of what the CPU needs to launch it and the GPU to run it."""

    def launch_all() -> None:
        for _ in range(launches):
            call()

    many = watch.in_turn({"all": Timed(launch_all)}, seconds=seconds, most=20)["all"]
    return Timing(many.median / launches, many.p20 / launches, many.p80 / launches, many.repeats)
