"""XML as a row of tokens that keep every character, after a check that it is well-formed and harmless.

Formats copy the tokens that they do not change, so that quotes, entities and spaces stay as they are.
"""

import codecs
import html
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from xml.parsers import expat
from xml.sax.saxutils import escape as _escape

from mtcli.errors import DataError
from mtcli.formats.documents.model import Content, Segment

_TOKEN = re.compile(
    r"(?P<comment><!--.*?-->)|(?P<cdata><!\[CDATA\[.*?\]\]>)|(?P<instruction><\?.*?\?>)"
    r"|(?P<declaration><!(?:[^<>\[\"']|\"[^\"]*\"|'[^']*'|\[.*?\]\s*(?=>))*>)"
    r"|(?P<tag><(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>)|(?P<text>[^<]+)",
    re.DOTALL,
)
_NAME = re.compile(r"</?\s*([^\s/>]+)")
_ATTRIBUTE = re.compile(r"""([^\s=<>/"']+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_DECLARED = re.compile(rb"""^<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)""")
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_DEEPEST = 2000  # elements in one another


class TokenKind(StrEnum):
    """Say what a token is."""

    TEXT = "text"
    START = "start"
    END = "end"
    EMPTY = "empty"
    OTHER = "other"  # a comment, an instruction, a declaration


@dataclass(frozen=True, slots=True)
class Token:
    """Hold one token; all raws of a text, joined, are the text.

    Attributes:
        kind: what it is; a CDATA section is text.
        raw: as the file has it.
        name: of a tag, with its prefix.
    """

    kind: TokenKind
    raw: str
    name: str = ""

    @property
    def text(self) -> str:
        """What text says: without entities, the content of a CDATA section."""
        return self.raw[9:-3] if self.raw.startswith("<![CDATA[") else html.unescape(self.raw)


@dataclass(frozen=True, slots=True)
class XmlText:
    """Hold an XML file's text and how it is written again.

    Attributes:
        text: without its byte order mark.
        encoding, mark: its codec, and its byte order mark.
    """

    text: str
    encoding: str = "utf-8"
    mark: bytes = b""

    def encoded(self, text: str) -> bytes:
        """Bytes of a new text; characters that the encoding lacks become references."""
        return self.mark + text.encode(self.encoding, "xmlcharrefreplace")


def read_xml(data: bytes, name: str) -> XmlText:
    """Read XML that is well-formed and declares no entities of its own.

    Args:
        name: of the file, for messages.

    Raises:
        DataError: it is damaged, in an unknown encoding, or holds what could expand or reach outside.
    """
    _check(data, name)
    mark, encoding = next(((mark, codec) for mark, codec in _MARKS if data.startswith(mark)), (b"", ""))
    if not encoding:
        declared = _DECLARED.match(data)
        encoding = declared[1].decode() if declared else "utf-8"
    try:
        return XmlText(data[len(mark) :].decode(encoding), encoding, mark)
    except (LookupError, UnicodeDecodeError) as error:
        raise DataError(f"{name} is not valid {encoding} ({error}). Save it as UTF-8.") from None


def _check(data: bytes, name: str) -> None:
    parser = expat.ParserCreate()
    depth = 0

    def start(tag: str, attributes: object) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise DataError(f"{name} has more than {_DEEPEST} elements in one another, which no document has.")

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1

    def entity(*declared: object) -> None:
        raise DataError(f"{name} declares entities of its own, which mtcli does not expand. Save it without.")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.EntityDeclHandler = entity
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise DataError(f"{name}: no sound XML: {error}. Open it with its program, and save it again.") from None


def tokens(text: str) -> Iterator[Token]:
    """Split sound XML into tokens."""
    for match in _TOKEN.finditer(text):
        raw = match[0]
        if match.lastgroup == "tag":
            yield tag_token(raw)
        elif match.lastgroup in ("text", "cdata"):
            yield Token(TokenKind.TEXT, raw)
        else:
            yield Token(TokenKind.OTHER, raw)


def tag_token(raw: str) -> Token:
    """The token of a tag."""
    found = _NAME.match(raw)
    kind = TokenKind.END if raw.startswith("</") else TokenKind.EMPTY if raw.endswith("/>") else TokenKind.START
    return Token(kind, raw, found[1] if found else "")


def attributes(raw: str) -> dict[str, str]:
    """A tag's attributes, without entities."""
    return {
        match[1]: html.unescape(match[2] if match[2] is not None else match[3]) for match in _ATTRIBUTE.finditer(raw)
    }


def with_attribute(raw: str, name: str, value: str) -> str:
    """A tag with an attribute set."""
    written = escape(value).replace('"', "&quot;")
    changed, count = re.subn(
        rf"""(?<=\s)({re.escape(name)}\s*=\s*)(?:"[^"]*"|'[^']*')""",
        lambda match: f'{match[1]}"{written}"',
        raw,
        count=1,
    )
    if count:
        return changed
    end = "/>" if raw.endswith("/>") else ">"
    return f'{raw[: -len(end)].rstrip()} {name}="{written}"{end}'


def escape(text: str) -> str:
    """Text as XML has it, without characters that it cannot hold."""
    return _escape(_UNWRITABLE.sub("", text))


@dataclass(frozen=True, slots=True)
class XmlSlot:
    """Say what of a file's text is replaced, and how.

    Attributes:
        raw: as the file has it.
        segments: what is translated of it, in order.
        encode: from their new contents, None for each that stays, to what replaces it.
    """

    raw: str
    segments: tuple[Segment, ...]
    encode: Callable[[Sequence[Content | None]], str]


Part = str | XmlSlot
"""What is copied, or may be replaced."""


def whole_element(row: Sequence[Token], start: int) -> int:
    """The place behind the end of the element that begins at a place."""
    if row[start].kind is not TokenKind.START:
        return start + 1
    depth = 0
    for place in range(start, len(row)):
        depth += {TokenKind.START: 1, TokenKind.END: -1}.get(row[place].kind, 0)
        if not depth:
            return place + 1
    return len(row)


def raw_of(row: Sequence[Token]) -> str:
    """Tokens as the file has them."""
    return "".join(token.raw for token in row)
