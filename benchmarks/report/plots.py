"""SVG plots of results: each function draws one record into a file.

The same record gives the same bytes, under one version of matplotlib. Colours are those of Okabe and Ito, which people
with any colour vision tell apart.
"""

import re
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from benchmarks.contest.records import Decoding, FirstMinute, Growth, Row, Training, in_cores
from benchmarks.report.markdown import transcript
from benchmarks.report.rows import OURS, best
from mtcli.bench.display.plot import write_roofline as bench_plot

__all__ = ["bench_plot", "decoding_plot", "growth_plot", "minute_plot", "training_plot"]

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
WIDTH = 7.0  # inches
COLUMNS = 92  # characters of a terminal; longer lines go on below


def minute_plot(result: FirstMinute, path: Path) -> None:
    """Draw the first minute as a still picture of a terminal."""
    path.write_text(terminal(transcript([result.install, *result.minute], wrap=str)), encoding="utf-8")


def terminal(lines: Sequence[str]) -> str:
    """Return the picture of these lines; those that begin with `$ ` are commands."""
    console = Console(record=True, width=COLUMNS, file=StringIO())
    for line in lines:
        style = "bold" if line.startswith("$ ") else "dim" if line == "..." else ""
        console.print(Text(line, style=style, overflow="fold"))
    drawn = console.export_svg(title="mtcli", unique_id="terminal")
    # The reader's own letters: a page fetches nothing from elsewhere.
    return re.sub(r"@font-face {.*?}", "", drawn, flags=re.DOTALL)


def growth_plot(result: Growth, path: Path) -> None:
    """Draw rate and memory along an axis."""
    figure, panels = _figure(2, height=3.0)
    places = [point.at for point in result.points]
    curves = (("tokens_per_second", "target tokens/s"), ("peak_mib", "memory at most (MiB)"))
    for axes, colour, (name, label) in zip(panels, COLOURS, curves, strict=False):
        values = [point.median(name) for point in result.points]
        axes.plot(places, values, marker="o", color=colour)
        axes.set_xscale("log", base=10 if places[-1] >= 1000 * places[0] else 2)
        axes.set_xticks(places, [f"{place:,}" for place in places], rotation=45 if places[-1] > 999 else 0)
        axes.minorticks_off()
        axes.set_ylim(0, 1.1 * max(values))
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.set_xlabel(result.axis.replace("`", ""))
        axes.set_ylabel(label)
    _save(figure, result.title, path)


def decoding_plot(result: Decoding, path: Path) -> None:
    """Draw target tokens a second of each decoder at its best, the searches side by side."""
    rows = sorted(best(result.parts[0].rows), key=lambda row: row.contestant != OURS)
    # Batch and threads are tuned, not a way.
    labels = [_label(row, "" if row.way.startswith("batch") else row.way) for row in rows]
    _bars(result.title, path, [row.search for row in rows], labels, rows)


def training_plot(result: Training, path: Path) -> None:
    """Draw target tokens a second of each trainer, by number of cores."""
    rows = [row for row in result.rows if row.median is not None]
    _bars(result.title, path, [in_cores(row.cores) for row in rows], [_label(row, row.way) for row in rows], rows)


def _label(row: Row, way: str) -> str:
    return ", ".join(filter(None, (row.contestant, row.dtype, way)))


def _bars(title: str, path: Path, groups: Sequence[str], labels: Sequence[str], rows: Sequence[Row]) -> None:
    """Horizontal bars with their least and greatest, one panel for each group, mtcli's in a colour of their own."""
    names = list(dict.fromkeys(groups))
    spans = [(row.median or 0.0, row.min or 0.0, row.max or 0.0) for row in rows]
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
    _save(figure, title, path)


def _figure(panels: int, *, height: float, width: float = WIDTH) -> tuple[Any, Sequence[Any]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(1, panels, squeeze=False)[0]
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
        one.tick_params(labelsize=8)
    return figure, list(axes)


def _save(figure: Any, title: str, path: Path) -> None:
    import matplotlib

    figure.suptitle(title)
    with matplotlib.rc_context({"svg.hashsalt": "mtcli", "svg.fonttype": "none"}):
        figure.savefig(path, metadata={"Date": None})
