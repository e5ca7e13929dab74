"""One translation of documents, as it was asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mtcli.decoding.options import CHANGES_NO_BYTE, ComputeOptions, TranslateOptions
from mtcli.documents.translate import DocumentOptions
from mtcli.errors import UsageError
from mtcli.files import STDIN
from mtcli.formats.documents.model import DocumentFormat, ReadOptions
from mtcli.formats.documents.registry import by_name, name_for
from mtcli.jobs.identity import INPUTS, MODEL, OUTPUTS
from mtcli.model_directory.box import IN_THE_BOX


@dataclass(frozen=True, kw_only=True)
class DocumentJob:
    """Say which documents are to be translated, how, and where they are to be written.

    Attributes:
        inputs: files, `-` for stdin.
        outputs: one for each; None and `-` are stdout.
        model: a model directory.
        options, compute: how to translate, and on what.
        form: name of the inputs' format; empty: by their suffixes.
        documents: what is kept.
        reading: how the files are read; languages that it does not name are those of the model's card.
        report: where it is told what became of each segment, if anywhere.
        force: overwrite outputs that exist.

    Raises:
        UsageError: an option has a value that it cannot have, or two contradict each other.
    """

    inputs: Sequence[Path] = field(metadata=INPUTS)
    outputs: Sequence[Path | None] = field(metadata=OUTPUTS)
    model: Path = field(default=IN_THE_BOX, metadata=MODEL)
    options: TranslateOptions = field(default_factory=TranslateOptions)
    compute: ComputeOptions = field(default_factory=ComputeOptions)
    form: str = ""
    documents: DocumentOptions = field(default_factory=DocumentOptions)
    reading: ReadOptions = field(default_factory=ReadOptions)
    report: Path | None = field(default=None, metadata=OUTPUTS)
    force: bool = field(default=False, metadata=CHANGES_NO_BYTE)

    def __post_init__(self) -> None:
        if len(self.outputs) != len(self.inputs):
            raise UsageError(
                f"{len(self.inputs)} documents and {len(self.outputs)} outputs: a document needs an output of its own. "
                "Use --output-dir DIR."
            )
        for path, output in zip(self.inputs, self.outputs, strict=True):
            name = self.name_of(path)
            by_name(name)
            other = name_for(output) if output not in (None, STDIN) and output else name
            if other is not None and other != name:
                raise UsageError(
                    f"{path} and {output} are of two kinds ({by_name(name).title}, {by_name(other).title}): a document "
                    f"keeps its kind. Give the output the suffix {path.suffix or '.' + name}."
                )

    def name_of(self, path: Path) -> str:
        """Name the format of one of the inputs.

        Raises:
            UsageError: its suffix is of none.
        """
        if name := self.form or name_for(path):
            return name
        raise UsageError(f"{path}: no document by its suffix. Say what it is with --input-format.")

    def format_of(self, path: Path) -> DocumentFormat:
        """The format of one of the inputs."""
        return by_name(self.name_of(path))

    @property
    def written(self) -> list[Path | None]:
        """List all outputs, in the order in which they appear."""
        return [*self.outputs, *([self.report] if self.report else [])]
