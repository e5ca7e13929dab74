"""Plural strings of Apple's systems (.stringsdict): the texts of each plural category."""

from collections.abc import Iterable, Iterator, Sequence

from mtcli.formats.documents.model import Content, ReadOptions, Segment, plain
from mtcli.formats.documents.xml_format import XmlFormat
from mtcli.formats.documents.xml_source import Part, Token, TokenKind, XmlSlot, escape, raw_of

_SHOWN = frozenset({"NSStringLocalizedFormatKey", "zero", "one", "two", "few", "many", "other"})


def _parts(row: Iterable[Token], options: ReadOptions) -> Iterator[Part]:
    keys: list[str] = []
    inside: list[Token] = []
    key = ""
    count = 0
    for token in row:
        if inside:
            inside.append(token)
            if token.name == inside[0].name and token.kind is TokenKind.END:
                text = "".join(one.text for one in inside[1:-1])
                if token.name == "key":
                    key = text
                    yield raw_of(inside)
                else:
                    count += 1
                    yield from _string(inside, f"{'/'.join((*keys, key))}#{count}", text, key in _SHOWN)
                inside = []
            continue
        if token.name in ("key", "string") and token.kind is TokenKind.START:
            inside = [token]
            continue
        if token.name == "dict" and token.kind is TokenKind.START:
            keys.append(key)
        elif token.name == "dict" and token.kind is TokenKind.END and keys:
            keys.pop()
        yield token.raw


def _string(row: Sequence[Token], name: str, text: str, is_shown: bool) -> Iterator[Part]:
    if not text.strip() or not is_shown:
        yield raw_of(row)
        return
    segment = Segment(id=name, content=(text,), syntax=frozenset({"objc-format"}))

    def encode(contents: Sequence[Content | None]) -> str:
        return row[0].raw + escape(plain(contents[0] or segment.content)) + row[-1].raw

    yield XmlSlot(raw_of(row), (segment,), encode)


FORMAT = XmlFormat(name="stringsdict", title="file of Apple plural strings", root="plist", parts=_parts)
