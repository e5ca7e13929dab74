"""How `mtcli translate` reads: files of text, TSV or JSON lines become records, one a line."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mtcli.errors import DataError
from mtcli.files import decode_line, display_name, open_binary

INPUT_FORMATS = ("text", "tsv", "jsonl")
BAD_UTF8 = ("error", "replace")
_BYTE_ORDER_MARK = "\ufeff"
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Record:
    """One line of input.

    Attributes:
        text: what is to be translated.
        columns: of a TSV line, the columns after the first; None for other lines.
        fields: of a line of JSON, its fields but `text`.
        ending: `\\n` or `\\r\\n`; at the end of a file without a final newline `` or `\\r`.
        num_bytes: length of the line in bytes, its ending included.
        file: index of the input file it came from.
    """

    text: str
    columns: tuple[str, ...] | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    ending: str = "\n"
    num_bytes: int = 0
    file: int = 0


class Reader:
    """Reads files one after the other; may be iterated once.

    Attributes:
        lines: lines read so far.
        replaced: lines so far in which U+FFFD took the place of bytes that are not UTF-8.
        ends: for each file read to its end, the number of lines up to there.
    """

    def __init__(self, paths: Sequence[Path], input_format: str = "text", on_bad_utf8: str = "error") -> None:
        """Read `paths` as one of INPUT_FORMATS; `on_bad_utf8` is one of BAD_UTF8."""
        self.paths, self._format, self._replace = paths, input_format, on_bad_utf8 == "replace"
        self.lines, self.replaced = 0, 0
        self.ends: list[int] = []

    def __iter__(self) -> Iterator[Record]:
        """The records of all files, in order.

        Raises:
            DataError: a file is missing, unreadable, damaged, or not of its format; names file and line.
        """
        for index, path in enumerate(self.paths):
            with open_binary(path) as stream:
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
        if self._format == "tsv":
            first, *rest = text.split("\t")
            return Record(first, tuple(rest), ending=ending, num_bytes=len(raw), file=file)
        fields: dict[str, Any] = {}
        if self._format == "jsonl":
            text, fields = self._parse_json(text, f"{display_name(self.paths[file])}:{number}")
        return Record(text, None, fields, ending, len(raw), file)

    def _decode(self, line: bytes, file: int, number: int) -> str:
        try:
            return decode_line(line, self.paths[file], number)
        except DataError as error:
            if not self._replace:
                raise DataError(f"{error} Or go on with --on-bad-utf8 replace.") from None
            self.replaced += 1
            return line.decode("utf-8", "replace").removesuffix("\r")

    def _parse_json(self, line: str, where: str) -> tuple[str, dict[str, Any]]:
        """A JSON object's `text` and its other fields; a blank line has an empty text and no fields."""
        if not (content := line.removeprefix(_BYTE_ORDER_MARK).strip()):
            return "", {}
        try:
            fields = json.loads(content, parse_constant=_refuse_constant, parse_float=_finite)
        except (ValueError, RecursionError) as error:
            raise DataError(f'{where}: not valid JSON ({error}). Expected an object such as {{"text": "…"}}.') from None
        if not isinstance(fields, dict) or not isinstance(fields.get("text"), str):
            found = "an object without a string `text`" if isinstance(fields, dict) else f"{type(fields).__name__}"
            raise DataError(f'{where}: {found}. Expected a JSON object such as {{"text": "…"}}.')
        return self._without_surrogates(fields.pop("text"), where), fields

    def _without_surrogates(self, text: str, where: str) -> str:
        """The text without halves of surrogate pairs, which JSON can escape and UTF-8 cannot hold."""
        if not (found := _SURROGATE.search(text)):
            return text
        if not self._replace:
            raise DataError(
                f"{where}: `text` holds \\u{ord(found[0]):04x}, half of a surrogate pair, which is no character. "
                "Mend the file, or go on with --on-bad-utf8 replace."
            )
        self.replaced += 1
        return _SURROGATE.sub("\ufffd", text)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _finite(literal: str) -> float:
    number = float(literal)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{literal} is out of range")
    return number
