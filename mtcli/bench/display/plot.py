"""The picture of a record: its kernels and phases on the roofline, by matplotlib (the `viz` extra).

With intensity I, in floating-point operations a byte, work does at most min(F, I B) of them a second, where B is the
bandwidth and F the best rate of matrix products (Williams et al. 2009). Work of which only the bytes are counted has
no place there.
"""

import importlib.util
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtcli.bench.display.tables import scaled
from mtcli.bench.record.schema import BenchRecord
from mtcli.errors import BackendUnavailableError, UsageError
from mtcli.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

# Colours that people tell apart however they see colour (Okabe and Ito 2008); the shapes differ as well.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#000000")
_KERNEL_SHAPES, _PHASE_SHAPES = "os^Dv<>p", "P*Xdh8"
_DASHES: tuple[Any, ...] = ("solid", (0, (5, 2)), (0, (1, 1)), (0, (5, 1, 1, 1)))  # of roofs: memory and number types
_INK = "#333333"
# Nothing in a file tells when or by what it was made: equal records are equal pictures.
_STYLE = {"svg.hashsalt": "mtcli", "font.size": 9, "axes.edgecolor": "#888888", "axes.labelcolor": _INK}
_METADATA = {"svg": {"Date": None, "Creator": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}
Points = list[tuple[float, float]]
"""Intensities, and operations a second."""


def check_plot(path: Path) -> None:
    """See whether the picture can be written, before anything is measured.

    Raises:
        BackendUnavailableError: matplotlib is not installed.
        UsageError: it writes no such kind of file.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise BackendUnavailableError("mtcli bench --plot needs the package matplotlib: pip install 'mtcli-nmt[viz]'.")
    from matplotlib.figure import Figure as Picture

    kinds = Picture().canvas.get_supported_filetypes()
    if path.suffix.removeprefix(".").lower() not in kinds:
        raise UsageError(
            f"--plot {path}: there is no picture of this kind. Expected a name that ends in one of "
            f"{', '.join('.' + kind for kind in sorted(kinds))}."
        )


def write_roofline(record: BenchRecord, path: Path) -> None:
    """Draw the measured ceilings, and every kernel and phase under them; the suffix says the kind of picture.

    Raises:
        BackendUnavailableError, UsageError: as `check_plot` does.
        DataError: the file cannot be written.
    """
    check_plot(path)
    import matplotlib

    kind = path.suffix.removeprefix(".").lower()
    with matplotlib.rc_context(_STYLE), atomic_path(path) as partial:
        _draw(record).savefig(partial, format=kind, dpi=150, metadata=_METADATA.get(kind))


def points_of(record: BenchRecord) -> dict[str, Points]:
    """Where kernels stand as mtcli takes them, and phases, `section: phase` by name; all of them right."""
    found: dict[str, Points] = defaultdict(list)
    for row in record.rows:
        if row.section == "kernels" and row.ours and row.main and row.flops:
            found[row.name].append((row.flops / row.bytes, row.flops / row.main.median * 1e6))
        for phase in row.phases:
            if phase.bytes and phase.flops and phase.seconds:
                found[f"{row.section}: {phase.name}"].append((phase.flops / phase.bytes, phase.flops / phase.seconds))
    return dict(found)


def _draw(record: BenchRecord) -> "Picture":
    from matplotlib.figure import Figure as Picture

    device, points = record.device, points_of(record)
    threads = f" ({device.threads} thread{'' if device.threads == 1 else 's'})" if device.kind == "cpu" else ""
    picture = Picture(figsize=(9.0, 5.0), layout="constrained")
    picture.suptitle(f"Roofline of {device.name}{threads}, {record.date[:10]}", x=0.01, ha="left", fontsize=12)
    axes = picture.subplots()
    _draw_ceilings(axes, record, [point for some in points.values() for point in some])
    kernels = {name: some for name, some in points.items() if ": " not in name}
    _draw_points(axes, kernels, _KERNEL_SHAPES, markersize=6, markeredgecolor="white")
    phases = {name: some for name, some in points.items() if name not in kernels}
    _draw_points(axes, phases, _PHASE_SHAPES, markersize=11, markeredgecolor=_INK)
    axes.set(xlabel="floating-point operations for a byte moved", ylabel="floating-point operations a second")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_major_formatter(lambda value, _: f"{scaled(value)}FLOP/s")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(True, which="major", color="#E4E4E4", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.minorticks_off()
    picture.legend(loc="outside right upper", frameon=False, labelspacing=0.8)
    return picture


def _draw_points(axes: "Axes", points: dict[str, Points], shapes: str, **look: Any) -> None:
    for place, (name, some) in enumerate(points.items()):
        look |= {"marker": shapes[place % len(shapes)], "color": _COLOURS[place % len(_COLOURS)], "linestyle": "none"}
        label = name if len(some) == 1 else f"{name} ({len(some)})"
        axes.plot(*zip(*some, strict=True), label=label, alpha=0.85, zorder=4, markeredgewidth=0.6, **look)


def _draw_ceilings(axes: "Axes", record: BenchRecord, points: Points) -> None:
    """The slopes of memory, and on a CPU of the caches, which a GPU has emptied; a roof for each number type used."""
    ceilings = record.ceilings
    slow, fast = ceilings.bytes_per_second, ceilings.bandwidth(0, in_caches=record.device.kind == "cpu")
    used = {row.dtype for row in record.of("kernels") if row.flops} | {one.dtype for one in record.workloads.values()}
    all_roofs = ceilings.flops_per_second
    roofs = {dtype: rate for dtype, rate in all_roofs.items() if dtype in used} or all_roofs
    highest = max(roofs.values())
    low = min([*(x for x, _ in points), highest / slow / 8]) / 2
    high = max([*(x for x, _ in points), highest / slow]) * 4
    bottom = min([*(y for _, y in points), low * slow]) / 2
    axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(bottom, highest * 2.2))
    for name, rate, colour in (("memory", slow, _INK), ("caches", fast, "#999999"))[: 1 + (fast > slow)]:
        knee = highest / rate
        axes.plot([low, knee], [low * rate, highest], color=colour, label=f"copy in {name}: {scaled(rate)}B/s")
    for dashes, (dtype, rate) in zip(_DASHES, sorted(roofs.items(), key=lambda item: -item[1]), strict=False):
        label = f"{dtype}: {scaled(rate)}FLOP/s"
        axes.plot([rate / fast, high], [rate, rate], color=_INK, linestyle=dashes, label=label)
