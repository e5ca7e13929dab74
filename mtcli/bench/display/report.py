"""A record as tables for people. Needs no torch."""

from collections.abc import Callable, Sequence

from mtcli.bench.contest import Figure
from mtcli.bench.display.tables import Block, ReportTable, number, scaled, share
from mtcli.bench.record.schema import DEFINITION, GRAPH_TIME, PADDED, BenchRecord, BenchRow, Device, Phase, Workload

ROOFLINE = (
    "Roofline: the least time that the work can take on this machine, as a share of the time it took. The least time "
    "is the longer of two: for moving its bytes as fast as a copy, and for its arithmetic as fast as matrix products, "
    "both as measured above (on a CPU, work that fits the caches is held against a copy that does). At 100% nothing "
    "could be gained any more. In training it is of the arithmetic alone (MFU)."
)
SPREAD = (
    "Times are medians. The spread is how far apart a fifth from below and a fifth from above lie, in percent of the "
    "median, or once where there was one repetition; over 10% is marked noisy: measure again on a quieter machine "
    "before resting anything on it."
)
BESIDE = (
    "To plain, to torch: how many times as long the same work on the same inputs takes as plain PyTorch operations, "
    "and as the fastest of PyTorch's own kernels that gave a right result; under 1 they are the faster ones. "
    "*: it gets its inputs in a form that suits it, padded or copied beforehand, which is not in its time."
)
PERCENTILES = "p95: 95 of 100 sentences took no longer."
PHASES: dict[str, Callable[[Phase], float | None]] = {
    "where the time goes (shares of it)": lambda phase: phase.share,
    "how near each part is to the roofline": lambda phase: phase.fraction,
}


def report(record: BenchRecord) -> list[Block]:
    """The whole record: device, ceilings, then each section that was measured."""
    versions = ", ".join(f"{name} {version}" for name, version in record.versions.items())
    took = f"{record.date}, took {record.seconds:.0f} s; seed {record.seed}."
    blocks: list[Block] = [f"{_device_words(record.device)}; {versions}; {took}", _ceilings(record)]
    if record.sections != ["ceilings"]:
        blocks.append(f"{ROOFLINE} {SPREAD}")
    if kernels := record.of("kernels"):
        blocks.append(BESIDE)
        blocks += [_kernel_table(name, [row for row in kernels if row.name == name]) for name in _names(kernels)]
    for section, work in record.workloads.items():
        blocks += _work_tables(section, work, [row for row in record.of(section) if row.status != "left out"])
    if record.left_out:
        blocks.append("\n".join(["Left out:", *(f"- {words.rstrip('.')}." for words in record.left_out)]))
    return blocks


def _names(rows: Sequence[BenchRow]) -> list[str]:
    return list(dict.fromkeys(row.name for row in rows))


def _device_words(device: Device) -> str:
    cores, threads = _counted(device.cores, "core"), _counted(device.threads, "thread")
    machine = f"{device.cpu}, {cores}, {device.memory_gib:.0f} GiB, {threads}"
    if device.kind == "cpu":
        return machine
    memory = "" if device.gpu_memory_gib is None else f", {device.gpu_memory_gib:.0f} GiB"
    driver = "" if device.driver is None else f", driver {device.driver}"
    return f"{device.name}{memory}{driver}; {machine}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def spread(figure: Figure) -> str:
    """How far apart the repetitions are, in percent of their median; says where that is too far, or not known."""
    if figure.repeats == 1:
        return "once"
    apart = (figure.high - figure.low) / figure.median if figure.median else 0.0
    return f"{apart:.0%}{' noisy' if figure.noisy else ''}"


def _timed(row: BenchRow, time: Figure) -> tuple[str, ...]:
    """A time in microseconds with its spread, and bytes and operations a second."""
    rates = (scaled(count / time.median * 1e6) if count else "" for count in (row.bytes, row.flops))
    return number(time.median), spread(time), *rates


def _ceilings(record: BenchRecord) -> ReportTable:
    ceilings = record.ceilings
    best = [f"copying {scaled(ceilings.bytes_per_second)}B/s"]
    best += [f"{dtype} {scaled(rate)}FLOP/s" for dtype, rate in ceilings.flops_per_second.items()]
    return ReportTable(
        title="Ceilings: what this machine does at best",
        columns=("", "size", "time (µs)", "spread", "B/s", "FLOP/s"),
        rows=tuple((row.name, row.case, *_timed(row, row.main)) for row in record.of("ceilings") if row.main),
        words=(0, 1),
        notes=(f"Taken as the limits: {', '.join(best)}, a launch {number(ceilings.launch_us)} µs.",),
    )


def _kernel_table(name: str, rows: Sequence[BenchRow]) -> ReportTable:
    """Each case beside the plain form and the fastest of PyTorch's; those that gave no right result are named below."""
    cases = dict.fromkeys(row.case for row in rows)
    ours = next((row.by for row in rows if row.ours), "")
    way = "in a CUDA graph" if any(GRAPH_TIME in row.figures for row in rows) else "called one by one"
    bad: dict[str, list[str]] = {}
    for row in rows:
        if row.status != "right":
            what = f"{row.by}{' (mtcli)' if row.ours else ''}: {row.status}: {row.why or ''}"
            bad.setdefault(what.rstrip(".: "), []).append(_short(row.case))
    return ReportTable(
        title=f"{name} ({ours}), {way}",
        columns=("inputs", "time (µs)", "spread", "B/s", "FLOP/s", "roofline", "to plain", "to torch", "torch's best"),
        rows=tuple(_kernel_cells([row for row in rows if row.case == case]) for case in cases),
        words=(0, 8),
        notes=tuple(f"{what} - {_where(places, len(cases))}." for what, places in bad.items()),
    )


def _kernel_cells(rows: Sequence[BenchRow]) -> tuple[str, ...]:
    [own] = [row for row in rows if row.ours]
    figure, time = next(iter(own.figures.items()), ("", None))
    if time is None:
        return _short(own.case), own.status, *[""] * 7
    plain = DEFINITION if own.by == PADDED else PADDED
    others = {row.by: row for row in rows if figure in row.figures and row is not own}
    ratios = {by: row.figures[figure].median / time.median for by, row in others.items()}
    best = min((by for by in others if by != plain), key=lambda by: ratios[by], default="")
    against = (f"{ratios[by]:.2f}x" if by in ratios else "" for by in (plain, best))
    star = "*" if best and others[best].prepared else ""
    return _short(own.case), *_timed(own, time), share(own.fraction), *against, best + star


def _short(case: str) -> str:
    return case.replace(", forward and backward", " fwd+bwd").replace(", forward", " fwd")


def _where(places: Sequence[str], of: int) -> str:
    if len(places) == of > 1:
        return "in all cases"
    return "; ".join(places) if len(places) <= 2 else f"{places[0]} and {len(places) - 1} others"


def _work_tables(section: str, work: Workload, rows: Sequence[BenchRow]) -> list[Block]:
    """A table for each kind of work, and where its time goes; then what was checked."""
    blocks: list[Block] = []
    title = f"{section.capitalize()}: {work.model}, {work.dtype}; {work.sentences}"
    for name in _names(rows):
        of_name = [row for row in rows if row.name == name]
        blocks.append(_work_table(title if not blocks else f"{section.capitalize()}: {name}", name, of_name))
        blocks += _phase_tables(name, [row for row in of_name if row.phases])
    passed = [f"{one.what.rstrip('.')} ({one.detail.rstrip('.')})" for one in work.checks if one.passed]
    blocks += [f"{section.capitalize()}, checked before timing: {'; '.join(passed)}."] if passed else []
    return blocks + [f"FAILED: {one.sentence}." for one in work.checks if not one.passed]


def _work_table(title: str, name: str, rows: Sequence[BenchRow]) -> ReportTable:
    """All figures, the first with its spread, and the roofline; of single sentences neither is known."""
    figures = list(dict.fromkeys(figure for row in rows for figure in row.figures))
    is_single, has_roofline = name == "single sentences", any(row.fraction for row in rows)
    heads = [*figures[:1], *(["spread"] if figures and not is_single else []), *figures[1:]]
    heads += ["roofline"] if has_roofline else []
    notes = [f"{row.case}: {row.status}: {(row.why or '').rstrip('.')}." for row in rows if row.status != "right"]
    cells = tuple((row.case, *_work_cells(row, heads)) for row in rows)
    notes += [PERCENTILES] if is_single else []
    return ReportTable(title=title, columns=(name, *heads), rows=cells, notes=tuple(notes))


def _work_cells(row: BenchRow, heads: Sequence[str]) -> list[str]:
    cells = {name: number(figure.median, whole=name == "sentences") for name, figure in row.figures.items()}
    if row.main:
        cells |= {"spread": spread(row.main), "roofline": share(row.fraction)}
    else:
        cells = dict.fromkeys(heads[:1], row.status)
    return [cells.get(head, "") for head in heads]


def _phase_tables(name: str, rows: Sequence[BenchRow]) -> list[Block]:
    """The shares of the time, and how near each part is to its own roofline, where that is counted."""
    blocks: list[Block] = []
    for title, value in PHASES.items():
        cells = {row.case: {one.name: share(value(one)) for one in row.phases} for row in rows}
        parts = dict.fromkeys(part for row in cells.values() for part, cell in row.items() if cell)
        if parts:
            filled = tuple((case, *(row.get(part, "") for part in parts)) for case, row in cells.items())
            blocks.append(ReportTable(title=f"{name}: {title}", columns=("", *parts), rows=filled))
    return blocks
