"""OpenDocument files (ISO/IEC 26300): texts, presentations and spreadsheets, with notes, frames and annotations."""

import re
from collections.abc import Iterator, Sequence

from mtcli.formats.documents.inline_codes import Mark, numbered
from mtcli.formats.documents.model import Code, CodeKind, Content, Segment, plain
from mtcli.formats.documents.packages import PackageFormat, contents_or_own
from mtcli.formats.documents.xml_source import (
    Part,
    Token,
    TokenKind,
    XmlSlot,
    attributes,
    escape,
    raw_of,
    whole_element,
)

_PARAGRAPHS = frozenset({"text:p", "text:h"})
_PAIRS = frozenset({"text:span", "text:a", "text:meta", "text:ruby-base"})
_BREAKS = frozenset({"text:line-break", "text:tab"})
_LEFT_OUT = frozenset({"text:tracked-changes", "office:scripts", "office:font-face-decls"})
_SPACES, _SEVERAL = re.compile(r"[ \t\r\n]+"), re.compile(r" {2,}")
_LANGUAGE = re.compile(r'(<style:text-properties\b[^>]*?\sfo:language=")([^"]*)(")')
_COUNTRY = re.compile(r'(<style:text-properties\b[^>]*?\sfo:country=")([^"]*)(")')


def _parts(member: str, row: Sequence[Token]) -> Iterator[Part]:
    yield from _taken(member, row, iter(range(1 << 62)))


def _taken(member: str, row: Sequence[Token], counter: Iterator[int]) -> Iterator[Part]:
    place = 0
    while place < len(row):
        token = row[place]
        end = place + 1
        if token.kind is TokenKind.START and token.name in _LEFT_OUT | _PARAGRAPHS:
            end = whole_element(row, place)
        if token.name in _PARAGRAPHS and end > place + 1:
            yield _paragraph(member, row[place:end], counter)
        else:
            yield raw_of(row[place:end])
        place = end


def _paragraph(member: str, row: Sequence[Token], counter: Iterator[int]) -> Part:
    name = f"{member}#{next(counter)}"
    inner: dict[str, list[Part]] = {}
    content = numbered(list(_marks(member, row[1:-1], counter, inner)))
    nested = [part for parts in inner.values() for part in parts if isinstance(part, XmlSlot)]
    if not plain(content).strip() and not nested:
        return raw_of(row)
    segments = (Segment(id=name, content=content), *(one for slot in nested for one in slot.segments))

    def encode(contents: Sequence[Content | None]) -> str:
        [own] = contents_or_own(segments[:1], contents[:1])
        rendered = _rendered(inner, contents[1:])
        return row[0].raw + "".join(_encoded(own, rendered)) + row[-1].raw

    return XmlSlot(raw_of(row), segments, encode)


def _marks(
    member: str, row: Sequence[Token], counter: Iterator[int], inner: dict[str, list[Part]]
) -> Iterator[str | Mark]:
    place = 0
    while place < len(row):
        token, end = row[place], place + 1
        if token.kind is TokenKind.TEXT:
            yield _SPACES.sub(" ", token.text)
        elif token.name == "text:s":
            end = whole_element(row, place)
            yield " " * int(attributes(token.raw).get("text:c", "1") or 1)
        elif token.name in _PAIRS and token.kind is not TokenKind.EMPTY:
            kind = CodeKind.OPEN if token.kind is TokenKind.START else CodeKind.CLOSE
            yield Mark(token.raw, kind, token.name)
        else:
            end = whole_element(row, place)
            raw = raw_of(row[place:end])
            parts = list(_taken(member, row[place:end], counter))
            if any(isinstance(part, XmlSlot) for part in parts):
                inner[raw] = parts
            yield Mark(raw, equivalent="\n" if token.name in _BREAKS else "")
        place = end


def _rendered(inner: dict[str, list[Part]], contents: Sequence[Content | None]) -> dict[str, str]:
    """What is written for a point that has text of its own inside, by how the file has it."""
    left = iter(contents)
    found: dict[str, str] = {}
    for raw, parts in inner.items():
        pieces: list[str] = []
        for part in parts:
            if isinstance(part, str):
                pieces.append(part)
                continue
            own = [next(left) for _ in part.segments]
            pieces.append(part.encode(own) if any(content is not None for content in own) else part.raw)
        found[raw] = "".join(pieces)
    return found


def _encoded(content: Content, rendered: dict[str, str]) -> Iterator[str]:
    for place, piece in enumerate(content):
        if isinstance(piece, Code):
            yield rendered.get(piece.source, piece.source)
            continue
        text = _SEVERAL.sub(lambda match: f' <text:s text:c="{len(match[0]) - 1}"/>', escape(piece))
        if place == 0 and text.startswith(" "):  # which would be dropped there
            text = f"<text:s/>{text[1:]}"
        yield text


def _relabelled(name: str, text: str, language: str) -> str:
    code, _, country = language.partition("-")
    text = _LANGUAGE.sub(rf"\g<1>{code}\g<3>", text)
    return _COUNTRY.sub(rf"\g<1>{country or 'none'}\g<3>", text)


FORMAT = PackageFormat(
    name="odf",
    title="OpenDocument file",
    needed="content.xml",
    is_read=lambda name: name in ("content.xml", "styles.xml"),
    take=_parts,
    relabelled=_relabelled,
    is_relabelled=lambda name: name == "styles.xml",
)
