"""What checks found, written line by line while it is found: as text, JSON or one page of HTML."""

from pathlib import Path

from mtcli.checking.reports.entries import CheckTally, FlaggedLine, Report, ReportHead
from mtcli.checking.reports.html import HtmlReport
from mtcli.checking.reports.json import JsonReport
from mtcli.checking.reports.text import TextReport

_BY_SUFFIX: dict[str, type[JsonReport | HtmlReport]] = {".json": JsonReport, ".html": HtmlReport, ".htm": HtmlReport}


def report_for(path: Path) -> Report:
    """A report of the kind that a file's name ends with: JSON, HTML, or else text."""
    return _BY_SUFFIX.get(path.suffix.lower(), TextReport)()


__all__ = ["CheckTally", "FlaggedLine", "HtmlReport", "JsonReport", "Report", "ReportHead", "TextReport", "report_for"]
