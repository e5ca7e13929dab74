"""How files are read: each line becomes a record, as its format says."""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from mtcli.errors import DataError
from mtcli.files import decode_line, display_name, open_binary, structure_of
from mtcli.formats.lines import LINE_FORMATS
from mtcli.formats.records import Record

BAD_UTF8 = ("error", "replace")
_SURROGATE = re.compile("[\ud800-\udfff]")


class Reader:
    """Read files one after the other; may be iterated once.

    Attributes:
        lines: lines read so far.
        replaced: lines so far in which U+FFFD took the place of bytes that are not UTF-8.
        ends: for each file read to its end, the number of lines up to there.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        input_format: str = "text",
        on_bad_utf8: str = "error",
        warn: Callable[[str], None] | None = None,
    ) -> None:
        """Read files as lines.

        Args:
            paths: the files, `-` for stdin.
            input_format: one of `INPUT_FORMATS`.
            on_bad_utf8: one of `BAD_UTF8`.
            warn: is told, once a file, of text that holds more than lines; may be called in another thread.
        """
        parse = LINE_FORMATS[input_format].parse
        assert parse is not None, input_format
        self.paths, self._parse, self._replace = paths, parse, on_bad_utf8 == "replace"
        self._warn = warn if input_format == "text" else None
        self.lines, self.replaced = 0, 0
        self.ends: list[int] = []

    def __iter__(self) -> Iterator[Record]:
        """Yield the records of all files, in order.

        Raises:
            DataError: a file is missing, unreadable, damaged, or not of its format; names file and line.
        """
        for index, path in enumerate(self.paths):
            with open_binary(path) as stream:
                if self._warn and (structure := structure_of(stream.peek())):
                    self._warn(_translated_as_lines(path, structure))
                for number, raw in enumerate(stream, start=1):
                    record = self._record(raw, index, number)
                    self.lines += 1
                    yield record
            self.ends.append(self.lines)

    def _record(self, raw: bytes, file: int, number: int) -> Record:
        line = raw.removesuffix(b"\n")
        newline = "\n" if len(line) < len(raw) else ""
        ending = ("\r" if line.endswith(b"\r") else "") + newline
        text = self._decode(line, file, number)
        try:
            text, columns, fields = self._parse(text)
        except ValueError as error:
            raise DataError(f"{self._where(file, number)}: {error}") from None
        if _SURROGATE.search(text):
            text = self._without_surrogates(text, file, number)
        return Record(text, columns, fields, ending, len(raw), file)

    def _where(self, file: int, number: int) -> str:
        return f"{display_name(self.paths[file])}:{number}"

    def _decode(self, line: bytes, file: int, number: int) -> str:
        try:
            return decode_line(line, self.paths[file], number)
        except DataError as error:
            if not self._replace:
                raise DataError(f"{error} Or go on with --on-bad-utf8 replace.") from None
            self.replaced += 1
            return line.decode("utf-8", "replace").removesuffix("\r")

    def _without_surrogates(self, text: str, file: int, number: int) -> str:
        """The text without halves of surrogate pairs, which JSON can escape and UTF-8 cannot hold."""
        if not self._replace:
            raise DataError(
                f"{self._where(file, number)}: `text` holds \\u{ord(_SURROGATE.findall(text)[0]):04x}, half of a "
                "surrogate pair, which is no character. Mend the file, or go on with --on-bad-utf8 replace."
            )
        self.replaced += 1
        return _SURROGATE.sub("\ufffd", text)


def _translated_as_lines(path: Path, structure: str) -> str:
    return (
        f"Warning: {display_name(path)} looks like {structure}. It is translated as plain lines, and so is what stands "
        "around its sentences. Extract them first, a line each."
    )
