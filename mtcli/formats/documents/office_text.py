"""Paragraphs of Microsoft's formats: runs of text, each with its properties.

Word splits runs anywhere. Runs whose properties are equal, but for what says nothing of their looks, are one text. What
most of a paragraph looks like needs no code; runs that look otherwise are pairs; all else in a paragraph (breaks,
pictures, fields, notes, marks) are points, and what surrounds runs, as a link does, is a pair.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mtcli.formats.documents.model import Code, CodeKind, Content, Segment, joined, plain
from mtcli.formats.documents.packages import contents_or_own
from mtcli.formats.documents.xml_source import (
    Part,
    Token,
    TokenKind,
    XmlSlot,
    escape,
    raw_of,
    whole_element,
)

_SAYS_NOTHING = re.compile(
    r"""\s(?:w:rsid\w*|lang|altLang|dirty|err|smtClean|noProof)="[^"]*"|<w:(?:lang|noProof)\b[^>]*/>"""
)
_FIELD = re.compile(r'<w:fldChar\b[^>]*w:fldCharType="(begin|separate|end)"')
_EMPTY_PROPERTIES = re.compile(r"<(\S+)\s*(?:/>|></\1>)")


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """Name the elements of a format's paragraphs.

    Attributes:
        paragraph, run, text: a paragraph, a run in it, and text in that.
        properties: of a run.
        paragraph_properties: at a paragraph's beginning or end; never changed.
        breaks: elements, in runs or beside them, that part lines or fields.
        hyphens: from elements to the characters that they are.
        around: elements around runs, which are pairs.
        left_out: elements whose content is never translated.
    """

    paragraph: str
    run: str
    text: str
    properties: str
    paragraph_properties: frozenset[str] = frozenset()
    breaks: frozenset[str] = frozenset()
    hyphens: tuple[tuple[str, str], ...] = ()
    around: frozenset[str] = frozenset()
    left_out: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Piece:
    """A piece of a paragraph.

    Attributes:
        text: of a run.
        properties: its, as the file has them.
        raw: of what is no text.
        kind: of the code that this is.
        inner: what is translated in it, such as the paragraphs of a text box.
        is_break: whether it parts lines.
    """

    text: str = ""
    properties: str = ""
    raw: str = ""
    kind: CodeKind | None = None
    name: str = ""
    inner: Sequence[Part] = ()
    is_break: bool = False


def paragraphs(member: str, row: list[Token], dialect: Dialect) -> Iterator[Part]:
    """Take a member apart into paragraphs and what is between them."""
    counter = iter(range(1 << 62))
    yield from _taken(member, row, dialect, counter)


def _taken(member: str, row: Sequence[Token], dialect: Dialect, counter: Iterator[int]) -> Iterator[Part]:
    place = 0
    while place < len(row):
        token = row[place]
        if token.name in dialect.left_out and token.kind is TokenKind.START:
            end = whole_element(row, place)
            yield raw_of(row[place:end])
            place = end
        elif token.name == dialect.paragraph and token.kind is TokenKind.START:
            end = whole_element(row, place)
            yield _paragraph(member, row[place:end], dialect, counter)
            place = end
        else:
            yield token.raw
            place += 1


def _paragraph(member: str, row: Sequence[Token], dialect: Dialect, counter: Iterator[int]) -> Part:
    name = f"{member}#{next(counter)}"
    pieces = list(_with_fields(list(_pieces(member, row[1:-1], dialect, counter))))
    is_bare = all(token.name != dialect.run for token in row)
    lead = _leading(pieces)
    head, pieces = "".join(piece.raw for piece in pieces[:lead]), pieces[lead:]
    content, inner = _content(pieces)
    nested = [part for piece in pieces for part in piece.inner if isinstance(part, XmlSlot)]
    segments = (Segment(id=name, content=content), *(one for slot in nested for one in slot.segments))
    if not plain(content).strip() and not nested:
        return raw_of(row)
    base = _base(pieces)

    def encode(contents: Sequence[Content | None]) -> str:
        rendered = _rendered(inner, contents[1:])
        own = contents_or_own(segments[:1], contents[:1])[0]
        return row[0].raw + head + "".join(_encoded(own, base, dialect, rendered, is_bare)) + row[-1].raw

    return XmlSlot(raw_of(row), segments, encode)


def _leading(pieces: Sequence[_Piece]) -> int:
    """How many pieces at the beginning are the paragraph's properties."""
    return next((place for place, piece in enumerate(pieces) if piece.name != "properties"), len(pieces))


def _pieces(member: str, row: Sequence[Token], dialect: Dialect, counter: Iterator[int]) -> Iterator[_Piece]:
    place = 0
    while place < len(row):
        token = row[place]
        end = whole_element(row, place)
        raw = raw_of(row[place:end])
        if token.name in dialect.paragraph_properties:
            yield _Piece(raw=raw, kind=CodeKind.POINT, name="properties")
        elif token.name == dialect.run and token.kind is TokenKind.START:
            yield from _run(member, row[place:end], dialect, counter)
        elif token.name == dialect.text:
            yield _Piece(text="".join(one.text for one in row[place:end] if one.kind is TokenKind.TEXT))
        elif token.name in dialect.around and token.kind in (TokenKind.START, TokenKind.END):
            kind = CodeKind.OPEN if token.kind is TokenKind.START else CodeKind.CLOSE
            yield _Piece(raw=token.raw, kind=kind, name=token.name)
            end = place + 1
        elif token.kind is TokenKind.TEXT and not token.raw.strip():
            pass  # between elements, for people who read the XML
        else:
            yield _Piece(raw=raw, kind=CodeKind.POINT, is_break=token.name in dialect.breaks)
        place = end


def _run(member: str, row: Sequence[Token], dialect: Dialect, counter: Iterator[int]) -> Iterator[_Piece]:
    hyphens = dict(dialect.hyphens)
    properties, place = "", 1
    while place < len(row) - 1:
        token, end = row[place], whole_element(row, place)
        inside = row[place:end]
        if token.name == dialect.properties:
            properties = raw_of(inside)
        elif token.name == dialect.text:
            text = "".join(one.text for one in inside if one.kind is TokenKind.TEXT)
            yield _Piece(text=text, properties=properties)
        elif token.name in hyphens:
            yield _Piece(text=hyphens[token.name], properties=properties)
        elif token.kind is not TokenKind.TEXT:
            before, after = row[0].raw + properties, row[-1].raw
            inner = list(_taken(member, inside, dialect, counter))
            raw = before + raw_of(inside) + after
            if any(isinstance(part, XmlSlot) for part in inner):
                yield _Piece(raw=raw, kind=CodeKind.POINT, inner=[before, *inner, after])
            else:
                yield _Piece(raw=raw, kind=CodeKind.POINT, is_break=token.name in dialect.breaks)
        place = end


def _with_fields(pieces: Sequence[_Piece]) -> Iterator[_Piece]:
    """Pieces with each field as one point, but links, whose text is translated, as pairs around it.

    A field that ends in another paragraph, as a table of contents does, stays in points.
    """
    place = 0
    while place < len(pieces):
        end = _field_end(pieces, place)
        if end is None:
            yield pieces[place]
            place += 1
            continue
        parts = [_FIELD.search(piece.raw) for piece in pieces[place:end]]
        separate = next((at for at, found in enumerate(parts) if found and found[1] == "separate"), None)
        is_link = any("HYPERLINK" in piece.raw for piece in pieces[place : place + (separate or 0)])
        if separate is not None and is_link and sum(found is not None for found in parts) == 3:
            name = f"field {place}"
            raw = "".join(piece.raw for piece in pieces[place : place + separate + 1])
            yield _Piece(raw=raw, kind=CodeKind.OPEN, name=name)
            yield from pieces[place + separate + 1 : end - 1]
            yield _Piece(raw=pieces[end - 1].raw, kind=CodeKind.CLOSE, name=name)
        else:
            yield _Piece(raw="".join(map(_raw_piece, pieces[place:end])), kind=CodeKind.POINT)
        place = end


def _field_end(pieces: Sequence[_Piece], place: int) -> int | None:
    """The place behind the field that begins at a place; None where none begins, or it does not end."""
    depth = 0
    for at in range(place, len(pieces)):
        found = _FIELD.search(pieces[at].raw)
        depth += {"begin": 1, "end": -1}.get(found[1], 0) if found else 0
        if not depth:
            return at + 1 if at > place else None
        if pieces[at].kind in (CodeKind.OPEN, CodeKind.CLOSE):
            return None
    return None


def _raw_piece(piece: _Piece) -> str:
    if piece.kind is not None:
        return piece.raw
    return f'<w:r>{piece.properties}<w:t xml:space="preserve">{escape(piece.text)}</w:t></w:r>'


def _look(properties: str) -> str:
    """What properties say of a run's looks."""
    bare = _SAYS_NOTHING.sub("", properties)
    return "" if _EMPTY_PROPERTIES.fullmatch(bare) else bare


def _base(pieces: Sequence[_Piece]) -> str:
    """The properties that most of a paragraph's text has."""
    sizes: Counter[str] = Counter()
    written: dict[str, str] = {}
    for piece in pieces:
        if piece.text.strip():
            sizes[_look(piece.properties)] += len(piece.text)
            written.setdefault(_look(piece.properties), piece.properties)
    return written[sizes.most_common(1)[0][0]] if sizes else ""


def _content(pieces: Sequence[_Piece]) -> tuple[Content, dict[int, Sequence[Part]]]:
    """A paragraph's content, and what is translated inside its points, by their numbers."""
    base = _look(_base(pieces))
    found: list[str | Code] = []
    inner: dict[int, Sequence[Part]] = {}
    waiting: list[tuple[str, int]] = []
    number, current = 0, None
    opened: str | None = None  # the properties of the pair that is open
    for piece in pieces:
        look = _look(piece.properties) if piece.kind is None else base
        if piece.kind is None and not piece.text.strip() and opened is not None:
            look = opened  # spaces look like what is before them
        if opened is not None and look != opened:
            found.append(Code(current or 0, CodeKind.CLOSE))
            opened = None
        if piece.kind is None:
            if look != base and opened is None and piece.text.strip():
                number += 1
                current, opened = number, look
                found.append(Code(number, CodeKind.OPEN, piece.properties))
            found.append(piece.text)
            continue
        if piece.kind is CodeKind.CLOSE:
            if waiting and waiting[-1][0] == piece.name:
                found.append(Code(waiting.pop()[1], CodeKind.CLOSE, piece.raw))
            continue
        number += 1
        if piece.kind is CodeKind.OPEN:
            waiting.append((piece.name, number))
        elif piece.inner:
            inner[number] = piece.inner
        found.append(Code(number, piece.kind, piece.raw, "\n" if piece.is_break else ""))
    if opened is not None:
        found.append(Code(current or 0, CodeKind.CLOSE))
    return joined(found), inner


def _rendered(inner: dict[int, Sequence[Part]], contents: Sequence[Content | None]) -> dict[int, str]:
    """Points with what was translated inside them."""
    left = iter(contents)
    found: dict[int, str] = {}
    for number, parts in inner.items():
        pieces: list[str] = []
        for part in parts:
            if isinstance(part, str):
                pieces.append(part)
                continue
            own = [next(left) for _ in part.segments]
            pieces.append(part.encode(own) if any(content is not None for content in own) else part.raw)
        found[number] = "".join(pieces)
    return found


def _encoded(content: Content, base: str, dialect: Dialect, rendered: dict[int, str], is_bare: bool) -> Iterator[str]:
    looks = [base]
    for piece in content:
        if isinstance(piece, str):
            yield _written_text(piece, dialect) if is_bare else _written_run(piece, looks[-1], dialect)
        elif piece.kind is CodeKind.POINT:
            yield rendered.get(piece.number, piece.source)
        elif _is_look(piece, content):
            if piece.kind is CodeKind.OPEN:
                looks.append(piece.source)
            else:
                looks.pop()
        else:
            yield piece.source


def _is_look(code: Code, content: Content) -> bool:
    """Whether a pair is of a run's looks: its end is nothing in the file."""
    return any(
        isinstance(one, Code) and one.number == code.number and one.kind is CodeKind.CLOSE and not one.source
        for one in content
    )


def _written_run(text: str, properties: str, dialect: Dialect) -> str:
    return f"<{dialect.run}>{properties}{_written_text(text, dialect)}</{dialect.run}>"


def _written_text(text: str, dialect: Dialect) -> str:
    space = ' xml:space="preserve"' if text != text.strip() and dialect.text != "a:t" else ""
    return f"<{dialect.text}{space}>{escape(text)}</{dialect.text}>"
