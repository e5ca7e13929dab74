"""HTML as a row of tokens, read as forgivingly as browsers do; all raws, joined, are the text."""

import re
from collections.abc import Iterator

from mtcli.formats.documents.xml_source import Token, TokenKind

VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
)
RAW = frozenset({"script", "style", "xmp", "iframe", "noembed", "noframes", "plaintext"})
"""Elements whose content is no markup, and nothing to translate."""
_RCDATA = frozenset({"title", "textarea"})  # no tags inside, but entities
_TAG = re.compile(r"""</?[a-zA-Z][^\s/>]*(?:"[^"]*"|'[^']*'|[^>"'])*>|</?[a-zA-Z][^>]*>""")
_OTHER = re.compile(r"<!--.*?(?:--!?>|$)|<!\[CDATA\[.*?(?:\]\]>|$)|<[!?/][^>]*(?:>|$)", re.DOTALL)
_NAME = re.compile(r"</?([a-zA-Z][^\s/>]*)")


def tokens(text: str) -> Iterator[Token]:
    """Split a page into tokens. Names are in lower case."""
    place = 0
    while place < len(text):
        if text[place] != "<":
            end = text.find("<", place)
            end = len(text) if end < 0 else end
            yield Token(TokenKind.TEXT, text[place:end])
            place = end
        elif match := _TAG.match(text, place):
            token = _tag(match[0])
            yield token
            place = match.end()
            if token.kind is TokenKind.START and token.name in RAW | _RCDATA:
                end = _raw_end(text, place, token.name)
                if end > place:
                    kind = TokenKind.TEXT if token.name in _RCDATA else TokenKind.OTHER
                    yield Token(kind, text[place:end])
                place = end
        elif match := _OTHER.match(text, place):
            yield Token(TokenKind.OTHER, match[0])
            place = match.end()
        else:
            end = text.find("<", place + 1)
            end = len(text) if end < 0 else end
            yield Token(TokenKind.TEXT, text[place:end])
            place = end


def _tag(raw: str) -> Token:
    found = _NAME.match(raw)
    name = found[1].lower() if found else ""
    if raw.startswith("</"):
        return Token(TokenKind.END, raw, name)
    return Token(TokenKind.EMPTY if name in VOID or raw.endswith("/>") else TokenKind.START, raw, name)


def _raw_end(text: str, place: int, name: str) -> int:
    """Where an element ends whose content is no markup."""
    found = re.compile(rf"</{re.escape(name)}(?=[\s/>])", re.IGNORECASE).search(text, place)
    return found.start() if found else len(text)
