"""Web pages: HTML and XHTML, by blocks of text, with the attributes that people see."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mtcli.formats.documents import html_text
from mtcli.formats.documents.html_tokens import attributes, tokens, with_attribute
from mtcli.formats.documents.language_tags import is_right_to_left
from mtcli.formats.documents.model import Filled, ReadOptions, Segment
from mtcli.formats.documents.packages import refuse_rest, written_parts
from mtcli.formats.documents.source_text import read_text
from mtcli.formats.documents.xml_source import TokenKind, XmlSlot

_DECLARED = re.compile(
    rb"""<meta[^>]+charset\s*=\s*["']?\s*([A-Za-z0-9._:-]+)|<\?xml[^>]*encoding\s*=\s*["']([\w.-]+)"""
)
_BROWSERS = {"iso-8859-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252"}  # as they read them
_HEAD = 1024


def _declared(head: bytes) -> str | None:
    found = _DECLARED.search(head[:_HEAD])
    name = next((group.decode() for group in found.groups() if group), None) if found else None
    return _BROWSERS.get(name.lower(), name) if name else None


def labelled(text: str, language: str) -> str:
    """A page whose root says which language it is in, and its direction where that is from right to left."""
    place = 0
    for token in tokens(text):
        if token.name == "html" and token.kind is TokenKind.START:
            return text[:place] + _labelled_root(token.raw, language) + text[place + len(token.raw) :]
        place += len(token.raw)
    return text


def _labelled_root(raw: str, language: str) -> str:
    tag = with_attribute(raw, "lang", language)
    if "xml:lang" in attributes(tag):
        tag = with_attribute(tag, "xml:lang", language)
    if is_right_to_left(language):
        return with_attribute(tag, "dir", "rtl")
    return with_attribute(tag, "dir", "ltr") if attributes(tag).get("dir", "").lower() == "rtl" else tag


@dataclass(frozen=True)
class HtmlFormat:
    """Read and write web pages: a `DocumentFormat`."""

    name: str = "html"
    title: str = "web page"

    def read(self, source: Path, options: ReadOptions) -> Iterator[Segment]:
        """Yield the segments; see `DocumentFormat.read`."""
        text = read_text(source, options, _declared)
        for part in html_text.parts("", list(tokens(text.text))):
            if isinstance(part, XmlSlot):
                yield from part.segments

    def write(self, source: Path, filled: Iterator[Filled], output: BinaryIO, options: ReadOptions) -> None:
        """Write the page with translations in it; see `DocumentFormat.write`."""
        text = read_text(source, options, _declared)
        written = written_parts(html_text.parts("", list(tokens(text.text))), filled, source)
        refuse_rest(filled, source)
        if written is None:
            output.write(source.read_bytes())
            return
        if options.target_language:
            written = labelled(written, options.target_language)
        output.write(text.mark + written.encode(text.encoding, "xmlcharrefreplace"))


FORMAT = HtmlFormat()
