"""Strings of Android apps (res/values/strings.xml): strings, arrays and plurals, with Android's own escapes."""

import re
from collections.abc import Iterable, Iterator, Sequence

from mtcli.formats.documents.inline_codes import Mark, numbered
from mtcli.formats.documents.model import Code, CodeKind, Content, ReadOptions, Segment, plain
from mtcli.formats.documents.xml_format import XmlFormat, local
from mtcli.formats.documents.xml_source import Part, Token, TokenKind, XmlSlot, attributes, escape, raw_of

_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_NAMED = {"n": "\n", "t": "\t"}
_SPACES = re.compile(r"\s+")
_QUOTED = re.compile(r'(?<!\\)"((?:[^"\\]|\\.)*)"', re.DOTALL)


def _parts(row: Iterable[Token], options: ReadOptions) -> Iterator[Part]:
    inside: list[Token] = []
    name, count = "", 0
    is_kept = False
    for token in row:
        if inside:
            inside.append(token)
            if token.name == inside[0].name and token.kind is TokenKind.END:
                yield from _element(inside, name if local(token.name) == "string" else f"{name}#{count}", is_kept)
                inside = []
            continue
        if token.kind is TokenKind.START:
            given = attributes(token.raw)
            if "name" in given:
                name, count, is_kept = given["name"], 0, given.get("translatable") == "false"
            if token.name in ("string", "item"):
                count += 1
                inside = [token]
                continue
        yield token.raw


def _element(row: Sequence[Token], name: str, is_kept: bool) -> Iterator[Part]:
    inner = row[1:-1]
    is_cdata = any(token.raw.startswith("<![CDATA[") for token in inner)
    content = numbered(list(_marks(inner)))
    if not plain(content).strip() or raw_of(inner).lstrip().startswith(("@", "?")):  # which names another resource
        yield raw_of(row)
        return
    segment = Segment(id=name, content=content, translate=not is_kept)

    def encode(contents: Sequence[Content | None]) -> str:
        written = "".join(_encoded(contents[0] or content, is_cdata=is_cdata))
        return row[0].raw + (f"<![CDATA[{written}]]>" if is_cdata else written) + row[-1].raw

    yield XmlSlot(raw_of(row), (segment,), encode)


def _marks(row: Sequence[Token]) -> Iterator[str | Mark]:
    for token in row:
        if token.kind is TokenKind.TEXT:
            yield _decoded(token.text)
        elif token.kind in (TokenKind.START, TokenKind.END):
            kind = CodeKind.OPEN if token.kind is TokenKind.START else CodeKind.CLOSE
            is_opaque = kind is CodeKind.OPEN and local(token.name) == "g"
            yield Mark(token.raw, kind, token.name, is_opaque=is_opaque)
        else:
            yield Mark(token.raw)


def _decoded(text: str) -> str:
    """Text as an app shows it: quoted as it is written, else with spaces as one."""
    pieces, place = [], 0
    for match in _QUOTED.finditer(text):
        pieces += [_SPACES.sub(" ", text[place : match.start()]), match[1]]
        place = match.end()
    whole = "".join([*pieces, _SPACES.sub(" ", text[place:])])
    return _ESCAPE.sub(lambda match: _character(match[1]), whole)


def _character(name: str) -> str:
    return chr(int(name[1:], 16)) if len(name) == 5 else _NAMED.get(name, name)


def _encoded(content: Content, *, is_cdata: bool) -> Iterator[str]:
    for place, piece in enumerate(content):
        if isinstance(piece, Code):
            yield piece.source
            continue
        text = re.sub(r"""([\\'"])""", r"\\\1", piece).replace("\n", "\\n").replace("\t", "\\t")
        if place == 0:
            text = re.sub(r"^[@?]", r"\\\g<0>", text)
        text = re.sub(r" {2,}", lambda match: f'"{match[0]}"', text)
        yield text.replace("]]>", "]] >") if is_cdata else escape(text)


FORMAT = XmlFormat(name="android", title="file of Android strings", root="resources", parts=_parts)
