"""A record as tables for people. Needs no torch."""

from collections.abc import Iterator

from mtcli.bench.display.kernel_tables import kernel_tables
from mtcli.bench.display.model_tables import train_tables, translate_tables
from mtcli.bench.display.quantities import RateUnit, gigabytes, number, spread
from mtcli.bench.display.tables import Block, Table
from mtcli.bench.record.schema import Ceilings, Device, Record

ROOFLINE = (
    "Roofline: the least time that the work can take on this machine, as a share of the time it took. The least time "
    "is the longer of two: for moving its bytes as fast as a copy, and for its arithmetic as fast as matrix products, "
    "both as measured above (on a CPU, work that fits the caches is held against a copy that does). At 100% nothing "
    "could be gained any more."
)
SPREAD = (
    "Times are medians. The spread is how far apart a fifth from below and a fifth from above lie, in percent of the "
    "median, or once where there was one repetition; over 10% is marked noisy: measure again on a quieter machine "
    "before resting anything on it."
)


def report(record: Record) -> list[Block]:
    """The whole record: device, ceilings, then each section that was measured."""
    unit = RateUnit.of(record)
    blocks: list[Block] = [_circumstances(record), _ceilings(record.ceilings, unit)]
    if record.kernels or record.translate or record.train:
        blocks.append(f"{ROOFLINE} {SPREAD}")
    if record.kernels:
        blocks += kernel_tables(record.kernels, unit)
    if record.translate:
        blocks += translate_tables(record.translate)
    if record.train:
        blocks += train_tables(record.train, unit)
    if record.left_out:
        blocks.append("\n".join(["Left out:", *(f"- {_sentence(words)}" for words in record.left_out)]))
    return blocks


def _sentence(words: str) -> str:
    return words if words.endswith(".") else f"{words}."


def device_words(device: Device) -> str:
    """The device in a phrase."""
    cores = "core" if device.cores == 1 else "cores"
    threads = "thread" if device.threads == 1 else "threads"
    machine = f"{device.cpu}, {device.cores} {cores}, {device.memory_gib:.0f} GiB, {device.threads} {threads}"
    if device.kind == "cpu":
        return machine
    memory = "" if device.gpu_memory_gib is None else f", {device.gpu_memory_gib:.0f} GiB"
    driver = "" if device.driver is None else f", driver {device.driver}"
    return f"{device.name}{memory}{driver}; {machine}"


def _circumstances(record: Record) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in record.versions.items())
    return f"{device_words(record.device)}; {versions}; {record.date}, took {record.seconds:.0f} s; seed {record.seed}."


def _ceilings(ceilings: Ceilings, unit: RateUnit) -> Table:
    best = [f"copying {gigabytes(ceilings.bytes_per_second)} GB/s"]
    best += [f"{dtype} {unit(rate)} {unit.name}" for dtype, rate in ceilings.flops_per_second.items()]
    best.append(f"a launch {number(ceilings.launch_microseconds)} µs")
    return Table(
        title="Ceilings: what this machine does at best",
        columns=("", "size", "time (µs)", "spread", "GB/s", unit.name),
        rows=tuple(_ceiling_rows(ceilings, unit)),
        words=(0, 1),
        notes=(f"Taken as the limits: {', '.join(best)}.",),
    )


def _ceiling_rows(ceilings: Ceilings, unit: RateUnit) -> Iterator[tuple[str, ...]]:
    for copy in ceilings.copy_:
        time, size = copy.microseconds, f"{copy.bytes / 2**20:,.0f} MiB"
        yield "copy", size, number(time.median), spread(time), gigabytes(copy.bytes_per_second), ""
    for one in ceilings.matmul:
        time, size = one.microseconds, f"[{one.m}, {one.k}] @ [{one.k}, {one.n}]"
        yield f"matrix product, {one.dtype}", size, number(time.median), spread(time), "", unit(one.flops_per_second)
    for launch in ceilings.launch:
        yield launch.what, "", number(launch.microseconds.median), spread(launch.microseconds), "", ""
