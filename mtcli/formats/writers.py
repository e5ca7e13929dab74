"""How translations are written: one output for all input, or one for each input file."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType

from mtcli.files import Output, open_output
from mtcli.formats.lines import LINE_FORMATS
from mtcli.formats.reader import Reader
from mtcli.formats.records import Record
from mtcli.translation import Translation

OpenOutput = Callable[[Path | None], AbstractContextManager[Output]]
"""Open an output, which appears under its name when the block ends well."""


class Writer:
    """Write records' translations in order; a context manager whose end makes the outputs appear.

    With an output for each input, an output appears as soon as it is whole, and stays when a later input fails.

    Attributes:
        lines: lines written.
        unended: whether the last of them had no newline.
    """

    def __init__(
        self,
        outputs: Sequence[Path | None],
        reader: Reader,
        output_format: str,
        open_file: OpenOutput = open_output,
        *,
        flags: bool = False,
    ) -> None:
        """Write to `outputs`, one for each of the reader's files or one for all, with what checks found or without."""
        form = LINE_FORMATS[output_format]
        self._outputs, self._reader = outputs, reader
        self._format = form.write_flagged if flags and form.write_flagged else form.write
        self._open_file, self._stack, self._place = open_file, ExitStack(), 0
        self.lines, self.unended = 0, False

    def __enter__(self) -> "Writer":
        self._open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self._turn_to(len(self._outputs) - 1)
            self._stack.close()
        elif isinstance(error, Exception) and self._is_whole():
            self._stack.close()
        else:
            self._stack.__exit__(kind, error, traceback)

    def write(self, record: Record, translation: Translation) -> None:
        """Write one record's translation.

        Raises:
            DataError: the output cannot be written.
        """
        if self.belongs_to_next(record):
            self._turn_to(record.file)
        line = self._format(self.lines, record, translation)
        if self.unended:
            self._output.write(b"\n")
        self.unended = not line.endswith("\n")
        self._output.write(line.encode())
        self.lines += 1

    def belongs_to_next(self, record: Record) -> bool:
        """Tell whether this record goes to a later output than the one at hand, which is whole then."""
        return len(self._outputs) > 1 and self._place < record.file

    def resume(self, place: int, lines: int, unended: bool) -> None:
        """Go on where an earlier run stopped.

        Args:
            place: index of the output at hand; of the last where all are whole.
            lines: lines written to all outputs together.
            unended: whether the last of them had no newline.
        """
        self._turn_to(min(place, len(self._outputs) - 1))
        self.lines, self.unended = lines, unended

    @property
    def is_awaited(self) -> bool:
        """Tell whether somebody may read while we write."""
        return self._output.awaited

    def flush(self) -> None:
        """Hand on what was written."""
        self._output.flush()

    def _open(self) -> None:
        self._output: Output = self._stack.enter_context(self._open_file(self._outputs[self._place]))
        self.unended = False

    def _turn_to(self, place: int) -> None:
        """Make the outputs before this one appear."""
        while self._place < place:
            self._stack.close()
            self._place += 1
            self._open()

    def _is_whole(self) -> bool:
        """Whether the output at hand has all lines of its input."""
        ends = self._reader.ends
        return len(self._outputs) > 1 and self._place < len(ends) and ends[self._place] == self.lines
