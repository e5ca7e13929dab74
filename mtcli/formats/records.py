"""What a file holds to translate: a segment of text, with what goes with it untranslated."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Record:
    """Hold one line of input.

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
