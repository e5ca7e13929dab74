"""Does a line's translation depend on the line alone? A few lines are translated again, alone, and compared."""

from collections.abc import Sequence
from dataclasses import dataclass

from mtcli.errors import MtcliError
from mtcli.files import display_name
from mtcli.formats.reader import Reader
from mtcli.jobs.pipeline import Translate
from mtcli.jobs.sample import Sample, Sampled
from mtcli.translation import Translation


@dataclass(frozen=True)
class Difference:
    """Hold a line that came out otherwise when it was translated alone."""

    sampled: Sampled
    alone: Translation

    @property
    def is_of_text(self) -> bool:
        """Whether what is read differs, not the scores alone."""
        texts, others = ([one.text for one in each.n_best] for each in (self.sampled.translation, self.alone))
        return texts != others

    def describe(self, reader: Reader) -> str:
        """Say where the line is, and what it became, in three lines."""
        before = reader.ends[self.sampled.file - 1] if self.sampled.file else 0
        where = f"{display_name(reader.paths[self.sampled.file])}:{self.sampled.line - before}"
        return "\n".join(
            [
                f"{where} came out different alone:",
                f"  among others: {_shown(self.sampled.translation)}",
                f"  alone:        {_shown(self.alone)}",
            ]
        )


def verify_alone(sample: Sample, translate: Translate) -> list[Difference]:
    """Translate each line of the sample again, alone, and compare texts and scores, exactly, of all candidates."""
    differences = []
    for sampled in sample:
        (alone,) = translate([sampled.translation.source])
        if alone.n_best != sampled.translation.n_best:
            differences.append(Difference(sampled, alone))
    return differences


def agreement(num_lines: int) -> str:
    """Say that all lines agree."""
    if not num_lines:
        return "Nothing to verify: this run translated no line that is not blank."
    return f"Verified: {num_lines:,} lines, chosen at random and translated again alone, came out the same to the bit."


def agreement_up_to_rounding(num_lines: int, num_different: int) -> str:
    """Say how many lines agree where the engine promises no more than rounding."""
    return (
        f"{num_lines - num_different:,} of {num_lines:,} lines, chosen at random and translated again alone, came out "
        "the same to the bit. With PyTorch on a CPU lines are the same up to rounding; --engine native keeps every bit."
    )


def disagreement(num_lines: int, differences: Sequence[Difference]) -> MtcliError:
    """Make the error for lines that depend on more than themselves."""
    return MtcliError(
        f"{len(differences)} of {num_lines} lines came out different when they were translated alone. The outputs are "
        "whole, but what is in them depended on more than each line. Try --dtype float32, and please report it."
    )


def _shown(translation: Translation) -> str:
    return " | ".join(f"{candidate.text} ({candidate.score!r})" for candidate in translation.n_best)
