"""Text of HTML and XHTML in blocks: what browsers show as one line of text is one segment, tags in it are codes."""

import re
from collections.abc import Callable, Iterator, Sequence
from html import escape, unescape

from mtcli.formats.documents.html_tokens import RAW
from mtcli.formats.documents.inline_codes import Mark, numbered
from mtcli.formats.documents.model import Code, CodeKind, Content, Segment, plain
from mtcli.formats.documents.packages import contents_or_own
from mtcli.formats.documents.xml_source import Part, Token, TokenKind, XmlSlot, attributes, raw_of

_INLINE = """
a abbr acronym b bdi bdo big br cite code data del dfn em font i img input ins kbd label mark math meter nobr object
output picture progress q rp rt ruby s samp small span strike strong sub sup svg time tt u var video audio wbr
"""
INLINE = frozenset(_INLINE.split())
OPAQUE = frozenset({"code", "kbd", "math", "samp", "svg", "tt", "var", "video", "audio", "object", "picture", "ruby"})
_SHOWN = ("title", "alt", "placeholder", "aria-label", "aria-description", "summary")
_BUTTONS = frozenset({"submit", "button", "reset"})
_META = frozenset({"description", "keywords", "og:title", "og:description", "twitter:title", "twitter:description"})
_ATTRIBUTE = re.compile(r"""([^\s=<>/"']+)(\s*=\s*)(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+))""")
_EDGES, _END = re.compile(r"[ \t\n\f\r]*"), re.compile(r"[ \t\n\f\r]*$")
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
        self._untranslated: list[str] = []  # open elements from the one on that is not to be translated
        self._pre = 0

    def parts(self, row: Sequence[Token]) -> Iterator[Part]:
        block: list[Token] = []
        for token in row:
            if self._belongs(token, block):
                block.append(token)
                continue
            yield from self._block(block)
            block = []
            yield from self._between(token)
        yield from self._block(block)

    def _belongs(self, token: Token, block: Sequence[Token]) -> bool:
        """Whether a token is of the text of a block."""
        if self._untranslated:
            return False
        if token.kind is TokenKind.TEXT:
            return True
        if token.kind is TokenKind.OTHER:
            return bool(block) and not token.raw.startswith(("<!DOCTYPE", "<!doctype", "<?xml"))
        return token.name in INLINE

    def _between(self, token: Token) -> Iterator[Part]:
        """A token that is no text of a block: what it opens, and what of it is shown."""
        if token.kind is TokenKind.START:
            if self._untranslated:
                if token.name == self._untranslated[0]:
                    self._untranslated.append(token.name)
            elif token.name in RAW | self._left or is_untranslated(token):
                self._untranslated.append(token.name)
            self._pre += token.name == "pre"
        elif token.kind is TokenKind.END:
            if self._untranslated and token.name == self._untranslated[0]:
                self._untranslated.pop()
            self._pre -= token.name == "pre" and self._pre > 0
        if self._untranslated or token.kind not in (TokenKind.START, TokenKind.EMPTY):
            yield token.raw
        else:
            yield self._shown(token)

    def _next(self) -> str:
        self._count += 1
        return f"{self._member}#{self._count}"

    def _shown(self, token: Token) -> Part:
        """A tag with the attributes of it that people see."""
        return self._with_attributes(token.raw, [token])

    def _with_attributes(self, raw: str, row: Sequence[Token]) -> Part:
        found = [one for token in row for one in shown_attributes(token)]
        if not found:
            return raw
        segments = tuple(Segment(id=self._next(), content=(value,), context=name) for _, name, value in found)

        def encode(contents: Sequence[Content | None]) -> str:
            return "".join(_attributed(row, contents))

        return XmlSlot(raw, segments, encode)

    def _block(self, row: Sequence[Token]) -> Iterator[Part]:
        raw = raw_of(row)
        marks = list(self._marks(row))
        content = numbered(marks) if marks else ()
        text = plain(content)
        own = [piece for piece in content if isinstance(piece, str)]
        if not text.strip() or not any(piece.strip() for piece in own):
            yield self._with_attributes(raw, _visible(row)) if _visible(row) else raw
            return
        main = Segment(id=self._next(), content=content)
        tags = [token for token in row if token.kind in (TokenKind.START, TokenKind.EMPTY)]
        extra: dict[int, tuple[Segment, ...]] = {}
        for place, token in enumerate(tags):
            shown = shown_attributes(token)
            if shown:
                extra[place] = tuple(
                    Segment(id=self._next(), content=(value,), context=name) for _, name, value in shown
                )
        segments = (main, *(one for several in extra.values() for one in several))

        def encode(contents: Sequence[Content | None]) -> str:
            [new] = contents_or_own(segments[:1], contents[:1])
            written = _rewritten(tags, extra, contents[1:])
            return _within(raw, "".join(_encoded(new, written)))

        yield XmlSlot(raw, segments, encode)

    def _marks(self, row: Sequence[Token]) -> Iterator[str | Mark]:
        opaque: list[str] = []
        for token in row:
            if token.kind is TokenKind.TEXT:
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


def is_untranslated(token: Token) -> bool:
    """Whether a tag says that its element is not to be translated."""
    found = {name.lower(): value for name, value in attributes(token.raw).items()}
    return found.get("translate", "").lower() == "no" or "notranslate" in found.get("class", "").split()


def shown_attributes(token: Token) -> list[tuple[tuple[int, int], str, str]]:
    """Attributes of a tag that people see: place of the value in the tag, name, value."""
    if token.kind not in (TokenKind.START, TokenKind.EMPTY) or token.name in RAW or is_untranslated(token):
        return []
    found = [(match, match[1].lower(), _value(match)) for match in _ATTRIBUTE.finditer(token.raw)]
    values = {name: value for _, name, value in found}
    return [
        (_span(match), name, unescape(value))
        for match, name, value in found
        if value.strip() and _is_shown(token.name, name, values)
    ]


def _is_shown(tag: str, name: str, values: dict[str, str]) -> bool:
    if tag == "meta":
        return name == "content" and (values.get("name") or values.get("property", "")).lower() in _META
    if name == "value":
        return tag == "input" and values.get("type", "").lower() in _BUTTONS
    return name in _SHOWN and tag != "link"


def _value(match: re.Match[str]) -> str:
    return next(value for value in match.group(3, 4, 5) if value is not None)


def _span(match: re.Match[str]) -> tuple[int, int]:
    """Where an attribute's value is, quotes included."""
    return match.start() + len(match[1]) + len(match[2]), match.end()


def _visible(row: Sequence[Token]) -> list[Token]:
    """The row, if a tag in it has an attribute that people see."""
    return list(row) if any(shown_attributes(token) for token in row) else []


def _attributed(row: Sequence[Token], contents: Sequence[Content | None]) -> Iterator[str]:
    left = iter(contents)
    for token in row:
        yield _with_values(token, [next(left) for _ in shown_attributes(token)])


def _with_values(token: Token, contents: Sequence[Content | None]) -> str:
    raw = token.raw
    for ((start, end), _, _), content in reversed(list(zip(shown_attributes(token), contents, strict=True))):
        if content is not None:
            raw = f'{raw[:start]}"{escape(plain(content))}"{raw[end:]}'
    return raw


def _rewritten(
    tags: Sequence[Token], extra: dict[int, tuple[Segment, ...]], contents: Sequence[Content | None]
) -> Callable[[str], str]:
    """From a tag as the file has it to how it is written: each that is met is the next of its kind."""
    left, waiting = iter(contents), dict[str, list[str]]()
    for place, token in enumerate(tags):
        own = [next(left) for _ in extra.get(place, ())]
        waiting.setdefault(token.raw, []).append(_with_values(token, own) if own else token.raw)

    def written(raw: str) -> str:
        found = waiting.get(raw)
        return found.pop(0) if found else raw

    return written


def _within(raw: str, text: str) -> str:
    """A block's new text within the white space that it had at its edges, which browsers show as one space or none."""
    lead: str = _EDGES.findall(raw)[0]
    tail: str = _END.findall(raw)[0]
    core = text.removeprefix(" ") if lead else text
    return lead + (core.removesuffix(" ") if tail else core) + tail


def _encoded(content: Content, written: Callable[[str], str]) -> Iterator[str]:
    for piece in content:
        yield written(piece.source) if isinstance(piece, Code) else escape(piece, quote=False)
