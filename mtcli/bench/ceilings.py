"""The ceilings that everything else is held against: what this device does at best, measured, never looked up.

On a CPU the copies go from sizes that fit its caches to one that clearly does not; a model's activations are in the
caches, its weights mostly are not. See `mtcli.bench.arithmetic.roofline` for which of them counts where.
"""

from collections.abc import Iterable, Iterator
from functools import partial

import torch

from mtcli.bench import host
from mtcli.bench.arithmetic import formulas
from mtcli.bench.asked import Asked
from mtcli.bench.contest.timing import WARM_UPS, Stopwatch
from mtcli.bench.machine import current_device
from mtcli.bench.measuring.peaks import (
    COPIED_MIB,
    DTYPES,
    gpu_products,
    if_it_fits,
    measure_copy,
    measure_launches,
    measure_matmul,
)
from mtcli.bench.records.files import Json
from mtcli.bench.records.record import Ceilings, Copied, Figure, Launched, Product

SECONDS_EACH = 0.2
CALLS = WARM_UPS + 11  # of what takes long: the fewest repetitions and one to see how long it takes
OLDEST_TENSOR_CORES = (8, 0)  # with bfloat16 and TF32

CACHED_MIB = (1, 8, 64)
SMALLEST_UNCACHED = 256 << 20
MEMORY_SHARE = 16  # of which a copied buffer takes at most one
CPU_DTYPES = ("float32", "bfloat16")
CPU_SHAPES = ((256, 512, 2048), (1024, 1024, 1024), (256, 512, 32_000), (1000, 512, 512), (2048, 2048, 2048))


def measure_ceilings(asked: Asked) -> Ceilings:
    """Launches, copies, and products in every number type that matters on the device.

    Whatever the time, there are one copy and one product of each number type.
    """
    watch = Stopwatch(asked.torch_device, rehearsal=asked.toy)
    with current_device(asked):
        asked.say("ceilings: launches")
        launched = tuple(
            Launched(what=row["what"], microseconds=_figure(row["us"]))
            for row in measure_launches(watch, asked.toy, SECONDS_EACH)
        )
        copied = tuple(_copies(asked, watch))
        products = tuple(_products(asked, watch))
    uncached = [one for one in copied if one.bytes >= _smallest_uncached(asked, watch)] or copied[:1]
    best: dict[str, float] = {}
    for product in products:
        best[product.dtype] = max(best.get(product.dtype, 0.0), product.flops_per_second)
    return Ceilings(
        copy=copied,
        matmul=products,
        launch=launched,
        bytes_per_second=max(one.bytes_per_second for one in uncached),
        flops_per_second=best,
        launch_microseconds=min(one.microseconds.median for one in launched),
    )


def _copies(asked: Asked, watch: Stopwatch) -> Iterator[Copied]:
    """The sizes that exceed the caches come first."""
    for number, num_bytes in enumerate(_copied_bytes(asked)):
        if number and asked.left() < 1.0:
            return
        asked.say(f"ceilings: copies of {num_bytes >> 20} MiB")
        if row := if_it_fits(partial(measure_copy, watch, num_bytes, SECONDS_EACH)):
            yield Copied(bytes=num_bytes, microseconds=_figure(row["us"]), bytes_per_second=row["bytes_per_second"])


def _copied_bytes(asked: Asked) -> list[int]:
    if asked.toy:
        return [1 << 20]
    if asked.on_gpu:
        free, _ = torch.cuda.mem_get_info()
        fitting = sorted((mib << 20 for mib in COPIED_MIB if 2 * (mib << 20) < free), key=lambda size: size < 1 << 30)
        return fitting or [free // 4]
    return [_uncached_bytes(), *(mib << 20 for mib in reversed(CACHED_MIB))]


def _uncached_bytes() -> int:
    """A size twice the processor's largest cache, as far as memory allows."""
    wanted = max(2 * host.cache_bytes(), SMALLEST_UNCACHED)
    memory = host.memory_bytes()
    return min(wanted, memory // MEMORY_SHARE) if memory else wanted


def _smallest_uncached(asked: Asked, watch: Stopwatch) -> int:
    """Smaller buffers are copied within the cache in part."""
    return 4 * watch.l2_bytes if asked.on_gpu else _uncached_bytes()


def _products(asked: Asked, watch: Stopwatch) -> Iterator[Product]:
    rates: dict[str, float] = {}
    for dtype, m, k, n in _planned_products(asked):
        cost = formulas.matmul(m, k, n, DTYPES[dtype].itemsize)
        if dtype in rates and asked.left() < max(CALLS * cost.flops / rates[dtype], SECONDS_EACH):
            continue
        asked.say(f"ceilings: matrix products in {dtype}, {m} x {k} x {n}")
        if row := if_it_fits(partial(measure_matmul, watch, dtype, m, k, n, SECONDS_EACH)):
            rates[dtype] = max(rates.get(dtype, 0.0), row["flops_per_second"])
            figure, rate = _figure(row["us"]), row["flops_per_second"]
            yield Product(dtype=dtype, m=m, k=k, n=n, microseconds=figure, flops_per_second=rate)


def _planned_products(asked: Asked) -> Iterable[tuple[str, int, int, int]]:
    if asked.toy:
        return [(dtype, 64, 32, 48) for dtype in CPU_DTYPES]
    if not asked.on_gpu:
        return [(dtype, *shape) for shape in CPU_SHAPES for dtype in CPU_DTYPES]
    if torch.cuda.get_device_capability(asked.torch_device) >= OLDEST_TENSOR_CORES:
        return gpu_products()
    return (one for one in gpu_products() if one[0] in ("float32", "float16"))


def _figure(timing: Json) -> Figure:
    return Figure(median=timing["median"], low=timing["p20"], high=timing["p80"], repeats=timing["repeats"])
