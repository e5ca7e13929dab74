"""Documents of several XML members in an archive: what formats of offices share."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mtcli.errors import DataError
from mtcli.files import display_name
from mtcli.formats.documents.archives import Archive, opened
from mtcli.formats.documents.model import Content, Filled, ReadOptions, Segment
from mtcli.formats.documents.xml_source import Part, Token, XmlSlot, read_xml, tokens

Take = Callable[[str, list[Token]], Iterator[Part]]
"""Takes a member apart: from its name and tokens to what is copied and what is translated."""


@dataclass(frozen=True, kw_only=True)
class PackageFormat:
    """Read and write a format whose members are XML: a `DocumentFormat`.

    Attributes:
        name, title: as in `DocumentFormat`.
        needed: a member that every such document has.
        is_read: whether a member has something to translate, by its name.
        take: takes it apart.
        relabelled: names the target language in a member of a document that was translated; from the member's name
            and text, and the language's code.
        is_relabelled: whether a member that is not translated names the language too, by its name.
    """

    name: str
    title: str
    needed: str
    is_read: Callable[[str], bool]
    take: Take
    relabelled: Callable[[str, str, str], str] = lambda name, text, language: text
    is_relabelled: Callable[[str], bool] = lambda name: False

    def read(self, source: Path, options: ReadOptions) -> Iterator[Segment]:
        """Yield the segments; see `DocumentFormat.read`."""
        with opened(source) as archive:
            for name in self._members(archive):
                for part in self._parts(archive, name):
                    if isinstance(part, XmlSlot):
                        yield from part.segments

    def write(self, source: Path, filled: Iterator[Filled], output: BinaryIO, options: ReadOptions) -> None:
        """Write the document with translations in it; see `DocumentFormat.write`."""
        with opened(source) as archive:
            changed: dict[str, str] = {}
            for name in self._members(archive):
                text = written_parts(self._parts(archive, name), filled, source)
                if text is not None:
                    changed[name] = text
            refuse_rest(filled, source)
            members = {
                name: read_xml(archive.read(name), _inside(source, name)) for name in archive.names if name in changed
            }
            if changed and options.target_language:
                for name in archive.names:
                    if self.is_relabelled(name) or name in changed:
                        members[name] = read_xml(archive.read(name), _inside(source, name))
                        before = changed.get(name, members[name].text)
                        changed[name] = self.relabelled(name, before, options.target_language)
            archive.write(output, {name: members[name].encoded(text) for name, text in changed.items()})

    def _members(self, archive: Archive) -> list[str]:
        if self.needed not in archive.names:
            raise DataError(f"{display_name(archive.path)} is no {self.title}: it lacks {self.needed}.")
        return [name for name in archive.names if self.is_read(name)]

    def _parts(self, archive: Archive, name: str) -> Iterator[Part]:
        xml = read_xml(archive.read(name), _inside(archive.path, name))
        yield from self.take(name, list(tokens(xml.text)))


def _inside(path: Path, name: str) -> str:
    return f"{display_name(path)} ({name})"


def written_parts(parts: Iterator[Part], filled: Iterator[Filled], source: Path) -> str | None:
    """Parts with translations in them; None where none changes anything.

    Raises:
        DataError: the translations are not those of the parts.
    """
    pieces: list[str] = []
    any_changed = False
    for part in parts:
        if isinstance(part, str):
            pieces.append(part)
            continue
        contents = [_change(segment, next(filled, None), source) for segment in part.segments]
        is_changed = any(content is not None for content in contents)
        pieces.append(part.encode(contents) if is_changed else part.raw)
        any_changed |= is_changed
    return "".join(pieces) if any_changed else None


def _change(segment: Segment, filled: Filled | None, source: Path) -> Content | None:
    """A segment's new content; None where it stays."""
    if filled is None or filled.id != segment.id:
        raise _foreign(segment.id, source)
    is_new = segment.translate and filled.content is not None and filled.content != segment.content
    return filled.content if is_new else None


def refuse_rest(filled: Iterator[Filled], source: Path) -> None:
    """Raise DataError where translations are left that no segment took."""
    if (extra := next(filled, None)) is not None:
        raise _foreign(extra.id, source)


def _foreign(name: str, source: Path) -> DataError:
    return DataError(
        f"The translations are not those of {display_name(source)}: they differ at segment {name}. Translate it again."
    )


def contents_or_own(segments: Sequence[Segment], contents: Sequence[Content | None]) -> list[Content]:
    """New contents, and the segments' own where there are none."""
    return [
        segment.content if content is None else content for segment, content in zip(segments, contents, strict=True)
    ]
