"""HTML as a row of tokens, read as forgivingly as browsers do; all raws, joined, are the text.

Whatever a page holds, it is read in time that grows with its length alone: servers are sent pages by anybody.
"""

import re
from collections.abc import Iterator, Sequence
from html import escape, unescape

from mtcli.formats.documents.xml_source import Token, TokenKind

VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
)
RAW = frozenset({"script", "style", "xmp", "iframe", "noembed", "noframes", "plaintext"})
"""Elements whose content is no markup, and nothing to translate."""
_RCDATA = frozenset({"title", "textarea"})  # no tags inside, but entities
# A quote quotes behind = alone. Nothing is tried twice (*+), and a quote that is never closed is a character.
_TAG = re.compile(r"""</?[a-zA-Z](?:[^>"'=]|=\s*"[^"]*"|=\s*'[^']*'|["'=])*+>""")
_SHORT_TAG = re.compile(r"</?[a-zA-Z][^>]*+>")
_OTHER = re.compile(r"<!---?>|<!--.*?(?:--!?>|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|<[!?/][^>]*+(?:>|\Z)", re.DOTALL)
_NAME = re.compile(r"</?([a-zA-Z][^\s/>]*)")
_ATTRIBUTE = re.compile(r"""([^\s/>=]++)(?:(\s*+=\s*+)(?:"([^"]*)"|'([^']*)'|([^\s"'>][^\s>]*+)))?+""")


def tokens(text: str) -> Iterator[Token]:
    """Split a page into tokens. Names are in lower case."""
    place, last, tag = 0, text.rfind(">"), _TAG
    while place < len(text):
        match = tag.match(text, place) if place < last else None
        if match is None and place < last and _SHORT_TAG.match(text, place):
            # Quotes from here on swallow every end of a tag: the page is read without them, not searched each time.
            tag = _SHORT_TAG
            continue
        if match:
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


def values_of(raw: str) -> Iterator[tuple[tuple[int, int], str, str]]:
    """A tag's attributes with values: place of the value, quotes included, name in lower case, value.

    Of two of one name the first counts.
    """
    found = _NAME.match(raw)
    seen: set[str] = set()
    for match in _ATTRIBUTE.finditer(raw, found.end() if found else 0):
        name = match[1].lower()
        value = next((value for value in match.group(3, 4, 5) if value is not None), None)
        if value is not None and name not in seen:
            yield (match.end(2), match.end()), name, unescape(value)
        seen.add(name)


def attributes(raw: str) -> dict[str, str]:
    """A tag's attributes by name in lower case."""
    return {name: value for _, name, value in values_of(raw)}


def with_values(raw: str, changed: Sequence[tuple[tuple[int, int], str]]) -> str:
    """A tag with new values at these places, which are in order."""
    for (start, end), value in reversed(changed):
        raw = f'{raw[:start]}"{escape(value)}"{raw[end:]}'
    return raw


def with_attribute(raw: str, name: str, value: str) -> str:
    """A tag with an attribute set."""
    place = next((place for place, found, _ in values_of(raw) if found == name), None)
    if place is not None:
        return with_values(raw, [(place, value)])
    end = "/>" if raw.endswith("/>") else ">"
    return f'{raw[: -len(end)].rstrip()} {name}="{escape(value)}"{end}'
