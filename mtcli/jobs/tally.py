"""What a file job counts: for its progress bar, its closing line and its statistics."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mtcli.decoding.lines import is_blank
from mtcli.formats.records import Record
from mtcli.translation import Translation

if TYPE_CHECKING:
    from mtcli.decoding.translator import Work


@dataclass
class Tally:
    """Count the lines written so far, by this run and the earlier ones that it goes on from.

    Attributes:
        work: what the translator has done in this run; None where nothing counts it.
        total_bytes: size of the input, where it is known beforehand.
        distinct: hashes of the texts seen; None when nobody asked, for they take memory.
        lines, blank_lines, num_bytes: of the input, as far as its translation is written.
        parts: pieces of those lines that the model was to translate; an over-long line has several.
        split_lines: lines of more than one part.
        repaired, flagged: lines that were repaired, and those that checks have something against.
        resumed_lines, resumed_bytes: of the input, what earlier runs had written.
        earlier: what earlier runs had counted, as `counts` gives it.
        began: when this run began.
        ended: when the last line was written; None until then.
    """

    work: "Work | None" = None
    total_bytes: int | None = None
    distinct: set[int] | None = None
    lines: int = 0
    blank_lines: int = 0
    num_bytes: int = 0
    parts: int = 0
    split_lines: int = 0
    repaired: int = 0
    flagged: int = 0
    resumed_lines: int = 0
    resumed_bytes: int = 0
    earlier: Mapping[str, float] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)
    ended: float | None = None

    def add(self, record: Record, translation: Translation) -> None:
        """Count one line whose translation was written."""
        self._add_line(record)
        parts = len(translation.source_parts)
        self.parts += parts
        self.split_lines += parts > 1
        self.repaired += bool(translation.repaired)
        self.flagged += bool(translation.findings)

    def resume(self, records: Iterable[Record], counts: Mapping[str, float]) -> None:
        """Count the lines that earlier runs wrote, and what they had counted."""
        for record in records:
            self._add_line(record)
        self.resumed_lines, self.resumed_bytes = self.lines, self.num_bytes
        self.earlier = counts
        self.parts, self.split_lines = int(counts.get("parts", 0)), int(counts.get("split_lines", 0))
        self.repaired, self.flagged = int(counts.get("repaired", 0)), int(counts.get("flagged", 0))

    def _add_line(self, record: Record) -> None:
        self.lines += 1
        self.num_bytes += record.num_bytes
        self.blank_lines += is_blank(record.text)
        if self.distinct is not None:
            self.distinct.add(hash(record.text))

    def end(self) -> None:
        """Stop the clock: everything is written."""
        self.ended = time.monotonic()

    def counts(self) -> dict[str, float]:
        """Give what a later run cannot find out by reading the input again."""
        return {
            "parts": self.parts,
            "split_lines": self.split_lines,
            "repaired": self.repaired,
            "flagged": self.flagged,
            "decoded_parts": self.decoded_parts,
            "source_tokens": self.source_tokens,
            "target_tokens": self.target_tokens,
            "seconds": self.seconds,
        }

    @property
    def seconds(self) -> float:
        """Measure the seconds since the first line was waited for, in all runs."""
        return max(self.earlier.get("seconds", 0.0) + self._seconds_now, 1e-9)

    @property
    def _seconds_now(self) -> float:
        return (self.ended or time.monotonic()) - self.began

    # Work is counted as it is done, work that a kill threw away included: it took its time.

    @property
    def decoded_parts(self) -> int:
        return int(self.earlier.get("decoded_parts", 0)) + (self.work.decoded if self.work else 0)

    @property
    def source_tokens(self) -> int:
        return int(self.earlier.get("source_tokens", 0)) + (self.work.source_tokens if self.work else 0)

    @property
    def target_tokens(self) -> int:
        return int(self.earlier.get("target_tokens", 0)) + (self.work.target_tokens if self.work else 0)

    @property
    def tokens_per_second(self) -> float:
        return self.target_tokens / self.seconds

    @property
    def share_done(self) -> float | None:
        """Compute how much of the input is written, 0 to 1; None where its size is not known."""
        return min(1.0, self.num_bytes / self.total_bytes) if self.total_bytes else None

    @property
    def seconds_left(self) -> float | None:
        """Estimate the seconds that the rest takes at the speed of this run; None until that is known."""
        done = self.num_bytes - self.resumed_bytes
        if not self.total_bytes or not done:
            return None
        return self._seconds_now * max(0, self.total_bytes - self.num_bytes) / done

    def closing_line(self) -> str:
        """Say the totals in a sentence."""
        resumed = f" ({self.resumed_lines:,} of them by an earlier run)" if self.resumed_lines else ""
        noun = "line" if self.lines == 1 else "lines"
        return (
            f"{self.lines:,} {noun}{resumed}, {self.target_tokens:,} target tokens in {self.seconds:.1f} s "
            f"({self.tokens_per_second:,.0f} tokens/s).{self._saving()}{self._faults()}"
        )

    def _faults(self) -> str:
        """How many lines were repaired and how many are flagged, in a sentence of its own."""
        counts = ((self.repaired, "repaired"), (self.flagged, "flagged"))
        told = [f"{number:,} {'line was' if number == 1 else 'lines were'} {what}" for number, what in counts if number]
        return f" {', '.join(told)}." if told else ""

    def _saving(self) -> str:
        """What equal sentences saved in this run, in a sentence of its own."""
        work = self.work
        if work is None or work.decoded >= work.parts:
            return ""
        return (
            f" {work.parts - work.decoded:,} of {work.parts:,} sentences had an equal one and were not decoded again."
        )
