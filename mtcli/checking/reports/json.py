"""A report for programs: one JSON object, a line with findings on a line of its own."""

import json
from dataclasses import asdict
from typing import Any

from mtcli.checking.reports.entries import CheckTally, FlaggedLine, ReportHead


class JsonReport:
    """Write one JSON object; places are [start, end) in characters from 0, line numbers count from 1."""

    def __init__(self) -> None:
        """Begin without a line."""
        self._separator = "\n"

    def begin(self, head: ReportHead) -> str:
        """The names of the files, and the beginning of the list of lines."""
        opening = {"source": head.source, "target": head.target, "languages": [code or None for code in head.pair]}
        return f'{_dumped(opening)[:-1]}, "lines": ['

    def go_on(self, head: ReportHead, tally: CheckTally) -> None:
        """Whether the list has entries."""
        self._separator = ",\n" if tally.flagged else "\n"

    def add(self, flagged: FlaggedLine) -> str:
        """One entry of the list."""
        content = {
            "line": flagged.number,
            "source": flagged.source,
            "target": flagged.target,
            "findings": [asdict(finding) for finding in flagged.findings],
        }
        separator, self._separator = self._separator, ",\n"
        return separator + _dumped(content)

    def end(self, tally: CheckTally) -> str:
        """The end of the list, and what was counted."""
        counts = {
            "checked": tally.lines,
            "flagged": tally.flagged,
            "with_errors": tally.grave,
            "checks": dict(tally.checks.most_common()),
        }
        return f'\n], "counts": {_dumped(counts)}}}\n'


def _dumped(content: Any) -> str:
    text = json.dumps(content, ensure_ascii=False)
    # Legal in JSON, but many a reader of lines takes them for the end of one.
    return text.replace("\x85", "\\u0085").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
