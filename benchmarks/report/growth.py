"""What benchmarks/growth.py writes, and the block of Markdown made from it. Times in seconds, memory in MiB."""

from collections.abc import Callable

from benchmarks.contest.records import Record, Result
from benchmarks.report.blocks import circumstances, console


class Run(Record):
    """One round's figures.

    Attributes:
        seconds: from the start of the first process to the end of the last, loading included.
        tokens_per_second: target tokens over the seconds of translating, loading excluded, as mtcli counts them; of
            several processes, all their tokens over the longest time.
        peak_mib: the most that was resident in one process.
    """

    seconds: float
    tokens_per_second: float
    peak_mib: float


class Point(Record):
    """What was translated at one place of the axis; tokens are of all lines, end tokens included."""

    at: int
    lines: int
    source_tokens: int
    target_tokens: int
    runs: list[Run]

    def median(self, figure: Callable[[Run], float]) -> float:
        """Of the runs; the upper one of two in the middle."""
        ordered = sorted(figure(run) for run in self.runs)
        return ordered[len(ordered) // 2]

    @property
    def mean_source(self) -> float:
        return self.source_tokens / self.lines


class Growth(Result):
    """How time and memory grow along one axis.

    Attributes:
        axis: what grows, in words.
        fixed: what stays the same, in words.
        points: in order of the axis.
    """

    axis: str
    fixed: str
    points: list[Point]


def growth_block(text: str) -> str:
    """The block of a growth result given as JSON."""
    result = Growth.model_validate_json(text)
    rounds = max(len(point.runs) for point in result.points)
    each = "One run each." if rounds == 1 else f"Medians of up to {rounds} rounds, in turns."
    return "\n".join(
        [
            f"**{result.title}**",
            "",
            f"| {result.axis} | lines | source tokens a line | target tokens/s | time (s) | memory at most (MiB) |",
            "|--:|--:|--:|--:|--:|--:|",
            *(_row(point) for point in result.points),
            "",
            f"{result.fixed} Time holds starting and loading, the rate does not. Memory is what was resident in a "
            f"process. {each} {circumstances(result)}",
            "",
            *console(result.command),
        ]
    )


def _row(point: Point) -> str:
    rate, seconds, memory = (
        point.median(figure)
        for figure in (lambda run: run.tokens_per_second, lambda run: run.seconds, lambda run: run.peak_mib)
    )
    return (
        f"| {point.at:,} | {point.lines:,} | {point.mean_source:.1f} | {rate:,.0f} | {seconds:,.1f} | {memory:,.0f} |"
    )
