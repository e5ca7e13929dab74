"""Every figure of a record by its name: what the CSV lists and what two records are compared by. Needs no torch."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mtcli.bench.record.schema import NOISY, Ceilings, Decoded, Figure, Kernels, Latency, Phase, Record, Trained

WAYS = {"eager": "time, called one by one", "graph": "time, in a CUDA graph"}
OURS, MACHINE = "mtcli", "the machine"
FEWEST_BEYOND = 5  # sentences that must be slower than a percentile before it is more than one sentence's luck


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One figure.

    Attributes:
        section: ceilings, kernels, translate or train.
        name: of the operation or the work.
        case: what it was done on.
        by: whose figure it is: the machine's, a contestant's by name among the kernels, else mtcli's.
        figure: what of it.
        unit: of the numbers.
        median, low, high, repeats: as in `Figure`; no spread where it was not repeated.
        fraction: of the roofline, where it is counted; for training the MFU.
        more_is_better: whether a larger number is.
        derived: the same measurement as another figure of its row, told otherwise.
        judged: whether it is steady enough to be called better or worse.
    """

    section: str
    name: str
    case: str
    figure: str
    unit: str
    median: float
    by: str = OURS
    low: float | None = None
    high: float | None = None
    repeats: int | None = None
    fraction: float | None = None
    more_is_better: bool = False
    derived: bool = False
    judged: bool = True

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What it is found by in another record."""
        return self.section, self.name, self.case, self.by, self.figure

    @property
    def noisy(self) -> bool:
        return self.low is not None and self.high is not None and self.high - self.low > NOISY * self.median


def measured(record: Record) -> Iterator[Measured]:
    """All figures, in the order of the record."""
    yield from _of_ceilings(record.ceilings)
    if record.kernels:
        yield from _of_kernels(record.kernels)
    if record.translate:
        for row in record.translate.rows:
            yield from _of_decoding(row)
        for latency in record.translate.latency:
            yield from _of_latency(latency)
    if record.train:
        for trained in record.train.rows:
            yield from _of_training(trained)


def kernel_case(row: dict[str, Any]) -> str:
    """What a row of a kernel is found by within its operation."""
    return f"{row['case']}, {row['direction']}, {row['dtype']}"


def decoding_case(row: Decoded) -> str:
    return f"beam {row.beam}, {row.slots} slots" if row.slots != 1 else f"beam {row.beam}, 1 slot"


def training_case(row: Trained) -> str:
    return f"{row.batch_tokens:,} tokens a batch"


def figure_of(timing: dict[str, Any]) -> Figure:
    """A stopwatch's timing, as the kernels' rows hold it."""
    return Figure(median=timing["median"], low=timing["p20"], high=timing["p80"], repeats=timing["repeats"])


def _of_ceilings(ceilings: Ceilings) -> Iterator[Measured]:
    def about(name: str, case: str) -> dict[str, Any]:
        return {"section": "ceilings", "name": name, "case": case, "by": MACHINE}

    for copy in ceilings.copy_:
        row = about("copy", f"{copy.bytes:,} bytes")
        yield _of_figure(copy.microseconds, "time", "us", row)
        yield _rate(copy.microseconds, copy.bytes_per_second, "rate", "bytes/s", row)
    for product in ceilings.matmul:
        row = about("matrix product", f"{product.dtype}, [{product.m}, {product.k}] @ [{product.k}, {product.n}]")
        yield _of_figure(product.microseconds, "time", "us", row)
        yield _rate(product.microseconds, product.flops_per_second, "rate", "FLOP/s", row)
    for launch in ceilings.launch:
        yield _of_figure(launch.microseconds, "time", "us", about("launch", launch.what))


def _of_kernels(kernels: Kernels) -> Iterator[Measured]:
    for name, rows in kernels.operations.items():
        for found in rows:
            for one in found["contestants"]:
                row = {"section": "kernels", "name": name, "case": kernel_case(found), "by": one["name"]}
                for way in (way for way in WAYS if one.get(way)):
                    timing = figure_of(one[way])
                    fraction = found["floor_us"] / timing.median
                    yield _of_figure(timing, WAYS[way], "us", row, fraction=fraction)
                for amount, unit in (("bytes_per_second", "bytes/s"), ("flops_per_second", "FLOP/s")):
                    best = one.get("graph") or one.get("eager")
                    if best and one.get(amount):
                        yield _rate(figure_of(best), one[amount], "rate", unit, row)


def _of_decoding(row: Decoded) -> Iterator[Measured]:
    about: dict[str, Any] = {"section": "translate", "name": "decoding", "case": decoding_case(row)}
    rates = (
        ("target tokens", "tokens/s", row.tgt_tokens_per_second, False),
        ("source tokens", "tokens/s", row.src_tokens_per_second, True),
        ("sentences", "sentences/s", row.sentences_per_second, True),
    )
    for figure, unit, value, derived in rates:
        if value:
            yield _of_figure(value, figure, unit, about, fraction=row.fraction, more_is_better=True, derived=derived)
    if row.seconds:
        yield _of_figure(row.seconds, "time", "s", about, fraction=row.fraction, derived=True)
    yield from _memory(row.peak_gib, about)
    yield from _of_phases(row.phases, about)


def _of_latency(latency: Latency) -> Iterator[Measured]:
    for percent, value in ((50, latency.p50_ms), (95, latency.p95_ms), (99, latency.p99_ms)):
        yield Measured(
            section="translate",
            name="one sentence at a time",
            case=f"beam {latency.beam}",
            figure=f"p{percent}",
            unit="ms",
            median=value,
            judged=latency.sentences * (100 - percent) >= 100 * FEWEST_BEYOND,
        )


def _of_training(row: Trained) -> Iterator[Measured]:
    about: dict[str, Any] = {"section": "train", "name": row.way, "case": training_case(row)}
    if row.step_ms:
        yield _of_figure(row.step_ms, "update", "ms", about, fraction=row.mfu)
        if row.flops_per_second:
            yield _rate(row.step_ms, row.flops_per_second, "rate", "FLOP/s", about)
    if row.tgt_tokens_per_second:
        rate = row.tgt_tokens_per_second
        yield _of_figure(
            rate, "target tokens", "tokens/s", about, fraction=row.mfu, more_is_better=True, derived=bool(row.step_ms)
        )
    yield from _memory(row.peak_gib, about)
    yield from _of_phases(row.phases, about)


def _of_phases(phases: tuple[Phase, ...], about: dict[str, Any]) -> Iterator[Measured]:
    for phase in phases:
        words = f"{phase.name}, share of the time"
        yield Measured(
            **about, figure=words, unit="of 1", median=phase.share, fraction=phase.fraction, derived=True, judged=False
        )


def _memory(peak_gib: float | None, about: dict[str, Any]) -> Iterator[Measured]:
    if peak_gib is not None:
        yield Measured(**about, figure="peak memory", unit="GiB", median=peak_gib)


def _rate(time: Figure, rate: float, name: str, unit: str, about: dict[str, Any]) -> Measured:
    """A rate whose spread is that of the time it was computed from."""
    amount = rate * time.median
    figure = Figure(median=rate, low=amount / time.high, high=amount / time.low, repeats=time.repeats)
    return _of_figure(figure, name, unit, about, more_is_better=True, derived=True)


def _of_figure(figure: Figure, name: str, unit: str, about: dict[str, Any], **more: Any) -> Measured:
    return Measured(
        **about,
        figure=name,
        unit=unit,
        median=figure.median,
        low=figure.low,
        high=figure.high,
        repeats=figure.repeats,
        **more,
    )
