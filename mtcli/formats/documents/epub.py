"""Electronic books (EPUB 2 and 3): their pages, tables of contents, title and description."""

import re
from collections.abc import Iterator, Sequence

from mtcli.formats.documents import html_text
from mtcli.formats.documents.html import labelled
from mtcli.formats.documents.model import Content, Segment, plain
from mtcli.formats.documents.packages import PackageFormat
from mtcli.formats.documents.xml_source import Part, Token, TokenKind, XmlSlot, escape, raw_of, whole_element

_PAGE = re.compile(r".*\.x?html?$", re.IGNORECASE)
_SHOWN = frozenset({"dc:title", "dc:description", "text"})  # of the package's metadata, and of the old contents' labels
_LANGUAGE = re.compile(r"(<dc:language\b[^>]*>)[^<]*(</dc:language>)")


def _parts(member: str, row: list[Token]) -> Iterator[Part]:
    if _PAGE.match(member):
        yield from html_text.parts(member, [_lower(token) for token in row])
        return
    place = count = 0
    while place < len(row):
        end = place + 1
        if row[place].name in _SHOWN and row[place].kind is TokenKind.START:
            end = whole_element(row, place)
            inside = row[place + 1 : end - 1]
            text = "".join(token.text for token in inside)
            if text.strip() and all(token.kind is TokenKind.TEXT for token in inside):
                count += 1
                yield row[place].raw
                yield _slot(f"{member}#{count}", inside, text)
                yield row[end - 1].raw
                place = end
                continue
        yield raw_of(row[place:end])
        place = end


def _slot(name: str, inside: Sequence[Token], text: str) -> XmlSlot:
    segment = Segment(id=name, content=(text,))

    def encode(contents: Sequence[Content | None]) -> str:
        return escape(plain(contents[0] or segment.content))

    return XmlSlot(raw_of(inside), (segment,), encode)


def _lower(token: Token) -> Token:
    return Token(token.kind, token.raw, token.name.lower())


def _relabelled(name: str, text: str, language: str) -> str:
    if _PAGE.match(name):
        return labelled(text, language)
    return _LANGUAGE.sub(rf"\g<1>{language}\g<2>", text, count=1)


FORMAT = PackageFormat(
    name="epub",
    title="electronic book",
    needed="META-INF/container.xml",
    is_read=lambda name: bool(_PAGE.match(name)) or name.endswith((".ncx", ".opf")),
    take=_parts,
    relabelled=_relabelled,
    is_relabelled=lambda name: name.endswith(".opf"),
)
