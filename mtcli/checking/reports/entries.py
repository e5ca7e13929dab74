"""What a report is made of."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from mtcli.checking.findings import Finding, Severity, Where


@dataclass(frozen=True, kw_only=True)
class ReportHead:
    """Hold what a report says before its lines.

    Attributes:
        source, target: names of the files.
        pair: codes of the languages; empty where not known.
    """

    source: str
    target: str
    pair: tuple[str, str]


@dataclass(frozen=True)
class FlaggedLine:
    """Hold a line that something is wrong with; `number` counts from 1."""

    number: int
    source: str
    target: str
    findings: Sequence[Finding]

    @property
    def is_grave(self) -> bool:
        return any(finding.severity is Severity.ERROR for finding in self.findings)


@dataclass
class CheckTally:
    """Count what was checked.

    Attributes:
        lines: all.
        flagged: those with a finding.
        grave: those with an error among their findings.
        checks: how many lines each check flagged.
    """

    lines: int = 0
    flagged: int = 0
    grave: int = 0
    checks: Counter[str] = field(default_factory=Counter)

    def add(self, flagged: FlaggedLine) -> None:
        """Count a line with findings."""
        self.flagged += 1
        self.grave += flagged.is_grave
        self.checks.update(dict.fromkeys((finding.check for finding in flagged.findings), 1))

    def sentence(self) -> str:
        """All of it in one sentence."""
        lines = f"{self.lines:,} line{'' if self.lines == 1 else 's'} checked"
        if not self.flagged:
            return f"{lines}, none flagged."
        found = ", ".join(f"{name} {count:,}" for name, count in self.checks.most_common())
        return f"{lines}, {self.flagged:,} flagged ({self.flagged / self.lines:.1%}): {found}."


class Report(Protocol):
    """Write a report in three steps, each as text to be written at once."""

    def begin(self, head: ReportHead) -> str:
        """What stands before the lines."""

    def go_on(self, head: ReportHead, tally: CheckTally) -> None:
        """Prepare to add lines behind those counted, which another run has written."""

    def add(self, flagged: FlaggedLine) -> str:
        """One line with findings."""

    def end(self, tally: CheckTally) -> str:
        """What stands behind the lines."""


# One sign for each character, so that places stay true: what a terminal or a page would obey is shown as a picture.
_PICTURES = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421}
_PICTURES |= dict.fromkeys([*range(0x80, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)], 0xFFFD)


def visible(text: str) -> str:
    """The text with a sign in the place of each character that would move a cursor or turn the direction."""
    return text.translate(_PICTURES)


def in_pieces(text: str, wheres: Iterable[Where]) -> Iterator[tuple[str, bool]]:
    """Cut a line where findings begin and end; each piece with whether it is inside one."""
    place = 0
    for start, end in _joined(wheres, len(text)):
        if place < start:
            yield text[place:start], False
        yield text[start:end], True
        place = end
    if place < len(text):
        yield text[place:], False


def _joined(wheres: Iterable[Where], length: int) -> list[Where]:
    """The pieces in order, those that touch each other as one."""
    joined: list[Where] = []
    for start, end in sorted(wheres):
        start, end = min(start, length), min(end, length)
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        elif start < end:
            joined.append((start, end))
    return joined
