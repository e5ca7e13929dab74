"""The ceilings that everything else is held against: what this device does at best, measured, never looked up.

On a CPU the copies go from sizes that fit its caches to one that clearly does not; a model's activations are in the
caches, its weights mostly are not. See `Ceilings.bandwidth` for which of them counts where.
"""

import contextlib
from collections.abc import Callable, Iterator
from functools import partial

import torch

from mtcli.bench import host
from mtcli.bench.contest import Figure
from mtcli.bench.contest.timing import WARM_UPS, Stopwatch, Timed
from mtcli.bench.machine import current_device
from mtcli.bench.record.schema import MACHINE, TIME, BenchRow, Ceilings, CopyRate
from mtcli.bench.roofline import formulas
from mtcli.bench.roofline.formulas import NOTHING, Cost
from mtcli.bench.settings import BenchSettings
from mtcli_kernels.dispatch import triton_obstacle

SECONDS_EACH = 0.2
CALLS = WARM_UPS + 11  # of what takes long: the fewest repetitions and one to see how long it takes
LAUNCHES, GRAPH_LAUNCHES = 1000, 100
RANDOM_BYTES = 1 << 24  # drawn; a longer buffer repeats them
DTYPES = {"float32": torch.float32, "tf32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}

COPIED_MIB = (1024, 4096, 64, 256)
OLDEST_TENSOR_CORES = (8, 0)  # with bfloat16 and TF32
SQUARES = (4096, 8192, 16_384)
# Rows, inner size, columns: projections, feed-forward and output layers of base and big, in training and in decoding.
MODEL_SHAPES = (
    *((25_000, inner, columns) for inner, columns in ((512, 512), (512, 1536), (512, 2048), (2048, 512), (1024, 4096))),
    *((rows, 512, 32_000) for rows in (25_000, 4096, 256, 4)),
    *((rows, 512, 2048) for rows in (4096, 256)),
)
CACHED_MIB = (64, 8, 1)
SMALLEST_UNCACHED = 256 << 20
MEMORY_SHARE = 16  # of which a copied buffer takes at most one
CPU_DTYPES = ("float32", "bfloat16")
CPU_SHAPES = ((256, 512, 2048), (1024, 1024, 1024), (256, 512, 32_000), (1000, 512, 512), (2048, 2048, 2048))


def measure_ceilings(settings: BenchSettings) -> tuple[Ceilings, list[BenchRow]]:
    """Launches, copies, and products in every number type that matters on the device, and what they come to.

    Whatever the time, there are one copy and one product of each number type.
    """
    watch = Stopwatch(settings.torch_device, rehearsal=settings.toy)
    with current_device(settings):
        settings.say("ceilings: launches")
        launches = list(_launches(watch, settings.toy))
        copies, products = list(_copies(settings, watch)), list(_products(settings, watch))
    rates = [CopyRate(bytes=row.bytes // 2, bytes_per_second=row.bytes / _seconds(row)) for row in copies]
    # Smaller buffers are copied within the caches in part.
    enough = 4 * watch.l2_bytes if settings.on_gpu else _uncached_bytes()
    best: dict[str, float] = {}
    for row in products:
        best[row.dtype] = max(best.get(row.dtype, 0.0), row.flops / _seconds(row))
    ceilings = Ceilings(
        bytes_per_second=max(one.bytes_per_second for one in [r for r in rates if r.bytes >= enough] or rates[:1]),
        copies=tuple(rates),
        flops_per_second=best,
        launch_us=min(1e6 * _seconds(row) for row in launches),
    )
    return ceilings, [*copies, *products, *launches]


def _row(name: str, case: str, time: Figure, cost: Cost = NOTHING, dtype: str = "") -> BenchRow:
    row = BenchRow(section="ceilings", name=name, case=case, by=MACHINE, ours=False, figures={TIME: time}, dtype=dtype)
    return row.model_copy(update={"bytes": cost.bytes, "flops": cost.flops})


def _seconds(row: BenchRow) -> float:
    return row.figures[TIME].median * 1e-6


def _copies(settings: BenchSettings, watch: Stopwatch) -> Iterator[BenchRow]:
    """The sizes that exceed the caches come first."""
    for number, num_bytes in enumerate(_copied_bytes(settings)):
        if number and settings.left() < 1.0:
            return
        settings.say(f"ceilings: copies of {num_bytes >> 20} MiB")
        yield from _if_it_fits(partial(_copy, watch, num_bytes))


def _copied_bytes(settings: BenchSettings) -> list[int]:
    if settings.toy:
        return [1 << 20]
    if settings.on_gpu:
        free, _ = torch.cuda.mem_get_info()
        return [mib << 20 for mib in COPIED_MIB if 2 * (mib << 20) < free] or [free // 4]
    return [_uncached_bytes(), *(mib << 20 for mib in CACHED_MIB)]


def _uncached_bytes() -> int:
    """A size twice the processor's largest cache, as far as memory allows."""
    wanted = max(2 * host.cache_bytes(), SMALLEST_UNCACHED)
    memory = host.memory_bytes()
    return min(wanted, memory // MEMORY_SHARE) if memory else wanted


def _copy(watch: Stopwatch, num_bytes: int) -> BenchRow:
    few = torch.randint(-128, 128, (min(num_bytes, RANDOM_BYTES),), dtype=torch.int8, device=watch.device)
    source = few.repeat(-(-num_bytes // few.numel()))[:num_bytes]
    target = torch.empty_like(source)
    time = watch.in_turn([Timed("copy", lambda: target.copy_(source))], seconds=SECONDS_EACH, flush=False)["copy"]
    return _row("copy", f"{num_bytes / 2**20:,.0f} MiB", time, formulas.copy(num_bytes))


def _products(settings: BenchSettings, watch: Stopwatch) -> Iterator[BenchRow]:
    rates: dict[str, float] = {}
    for dtype, m, k, n in _planned_products(settings):
        flops = formulas.matmul(m, k, n, DTYPES[dtype].itemsize).flops
        if dtype in rates and settings.left() < max(CALLS * flops / rates[dtype], SECONDS_EACH):
            continue
        settings.say(f"ceilings: matrix products in {dtype}, {m} x {k} x {n}")
        for found in _if_it_fits(partial(_product, watch, dtype, m, k, n)):
            rates[dtype] = max(rates.get(dtype, 0.0), flops / _seconds(found))
            yield found


def _planned_products(settings: BenchSettings) -> Iterator[tuple[str, int, int, int]]:
    """Number type, m, k and n, the most telling first."""
    if settings.toy:
        yield from ((dtype, 64, 32, 48) for dtype in CPU_DTYPES)
    elif not settings.on_gpu:
        yield from ((dtype, *shape) for shape in CPU_SHAPES for dtype in CPU_DTYPES)
    else:
        has_all = torch.cuda.get_device_capability(settings.torch_device) >= OLDEST_TENSOR_CORES
        half, others = (("float16", "bfloat16"), ("float32", "tf32")) if has_all else (("float16",), ("float32",))
        for size in SQUARES:
            yield from ((dtype, size, size, size) for dtype in (*half, *(others if size <= 8192 else ())))
        yield from ((dtype, *shape) for shape in MODEL_SHAPES for dtype in (*half, others[-1]))


def _product(watch: Stopwatch, dtype: str, m: int, k: int, n: int) -> BenchRow:
    """[m, k] @ [k, n] of random numbers; float32 is IEEE arithmetic, tf32 the tensor cores' shortened one."""
    precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if dtype == "tf32" else "highest")
    try:
        a, b = (torch.randn(shape, device=watch.device).to(DTYPES[dtype]) for shape in ((m, k), (k, n)))
        out = torch.empty(m, n, dtype=DTYPES[dtype], device=watch.device)
        time = watch.in_turn([Timed("product", lambda: torch.mm(a, b, out=out))], seconds=SECONDS_EACH)["product"]
    finally:
        torch.set_float32_matmul_precision(precision)
    cost = formulas.matmul(m, k, n, a.element_size())
    return _row(f"matrix product, {dtype}", f"[{m}, {k}] @ [{k}, {n}]", time, cost, dtype)


def _if_it_fits(measure: Callable[[], BenchRow]) -> Iterator[BenchRow]:
    """What was measured; nothing where the GPU's memory does not suffice."""
    with contextlib.suppress(torch.cuda.OutOfMemoryError):
        yield measure()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def _launches(watch: Stopwatch, toy: bool) -> Iterator[BenchRow]:
    """What a kernel costs that does nothing, of many launched in a row: the floor under every step of many small ones.

    On a CPU this is what calling PyTorch costs.
    """
    one = torch.zeros(1, device=watch.device)
    calls: dict[str, Callable[[], object]] = {"PyTorch adding 1 to one number": lambda: one.add_(1.0)}
    if triton_obstacle(one.device, one.dtype) is None:
        from mtcli.bench.kernels.empty_kernel import empty_kernel

        calls = {"an empty Triton kernel": lambda: empty_kernel[(1,)](one)} | calls
    in_a_row, in_a_graph = (3, 3) if toy else (LAUNCHES, GRAPH_LAUNCHES)
    for what, call in calls.items():
        timed = [Timed(what, partial(_repeat, call, in_a_row))]
        time = watch.in_turn(timed, seconds=SECONDS_EACH, most=20, divided_by=in_a_row)[what]
        yield _row("launch one by one", what, time)
        if watch.has_graphs:
            time = watch.in_a_graph([call], seconds=SECONDS_EACH, launches=in_a_graph)
            yield _row("launch in a CUDA graph", what, time)


def _repeat(call: Callable[[], object], count: int) -> None:
    for _ in range(count):
        call()
