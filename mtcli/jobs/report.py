"""What checks find in a job's translations, written into a report while they are (`mtcli translate --report`)."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from mtcli.checking.checker import LanguagePair
from mtcli.checking.reports import CheckTally, FlaggedLine, ReportHead, report_for
from mtcli.files import STDIN, Output, display_name
from mtcli.jobs.job import FileJob
from mtcli.translation import Translation

_CHECK = "check "  # before the name of a check, in the counts that the journal keeps


def report_head(job: FileJob, languages: LanguagePair) -> ReportHead:
    """What stands above the lines."""
    source, target = (
        ", ".join(dict.fromkeys(display_name(path or STDIN) for path in paths)) for paths in (job.inputs, job.outputs)
    )
    return ReportHead(source=source, target=target, pair=(languages[0] or "", languages[1] or ""))


class ReportWriter:
    """A report on its way to its file, which a later run can go on with."""

    def __init__(self, output: Output, path: Path, head: ReportHead, earlier: Mapping[str, float] | None) -> None:
        """Begin, or go on where an earlier run stopped that had counted `earlier`."""
        self._output, self._report, self._tally = output, report_for(path), CheckTally()
        self._is_ended = False
        if earlier is None:
            self._write(self._report.begin(head))
            return
        self._tally.flagged, self._tally.grave = int(earlier["report_flagged"]), int(earlier["report_grave"])
        names = {name.removeprefix(_CHECK): int(count) for name, count in earlier.items() if name.startswith(_CHECK)}
        self._tally.checks = Counter(names)
        self._is_ended = bool(earlier["report_ended"])
        self._report.go_on(head, self._tally)

    def add(self, number: int, translation: Translation) -> None:
        """Write a line, counted from 1, if anything was found in it."""
        if translation.findings:
            flagged = FlaggedLine(number, translation.source, translation.text, translation.findings)
            self._tally.add(flagged)
            self._write(self._report.add(flagged))

    def end(self, lines: int) -> None:
        """Write what stands behind the lines, which were so many."""
        if not self._is_ended:
            self._tally.lines, self._is_ended = lines, True
            self._write(self._report.end(self._tally))

    def counts(self) -> dict[str, float]:
        """What a later run needs to know."""
        checks = {f"{_CHECK}{name}": count for name, count in self._tally.checks.items()}
        return {
            "report_flagged": self._tally.flagged,
            "report_grave": self._tally.grave,
            "report_ended": int(self._is_ended),
            **checks,
        }

    def _write(self, text: str) -> None:
        self._output.write(text.encode(errors="backslashreplace"))
