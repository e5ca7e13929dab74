"""The picture of a record: its kernels and phases on the roofline, by matplotlib (the `viz` extra).

Work of which only the bytes are counted has no place on a roofline: it stands beside it, by its bandwidth.
"""

import importlib.util
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtcli.bench.record.points import Series, number_types, series_of
from mtcli.bench.record.schema import Record
from mtcli.bench.roofline.limits import Point, attainable, ridge
from mtcli.errors import BackendUnavailableError, UsageError
from mtcli.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

# Colours that people tell apart however they see colour (Okabe and Ito 2008); the shapes differ as well.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#000000")
_KERNEL_SHAPES, _PHASE_SHAPES = "os^Dv<>p", "P*Xdh8"
_INK, _FAINT = "#333333", "#888888"
_INCHES = (10.0, 5.4)
_ALIKE = 1.25  # roofs closer than this share a label
# Nothing in a file tells when or by what it was made: equal records are equal pictures.
_STYLE = {"svg.hashsalt": "mtcli", "font.size": 9, "axes.edgecolor": _FAINT, "axes.labelcolor": _INK}
_METADATA = {"svg": {"Date": None, "Creator": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}


def check_plot(path: Path) -> None:
    """Whether the picture can be written, before anything is measured.

    Raises:
        BackendUnavailableError: matplotlib is not installed.
        UsageError: it writes no such kind of file.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise BackendUnavailableError("mtcli bench --plot needs the package matplotlib: pip install 'mtcli-nmt[viz]'.")
    from matplotlib.figure import Figure

    kinds = Figure().canvas.get_supported_filetypes()
    if path.suffix.removeprefix(".").lower() not in kinds:
        raise UsageError(
            f"--plot {path}: there is no picture of this kind. Expected a name that ends in one of "
            f"{', '.join('.' + kind for kind in sorted(kinds))}."
        )


def write_roofline(record: Record, path: Path) -> None:
    """Draw the measured ceilings, and every kernel and phase under them; the suffix says the kind of picture.

    Raises:
        BackendUnavailableError: matplotlib is not installed.
        UsageError: it writes no such kind of file.
    """
    check_plot(path)
    import matplotlib

    kind = path.suffix.removeprefix(".").lower()
    with matplotlib.rc_context(_STYLE), atomic_path(path) as partial:
        _draw(record).savefig(partial, format=kind, dpi=150, metadata=_METADATA.get(kind))


def _draw(record: Record) -> "Figure":
    from matplotlib.figure import Figure

    series = _with_looks(series_of(record))
    figure = Figure(figsize=_INCHES, layout="constrained")
    if any(not point.intensity for one, _ in series for point in one.points):
        beside, roofline = figure.subplots(1, 2, width_ratios=(1, 4))
        _draw_bandwidths(beside, record, series)
    else:
        roofline = figure.subplots()
    slopes = _draw_roofline(roofline, record, series)
    figure.suptitle(_title(record), x=0.01, ha="left", fontsize=12, color=_INK)
    if series:
        handles = [_handle(one, look) for one, look in series]
        figure.legend(handles=handles, loc="outside right upper", frameon=False, labelspacing=0.8)
    figure.draw_without_rendering()  # only now is it known how steep the slopes are
    for slope in slopes:
        _turn(roofline, slope)
    return figure


def _title(record: Record) -> str:
    device = record.device
    threads = f" ({device.threads} thread{'' if device.threads == 1 else 's'})" if device.kind == "cpu" else ""
    return f"Roofline of {device.name}{threads}, {record.date[:10]}"


def _with_looks(series: list[Series]) -> list[tuple[Series, dict[str, Any]]]:
    """Kernels and phases each begin with the first shape and colour: their shapes have nothing in common."""
    kernels = [one for one in series if one.is_kernel]
    phases = [one for one in series if not one.is_kernel]
    return [(one, _look(number, one)) for kind in (kernels, phases) for number, one in enumerate(kind)]


def _look(number: int, series: Series) -> dict[str, Any]:
    shapes, colour = _KERNEL_SHAPES if series.is_kernel else _PHASE_SHAPES, _COLOURS[number % len(_COLOURS)]
    look = {"marker": shapes[number % len(shapes)], "color": colour, "linestyle": "none", "alpha": 0.85, "zorder": 4}
    size = {"markersize": 6, "markeredgewidth": 0.5} if series.is_kernel else {"markersize": 11, "markeredgewidth": 0.8}
    return look | size | {"markeredgecolor": "white" if series.is_kernel else _INK}


def _handle(series: Series, look: dict[str, Any]) -> Any:
    from matplotlib.lines import Line2D

    count = len(series.points)
    return Line2D([], [], label=series.name if count == 1 else f"{series.name} ({count})", **look)


def _draw_bandwidths(axes: "Axes", record: Record, series: list[tuple[Series, dict[str, Any]]]) -> None:
    """A column for each series with work of which only bytes are counted."""
    from matplotlib.ticker import LogLocator

    column = 0
    for one, look in series:
        rates = [point.bytes_per_second for point in one.points if not point.intensity]
        if rates:
            axes.plot([column] * len(rates), rates, **look)
            column += 1
    for rate, dashes, place in _slopes(record):
        axes.axhline(rate, color=_INK, linewidth=1.2, linestyle=dashes)
        axes.annotate(place, (-0.6, rate), xytext=(0, 3), textcoords="offset points", color=_INK)
    axes.set(yscale="log", xlim=(-0.7, column - 0.3), xticks=[], ylabel="bytes moved a second")
    axes.set_title("bytes alone counted", fontsize=9, color=_INK, loc="left")
    axes.yaxis.set_major_formatter(lambda value, _: _said(value, "B/s"))
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.set_ylim(top=_bandwidths(record)[1] * 1.6)
    _tidy(axes)


def _draw_roofline(axes: "Axes", record: Record, series: list[tuple[Series, dict[str, Any]]]) -> list["Annotation"]:
    """The labels of its slopes."""
    roofs = {dtype: record.ceilings.flops_per_second[dtype] for dtype in number_types(record)}
    if not roofs:  # nothing but copies: the ceilings alone are shown
        roofs = dict(record.ceilings.flops_per_second)
    points = [point for one, _ in series for point in one.points if point.intensity]
    low, high = _span(record, points, max(roofs.values()))
    bottom = min([point.flops_per_second for point in points] + [attainable(low, _bandwidths(record)[0], 1e30)]) / 2
    axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(bottom, max(roofs.values()) * 2.2))
    slopes = _draw_ceilings(axes, record, roofs)
    for one, look in series:
        placed = [point for point in one.points if point.intensity]
        axes.plot([p.intensity for p in placed], [p.flops_per_second for p in placed], **look)
    axes.set(xlabel="floating-point operations for a byte moved", ylabel="floating-point operations a second")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_major_formatter(lambda value, _: _said(value, "FLOP/s"))
    _tidy(axes)
    return slopes


def _span(record: Record, points: list[Point], highest: float) -> tuple[float, float]:
    """From the least to the greatest intensity to be shown."""
    intensities = [point.intensity for point in points]
    knee = ridge(_bandwidths(record)[0], highest)
    return min([*intensities, knee / 8]) / 2, max([*intensities, knee]) * 4


def _bandwidths(record: Record) -> tuple[float, float]:
    """Of memory, and on a CPU of the caches."""
    slow = record.ceilings.bytes_per_second
    if record.device.kind == "cuda":  # whose caches are emptied before what is timed
        return slow, slow
    return slow, max([slow, *(copied.bytes_per_second for copied in record.ceilings.copy_)])


def _slopes(record: Record) -> list[tuple[float, Any, str]]:
    """Rate, dashes and place of each bandwidth."""
    slow, fast = _bandwidths(record)
    slopes: list[tuple[float, Any, str]] = [(slow, "solid", "memory"), (fast, (0, (4, 3)), "caches")]
    return slopes if fast > slow else slopes[:1]


def _draw_ceilings(axes: "Axes", record: Record, roofs: dict[str, float]) -> list["Annotation"]:
    low, high = axes.get_xlim()
    labels = []
    for rate, dashes, place in _slopes(record):
        knee = ridge(rate, max(roofs.values()))
        axes.plot([low, knee], [low * rate, knee * rate], color=_INK, linewidth=1.2, linestyle=dashes)
        start = max(low, axes.get_ylim()[0] / rate) * 1.2
        words, place_of_text = f"copy in {place}: {_said(rate, 'B/s')}", (start, start * rate)
        labels.append(axes.annotate(words, place_of_text, xytext=(-3, 4), textcoords="offset points", color=_INK))
    fastest = _bandwidths(record)[1]
    for rate in roofs.values():
        axes.plot([ridge(fastest, rate), high], [rate, rate], color=_INK, linewidth=1.2)
    for label, rate in _roof_labels(roofs):
        axes.annotate(label, (high, rate), xytext=(-4, 3), textcoords="offset points", ha="right", color=_INK)
    return labels


def _turn(axes: "Axes", label: "Annotation") -> None:
    """Along a line of slope one in the logarithms."""
    x, y = label.xy
    (left, bottom), (right, top) = axes.transData.transform([(x, y), (10 * x, 10 * y)])
    label.set(rotation=math.degrees(math.atan2(top - bottom, right - left)), rotation_mode="anchor")


def _roof_labels(roofs: dict[str, float]) -> list[tuple[str, float]]:
    """A label for each roof, or one for those close together, above the highest of them."""
    labels: list[tuple[str, float]] = []
    last = float("inf")
    for dtype, rate in sorted(roofs.items(), key=lambda item: -item[1]):
        said = f"{dtype}: {_said(rate, 'FLOP/s')}"
        if last / rate < _ALIKE:
            labels[-1] = (f"{labels[-1][0]}, {said}", labels[-1][1])
        else:
            labels.append((said, rate))
        last = rate
    return labels


def _said(rate: float, unit: str) -> str:
    """Three digits and the unit, such as 1.53 TB/s."""
    for factor, prefix in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if rate >= factor:
            return f"{float(f'{rate / factor:.3g}'):g} {prefix}{unit}"
    return f"{rate:.3g} {unit}"


def _tidy(axes: "Axes") -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(True, which="major", color="#E4E4E4", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.minorticks_off()
