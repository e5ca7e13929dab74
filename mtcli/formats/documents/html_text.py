"""Text of HTML and XHTML in blocks: what browsers show as one line of text is one segment, tags in it are codes."""

import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from html import escape, unescape

from mtcli.formats.documents.html_elements import end_of_element
from mtcli.formats.documents.html_tokens import RAW, attributes, values_of, with_values
from mtcli.formats.documents.inline_codes import Mark, numbered
from mtcli.formats.documents.model import Code, CodeKind, Content, Segment, plain
from mtcli.formats.documents.packages import contents_or_own
from mtcli.formats.documents.xml_source import Part, Token, TokenKind, XmlSlot, raw_of

_INLINE = """
a abbr acronym b bdi bdo big br cite code data del dfn em font i img input ins kbd label mark math meter nobr object
output picture progress q rp rt ruby s samp small span strike strong sub sup svg time tt u var video audio wbr
"""
INLINE = frozenset(_INLINE.split())
OPAQUE = frozenset({"code", "kbd", "samp", "tt", "var", "ruby"})
_PICTURES = frozenset({"math", "svg", "video", "audio", "object", "picture"})
"""Elements that are one thing in a text, whatever is in them."""
_KEEPS_SPACES = frozenset({"pre", "textarea"})
_SHOWN = ("title", "alt", "placeholder", "aria-label", "aria-description", "summary")
_BUTTONS = frozenset({"submit", "button", "reset"})
_META = frozenset({"description", "keywords", "og:title", "og:description", "twitter:title", "twitter:description"})
_WHITE = " \t\n\f\r"
_SPACES = re.compile(r"[ \t\n\f\r]+")


def parts(member: str, row: Sequence[Token], left_as_they_are: frozenset[str] = frozenset()) -> Iterator[Part]:
    """Take a page's tokens apart into blocks of text and what is between them.

    Args:
        member: begins the segments' ids.
        left_as_they_are: elements whose content is not translated, beside those that never are.
    """
    yield from _Page(member, left_as_they_are).parts(row)


class _Page:
    def __init__(self, member: str, left_as_they_are: frozenset[str]) -> None:
        self._member, self._count, self._left = member, 0, left_as_they_are
        self._pre = 0

    def parts(self, row: Sequence[Token]) -> Iterator[Part]:
        block: list[list[Token]] = []
        ends = _ends_of_pictures(row)
        place = 0
        while place < len(row):
            token, end = row[place], ends.get(place, place + 1)
            if self._belongs(token, bool(block)):
                block.append(list(row[place:end]))
            else:
                yield from self._block(block)
                block = []
                end = self._end_of_untranslated(row, place)
                if end == place + 1:
                    yield self._between(token)
                else:
                    yield raw_of(row[place:end])
            place = end
        yield from self._block(block)

    def _belongs(self, token: Token, is_begun: bool) -> bool:
        """Whether a token is of the text of a block."""
        if token.kind is TokenKind.TEXT:
            return True
        if token.kind is TokenKind.OTHER:
            return is_begun and not token.raw.startswith(("<!DOCTYPE", "<!doctype", "<?xml"))
        return token.name in INLINE

    def _end_of_untranslated(self, row: Sequence[Token], place: int) -> int:
        """The place behind an element that is not to be translated; behind the tag where it is."""
        token = row[place]
        if token.kind is not TokenKind.START or not (token.name in RAW | self._left or is_untranslated(token)):
            return place + 1
        return end_of_element(row, place)

    def _between(self, token: Token) -> Part:
        """A tag that is no text of a block, with the attributes of it that people see."""
        if token.name in _KEEPS_SPACES:
            self._pre += token.kind is TokenKind.START
            self._pre -= token.kind is TokenKind.END and self._pre > 0
        return self._with_attributes([token])

    def _next(self) -> str:
        self._count += 1
        return f"{self._member}#{self._count}"

    def _with_attributes(self, row: Sequence[Token]) -> Part:
        """Tags with the attributes of them that people see."""
        found = [one for token in row for one in shown_attributes(token)]
        if not found:
            return raw_of(row)
        segments = tuple(Segment(id=self._next(), content=(value,), context=name) for _, name, value in found)
        return XmlSlot(raw_of(row), segments, lambda contents: _with_shown(row, contents))

    def _block(self, units: Sequence[Sequence[Token]]) -> Iterator[Part]:
        """A block's text: of tokens, each alone but those of a picture."""
        row = [token for unit in units for token in unit]
        content = numbered(list(self._marks(units))) if units else ()
        if not plain(content).strip() or not any(isinstance(piece, str) and piece.strip() for piece in content):
            yield self._with_attributes(row)
            return
        main = Segment(id=self._next(), content=content)
        extra = [
            Segment(id=self._next(), content=(value,), context=name)
            for token in row
            for _, name, value in shown_attributes(token)
        ]
        raw, segments = raw_of(row), (main, *extra)

        def encode(contents: Sequence[Content | None]) -> str:
            [new] = contents_or_own(segments[:1], contents[:1])
            return _within(raw, "".join(_encoded(new, _rewritten(units, contents[1:]))))

        yield XmlSlot(raw, segments, encode)

    def _marks(self, units: Sequence[Sequence[Token]]) -> Iterator[str | Mark]:
        opaque: list[str] = []
        for unit in units:
            token = unit[0]
            if len(unit) > 1:
                yield Mark(raw_of(unit))
            elif token.kind is TokenKind.TEXT:
                yield self._text(token)
            elif token.kind is TokenKind.OTHER or token.kind is TokenKind.EMPTY:
                yield Mark(token.raw, equivalent="\n" if token.name == "br" else "")
            elif token.kind is TokenKind.START:
                is_opaque = not opaque and (token.name in OPAQUE | self._left or is_untranslated(token))
                if is_opaque or (opaque and token.name == opaque[0]):
                    opaque.append(token.name)
                yield Mark(token.raw, CodeKind.OPEN, token.name, is_opaque=is_opaque)
            else:
                if opaque and token.name == opaque[0]:
                    opaque.pop()
                yield Mark(token.raw, CodeKind.CLOSE, token.name)

    def _text(self, token: Token) -> str:
        text = unescape(token.raw)
        return text if self._pre else _SPACES.sub(" ", text)


def _ends_of_pictures(row: Sequence[Token]) -> dict[int, int]:
    """From where a picture begins to the place behind its end; one that is never closed is a tag alone."""
    waiting: list[int] = []
    found: dict[int, int] = {}
    for place, token in enumerate(row):
        if token.name not in _PICTURES:
            continue
        if token.kind is TokenKind.START:
            waiting.append(place)
        elif token.kind is TokenKind.END and waiting and row[waiting[-1]].name == token.name:
            found[waiting.pop()] = place + 1
    return found


def is_untranslated(token: Token) -> bool:
    """Whether a tag says that its element is not to be translated."""
    found = attributes(token.raw)
    return found.get("translate", "").lower() == "no" or "notranslate" in found.get("class", "").split()


def shown_attributes(token: Token) -> list[tuple[tuple[int, int], str, str]]:
    """Attributes of a tag that people see: place of the value in the tag, name, value."""
    if token.kind not in (TokenKind.START, TokenKind.EMPTY) or token.name in RAW or is_untranslated(token):
        return []
    values = attributes(token.raw)
    return [
        (place, name, value)
        for place, name, value in values_of(token.raw)
        if value.strip() and _is_shown(token.name, name, values)
    ]


def _is_shown(tag: str, name: str, values: dict[str, str]) -> bool:
    if tag == "meta":
        return name == "content" and (values.get("name") or values.get("property", "")).lower() in _META
    if name == "value":
        return tag == "input" and values.get("type", "").lower() in _BUTTONS
    return name in _SHOWN and tag != "link"


def _with_shown(row: Sequence[Token], contents: Sequence[Content | None]) -> str:
    """Tags as they are written with new values of the attributes that people see."""
    left = iter(contents)
    written: list[str] = []
    for token in row:
        new = [(place, next(left)) for place, _, _ in shown_attributes(token)]
        changed = [(place, plain(content)) for place, content in new if content is not None]
        written.append(with_values(token.raw, changed))
    return "".join(written)


def _rewritten(units: Sequence[Sequence[Token]], contents: Sequence[Content | None]) -> Callable[[str], str]:
    """From a code as the file has it to how it is written: each that is met is the next of its kind."""
    waiting: dict[str, deque[str]] = {}
    place = 0
    for unit in units:
        count = sum(len(shown_attributes(token)) for token in unit)
        if unit[0].kind is not TokenKind.TEXT:
            new = _with_shown(unit, contents[place : place + count])
            waiting.setdefault(raw_of(unit), deque()).append(new)
        place += count

    def written(raw: str) -> str:
        found = waiting.get(raw)
        return found.popleft() if found else raw

    return written


def _within(raw: str, text: str) -> str:
    """A block's new text within the white space that it had at its edges, which browsers show as one space or none."""
    lead, tail = raw[: len(raw) - len(raw.lstrip(_WHITE))], raw[len(raw.rstrip(_WHITE)) :]
    core = text.removeprefix(" ") if lead else text
    return lead + (core.removesuffix(" ") if tail else core) + tail


def _encoded(content: Content, written: Callable[[str], str]) -> Iterator[str]:
    for piece in content:
        yield written(piece.source) if isinstance(piece, Code) else escape(piece, quote=False)
