"""What `mtcli translate` counts: for its progress bar, its closing line and `--stats`."""

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mtcli.cli.reading import Record
from mtcli.decoding.lines import is_blank

if TYPE_CHECKING:
    from mtcli.decoding.translator import Work


@dataclass
class Tally:
    """Counts of the lines written so far.

    Attributes:
        work: what the translator has done; None where nothing counts it.
        total_bytes: size of the input, where it is known beforehand.
        lines, blank_lines, num_bytes: of the input, as far as its translation is written.
        distinct: hashes of the texts seen; None when nobody asked, for they take memory.
    """

    work: "Work | None" = None
    total_bytes: int | None = None
    distinct: set[int] | None = None
    lines: int = 0
    blank_lines: int = 0
    num_bytes: int = 0
    window_bytes: int = 0
    began: float = field(default_factory=time.monotonic)

    def start_window(self, records: list[Record]) -> None:
        """Note which lines are being translated now."""
        self.window_bytes = sum(record.num_bytes for record in records)

    def end_window(self) -> None:
        """Note that they have been written."""
        self.num_bytes += self.window_bytes
        self.window_bytes = 0

    def add(self, record: Record) -> None:
        """Count one line whose translation was written."""
        self.lines += 1
        self.blank_lines += is_blank(record.text)
        if self.distinct is not None:
            self.distinct.add(hash(record.text))

    @property
    def seconds(self) -> float:
        """Since the first line was waited for."""
        return max(time.monotonic() - self.began, 1e-9)

    @property
    def target_tokens(self) -> int:
        return self.work.target_tokens if self.work else 0

    @property
    def tokens_per_second(self) -> float:
        return self.target_tokens / self.seconds

    @property
    def share_done(self) -> float | None:
        """How much of the input is translated, 0 to 1; None where its size is not known."""
        if not self.total_bytes:
            return None
        at_hand = self.window_bytes * (self.work.share if self.work else 0.0)
        return min(1.0, (self.num_bytes + at_hand) / self.total_bytes)

    @property
    def seconds_left(self) -> float | None:
        """What the rest will take at the speed so far; None until that is known."""
        share = self.share_done
        return self.seconds * (1 - share) / share if share else None

    def closing_line(self) -> str:
        """The totals in a sentence."""
        return (
            f"{self.lines:,} lines, {self.target_tokens:,} target tokens in {self.seconds:.1f} s "
            f"({self.tokens_per_second:,.0f} tokens/s)."
        )
