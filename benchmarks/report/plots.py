"""SVG plots of results files: each takes a file's text and writes a picture.

The same file gives the same bytes, under one version of matplotlib. Colours are those of Okabe and Ito, which people
with any colour vision tell apart.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.contest.records import Decoding, Growth, Row, Training
from benchmarks.report.tables import OURS, best

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
WIDTH = 7.0  # inches


def source_mark(text: str) -> str:
    """Return what a plot of this results file says of it, so that a plot of an older one is found out."""
    return f"from {hashlib.sha256(text.encode()).hexdigest()[:16]}"


def growth_plot(text: str, path: Path) -> None:
    """Draw rate and memory along an axis."""
    result = Growth.model_validate_json(text)
    figure, (rates, memory) = _figure(2, height=3.0)
    places = [point.at for point in result.points]
    curves = (
        (rates, [point.median(lambda run: run.tokens_per_second) for point in result.points], "target tokens/s"),
        (memory, [point.median(lambda run: run.peak_mib) for point in result.points], "memory at most (MiB)"),
    )
    for colour, (axes, values, label) in zip(COLOURS, curves, strict=False):
        axes.plot(places, values, marker="o", color=colour)
        axes.set_xscale("log", base=10 if places[-1] >= 1000 * places[0] else 2)
        axes.set_xticks(places, [f"{place:,}" for place in places], rotation=45 if places[-1] > 999 else 0)
        axes.minorticks_off()
        axes.set_ylim(0, 1.1 * max(values))
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.set_xlabel(result.axis.replace("`", ""))
        axes.set_ylabel(label)
    figure.suptitle(result.title)
    _save(figure, path, text)


def decoding_plot(text: str, path: Path) -> None:
    """Draw target tokens a second of each decoder at its best, the searches side by side."""
    result = Decoding.model_validate_json(text)
    rows = sorted(best(result.parts[0].rows), key=lambda row: row.contestant != OURS)
    labels = [", ".join(filter(None, (row.contestant, row.dtype, _shown(row.way)))) for row in rows]
    _bars(text, path, result.title, [row.search for row in rows], labels, _spans(rows))


def training_plot(text: str, path: Path) -> None:
    """Draw target tokens a second of each trainer, by number of cores."""
    result = Training.model_validate_json(text)
    rows = [row for row in result.rows if row.median is not None]
    labels = [", ".join(filter(None, (row.contestant, row.dtype, row.way))) for row in rows]
    groups = ["1 core" if row.cores == 1 else f"{row.cores} cores" for row in rows]
    _bars(text, path, result.title, groups, labels, _spans(rows))


def _spans(rows: Sequence[Row]) -> list[tuple[float, float, float]]:
    return [(row.median or 0.0, row.min or 0.0, row.max or 0.0) for row in rows]


def _shown(way: str) -> str:
    """Batch and threads are tuned, not a way."""
    return "" if way.startswith("batch") else way


def _bars(
    text: str,
    path: Path,
    title: str,
    groups: Sequence[str],
    labels: Sequence[str],
    spans: Sequence[tuple[float, float, float]],
) -> None:
    """Horizontal bars with their least and greatest, one panel for each group, mtcli's in a colour of their own."""
    names = list(dict.fromkeys(groups))
    longest = max(groups.count(name) for name in names)
    figure, panels = _figure(len(names), height=0.9 + 0.32 * longest, width=4.6 * len(names))
    for axes, name in zip(panels, names, strict=True):
        own = [place for place, group in enumerate(groups) if group == name][::-1]
        medians = [spans[place][0] for place in own]
        errors = [[spans[p][0] - spans[p][1] for p in own], [spans[p][2] - spans[p][0] for p in own]]
        colours = [COLOURS[0] if labels[place].startswith(OURS) else "#BBBBBB" for place in own]
        bars = axes.barh([labels[place] for place in own], medians, xerr=errors, color=colours, ecolor="#444444")
        axes.bar_label(bars, [f"{median:,.0f}" for median in medians], padding=6, fontsize=8)
        axes.set_xlim(0, 1.25 * max(span[2] for span in spans))
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set_title(name, fontsize=10)
        axes.set_xlabel("target tokens/s")
    figure.suptitle(title)
    _save(figure, path, text)


def _figure(panels: int, *, height: float, width: float = WIDTH) -> tuple[Any, Sequence[Any]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(1, panels, squeeze=False)[0]
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
        one.tick_params(labelsize=8)
    return figure, list(axes)


def _save(figure: Any, path: Path, text: str) -> None:
    import matplotlib

    with matplotlib.rc_context({"svg.hashsalt": "mtcli", "svg.fonttype": "none"}):
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None, "Description": source_mark(text)} if path.suffix == ".svg" else {})


def bench_plot(text: str, path: Path) -> None:
    """Draw kernels and phases on the roofline, as `mtcli bench --plot` does."""
    from mtcli.bench.display.plot import write_roofline
    from mtcli.bench.record.schema import BenchRecord

    path.parent.mkdir(parents=True, exist_ok=True)
    write_roofline(BenchRecord.model_validate_json(text), path)
    drawn = path.read_text(encoding="utf-8")
    path.write_text(drawn.replace("</svg>", f"<!-- {source_mark(text)} -->\n</svg>"), encoding="utf-8")
