"""A document as translating sees it: segments, and the inline codes in them.

    <p>Press <b>Save</b>.<br/></p>        is one segment, whose content is
    ("Press ", Code(0, OPEN), "Save", Code(0, CLOSE), ".", Code(1, POINT))

A segment's plain text, `Press Save.`, is what the model reads. Its codes come back where the translations of the words
around them are, and the multiset of codes is the same before and after.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import BinaryIO, Protocol


class CodeKind(StrEnum):
    """Say what an inline code is: the beginning or the end of a pair, or a point."""

    OPEN = "open"
    CLOSE = "close"
    POINT = "point"


@dataclass(frozen=True, slots=True)
class Code:
    """Hold one inline code: a piece of the file's own language inside a segment.

    Attributes:
        number: within its segment; both codes of a pair have the same.
        kind: beginning or end of a pair, or a point.
        source: the code as the file has it, such as `<b class="x">`; what it means is its format's business.
        equivalent: what stands for it in plain text: a line break's is `\\n`, most have none.
        is_opaque: of a pair: what is between its codes is kept as it is, such as `<code>`.
    """

    number: int
    kind: CodeKind
    source: str = ""
    equivalent: str = ""
    is_opaque: bool = False


Content = tuple[str | Code, ...]
"""A segment's text and codes, in order; no two strings stand side by side, and none is empty."""


def plain(content: Content) -> str:
    """The text of a content, each code replaced by its equivalent."""
    return "".join(piece if isinstance(piece, str) else piece.equivalent for piece in content)


def codes_of(content: Content) -> list[Code]:
    """The codes of a content, in order."""
    return [piece for piece in content if isinstance(piece, Code)]


def joined(pieces: Iterable[str | Code]) -> Content:
    """Make a content of pieces: neighbouring strings become one, empty ones go."""
    found: list[str | Code] = []
    for is_text, group in groupby(pieces, lambda piece: isinstance(piece, str)):
        if not is_text:
            found.extend(group)
        elif text := "".join(piece for piece in group if isinstance(piece, str)):
            found.append(text)
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Hold what is translated as one: a paragraph, a message, a cell, a cue.

    Attributes:
        id: says where it is, once a document: a key, or a count within a part.
        content: its text and inline codes, as a reader sees them: entities and escapes are decoded.
        translate: False where the file says that it is not to be translated; such a segment is shown, never changed.
        context: what tells it from others of the same text: a key, `msgctxt`, a developer's comment.
        accelerator: the character that marks a keyboard shortcut's letter, `&` or `_`; empty where there is none.
        syntax: names of placeholder languages that the file declares, such as `c-format`, `icu`, `python-brace-format`.
        most_characters: the longest translation that the file allows; None where it does not say.
        target: a translation that the file has already, such as a fuzzy entry's; None where there is none.
        joins: whether its text goes on in the next segment, as a sentence that spans two subtitles does. Those are
            translated together, and split again.
    """

    id: str
    content: Content
    translate: bool = True
    context: str = ""
    accelerator: str = ""
    syntax: frozenset[str] = frozenset()
    most_characters: int | None = None
    target: Content | None = None
    joins: bool = False

    @property
    def text(self) -> str:
        """What is translated: the segment without its codes."""
        return plain(self.content)


class Outcome(StrEnum):
    """Say what became of a segment."""

    TRANSLATED = "translated"
    REPAIRED = "repaired"
    COPIED = "copied"  # nothing to translate in it
    KEPT = "kept"  # the file says not to translate it, or has a translation
    LEFT = "left"  # no translation could be made that keeps what must be kept: the source stands


@dataclass(frozen=True, slots=True)
class Filled:
    """Hold a segment's translation.

    Attributes:
        id: the segment's.
        content: what is written in its place; None where it stays as it is.
        outcome: how that came about.
        notes: what a report tells of it.
    """

    id: str
    content: Content | None
    outcome: Outcome = Outcome.TRANSLATED
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """Say how a document is to be read.

    Attributes:
        source_language, target_language: codes such as `en` and `pt-BR`; empty where they are not known. Formats with
            several languages in a file find theirs by them, others write the target's into the output.
        encoding: of a text file, where it is not UTF-8 and does not say so itself; empty: found out.
        fuzzy: whether entries that have an unreviewed translation are translated again.
        wrap: columns that plain text is wrapped to again; 0: as the paragraph was.
        settings: of one format, by name.
    """

    source_language: str = ""
    target_language: str = ""
    encoding: str = ""
    fuzzy: bool = False
    wrap: int = 0
    settings: Mapping[str, str] = field(default_factory=dict)


class DocumentFormat(Protocol):
    """Read and write one kind of file.

    Attributes:
        name: as `--input-format` has it.
        title: as a person calls it, such as `Word document`.
    """

    name: str
    title: str

    def read(self, source: Path, options: ReadOptions) -> Iterator[Segment]:
        """Yield the document's segments in order, in memory bounded by its largest part.

        Raises:
            DataError: the file is not of this format, damaged, or hostile; names the file, and the line where it can.
        """
        ...

    def write(self, source: Path, filled: Iterator[Filled], output: BinaryIO, options: ReadOptions) -> None:
        """Write the document with translations in it: one `Filled` for each segment of `read`, in the same order.

        Where no content is given, or one that equals the segment's, the file's own bytes are written.

        Raises:
            DataError: as `read`; or the translations are not this document's.
        """
        ...


def pairs_of(content: Content) -> Sequence[tuple[int, int]]:
    """Places of the two codes of each pair: (opening, closing).

    Raises:
        ValueError: a code lacks its partner, stands before it, or two pairs overlap.
    """
    waiting: list[tuple[int, int]] = []
    found: list[tuple[int, int]] = []
    for place, piece in enumerate(content):
        if not isinstance(piece, Code) or piece.kind is CodeKind.POINT:
            continue
        if piece.kind is CodeKind.OPEN:
            waiting.append((piece.number, place))
        elif waiting and waiting[-1][0] == piece.number:
            found.append((waiting.pop()[1], place))
        else:
            raise ValueError(f"code {piece.number} is closed where it is not the last one open")
    if waiting:
        raise ValueError(f"code {waiting[-1][0]} is never closed")
    return sorted(found)
