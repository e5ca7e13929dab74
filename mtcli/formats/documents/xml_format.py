"""Formats that are one XML file: what they share in reading and writing."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mtcli.errors import DataError
from mtcli.files import display_name, file_error
from mtcli.formats.documents.model import Filled, ReadOptions, Segment
from mtcli.formats.documents.packages import refuse_rest, written_parts
from mtcli.formats.documents.xml_source import Part, Token, XmlSlot, XmlText, read_xml, tokens

_HEAD = 10_000  # characters in which a root element begins


@dataclass(frozen=True, kw_only=True)
class XmlFormat:
    """Read and write a format of one XML file by its parts: a `DocumentFormat`.

    Attributes:
        name, title: as in `DocumentFormat`.
        root: the root element's name, without a prefix.
        parts: takes tokens apart into what is copied and what is translated.
        labelled: names the target language in a text that was translated.
    """

    name: str
    title: str
    root: str
    parts: Callable[[Iterable[Token], ReadOptions], Iterator[Part]]
    labelled: Callable[[str, str], str] = lambda text, language: text

    def read(self, source: Path, options: ReadOptions) -> Iterator[Segment]:
        """Yield the segments; see `DocumentFormat.read`."""
        for part in self.parts(tokens(self._xml(source).text), options):
            if isinstance(part, XmlSlot):
                yield from part.segments

    def write(self, source: Path, filled: Iterator[Filled], output: BinaryIO, options: ReadOptions) -> None:
        """Write the file with translations in it; see `DocumentFormat.write`."""
        xml = self._xml(source)
        written = written_parts(self.parts(tokens(xml.text), options), filled, source)
        refuse_rest(filled, source)
        if written is not None and options.target_language:
            written = self.labelled(written, options.target_language)
        output.write(source.read_bytes() if written is None else xml.encoded(written))

    def _xml(self, source: Path) -> XmlText:
        try:
            data = source.read_bytes()
        except OSError as error:
            raise file_error(source, error, "read") from error
        xml = read_xml(data, display_name(source))
        if not re.search(rf"<(?:\w+:)?{self.root}\b", xml.text[:_HEAD]):
            raise DataError(f"{display_name(source)} is no {self.title}: its root is another element than {self.root}.")
        return xml


def local(name: str) -> str:
    """A name without its prefix."""
    return name.rpartition(":")[2]
