"""What checks found, written line by line while it is found: as text, JSON or one page of HTML."""

from mtcli.checking.reports.entries import CheckTally, FlaggedLine, Report, ReportHead
from mtcli.checking.reports.html import HtmlReport
from mtcli.checking.reports.json import JsonReport
from mtcli.checking.reports.text import TextReport

__all__ = ["CheckTally", "FlaggedLine", "HtmlReport", "JsonReport", "Report", "ReportHead", "TextReport"]
