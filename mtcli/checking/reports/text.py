"""A report for reading: each line with what was found, and where, marked."""

from collections.abc import Sequence

from mtcli.checking.findings import Finding, Where
from mtcli.checking.reports.entries import CheckTally, FlaggedLine, ReportHead, in_pieces, visible

_MOST_SHOWN = 400  # characters of a line
_BEFORE = 100  # of them before the first mark, where a line is longer


class TextReport:
    """Write text, with marks in brackets or, on a terminal, in colour."""

    def __init__(self, *, colour: bool = False) -> None:
        """Choose how to mark."""
        self._marks = ("\x1b[7m", "\x1b[0m") if colour else ("⟦", "⟧")
        self._bold = ("\x1b[1m", "\x1b[0m") if colour else ("", "")

    def begin(self, head: ReportHead) -> str:
        """Nothing."""
        return ""

    def go_on(self, head: ReportHead, tally: CheckTally) -> None:
        """Nothing is to be known."""

    def add(self, flagged: FlaggedLine) -> str:
        """A paragraph: the findings, then both lines."""
        on, off = self._bold
        rows = [f"{on}line {flagged.number:,}{off}"]
        rows += [
            f"  {one.severity.value:7} {one.check}: {visible(one.message)}{_places(one)}" for one in flagged.findings
        ]
        for name, line, wheres in (
            ("source", flagged.source, [where for one in flagged.findings for where in one.source]),
            ("target", flagged.target, [where for one in flagged.findings for where in one.target]),
        ):
            rows.append(f"  {name}  {self._marked(line, wheres)}")
        return "\n".join(rows) + "\n\n"

    def end(self, tally: CheckTally) -> str:
        """Nothing: what was counted is told apart from the report."""
        return ""

    def _marked(self, line: str, wheres: Sequence[Where]) -> str:
        line, wheres, before, behind = _excerpt(line, wheres)
        on, off = self._marks
        pieces = [
            f"{on}{visible(piece)}{off}" if is_marked else visible(piece)
            for piece, is_marked in in_pieces(line, wheres)
        ]
        return before + "".join(pieces) + behind


def _excerpt(line: str, wheres: Sequence[Where]) -> tuple[str, Sequence[Where], str, str]:
    """What is shown of a long line: some of it around the first mark."""
    if len(line) <= _MOST_SHOWN:
        return line, wheres, "", ""
    start = max(0, min((where[0] for where in wheres), default=0) - _BEFORE)
    end = start + _MOST_SHOWN
    inside = [
        (max(first, start) - start, min(last, end) - start) for first, last in wheres if first < end and last > start
    ]
    return line[start:end], inside, "…" if start else "", "…" if end < len(line) else ""


def _places(finding: Finding) -> str:
    """Where it is, in characters from 1."""
    parts = [
        f"{name} {', '.join(f'{start + 1}-{end}' if end > start + 1 else str(end) for start, end in wheres)}"
        for name, wheres in (("source", finding.source), ("target", finding.target))
        if wheres
    ]
    return f" ({'; '.join(parts)})" if parts else ""
