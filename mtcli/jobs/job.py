"""One translation of files, as it was asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mtcli.decoding.options import CHANGES_NO_BYTE, ComputeOptions, TranslateOptions
from mtcli.errors import UsageError, check_choice
from mtcli.formats.lines import INPUT_FORMATS, LINE_FORMATS
from mtcli.formats.reader import BAD_UTF8
from mtcli.jobs.identity import INPUTS, MODEL, OUTPUTS
from mtcli.model_directory.box import IN_THE_BOX


@dataclass(frozen=True, kw_only=True)
class FileJob:
    """Say what is to be translated, how, and where it is to be written.

    Attributes:
        inputs: files, `-` for stdin.
        outputs: one for all inputs, or one for each; None and `-` are stdout.
        model: a model directory.
        options, compute: how to translate, and on what.
        flag: write beside each translation what checks find in it.
        alignments, report, stats: where the word alignments of all inputs, what checks find in their translations and
            the counts go, if anywhere.
        verify: lines to translate again, alone, and compare.
        force: overwrite outputs that exist.

    Raises:
        UsageError: an option has a value that it cannot have, or two contradict each other.
    """

    inputs: Sequence[Path] = field(metadata=INPUTS)
    outputs: Sequence[Path | None] = field(metadata=OUTPUTS)
    model: Path = field(default=IN_THE_BOX, metadata=MODEL)
    options: TranslateOptions = field(default_factory=TranslateOptions)
    compute: ComputeOptions = field(default_factory=ComputeOptions)
    input_format: str = "text"
    output_format: str = "text"
    on_bad_utf8: str = "error"
    flag: bool = False
    alignments: Path | None = field(default=None, metadata=OUTPUTS)
    report: Path | None = field(default=None, metadata=OUTPUTS)
    stats: Path | None = field(default=None, metadata=OUTPUTS)
    verify: int = field(default=0, metadata=CHANGES_NO_BYTE)  # a job done with fewer is not done: see `Commit`
    force: bool = field(default=False, metadata=CHANGES_NO_BYTE)

    def __post_init__(self) -> None:
        check_choice("--format", self.output_format, tuple(LINE_FORMATS))
        check_choice("--input-format", self.input_format, INPUT_FORMATS)
        check_choice("--on-bad-utf8", self.on_bad_utf8, BAD_UTF8)
        inputs, outputs = len(self.inputs), len(self.outputs)
        if outputs not in (1, inputs):
            raise UsageError(f"{inputs} inputs and {outputs} outputs: expected one output for all, or one for each.")
        if self.options.n_best > 1 and not LINE_FORMATS[self.output_format].lists_all:
            raise UsageError(
                "--format text has room for one translation a line. With --n-best use tsv, moses or jsonl."
            )
        if self.flag and not LINE_FORMATS[self.output_format].write_flagged:
            raise UsageError(
                f"--format {self.output_format} has no room for what checks find. With --flag use tsv or jsonl, or "
                "write a report with --report FILE."
            )

    @property
    def search(self) -> TranslateOptions:
        """How to translate, with all checks where what they find is written."""
        return replace(self.options, flag=True) if self.flag or self.report else self.options

    @property
    def written(self) -> list[Path | None]:
        """List all outputs, in the order in which they appear."""
        return [*self.outputs, *(path for path in (self.alignments, self.report, self.stats) if path)]
