"""Translation memories (TMX 1.4): units that lack the target language get it."""

import re
from collections.abc import Iterable, Iterator, Sequence

from mtcli.errors import UsageError
from mtcli.formats.documents.model import Content, ReadOptions, Segment, plain
from mtcli.formats.documents.xliff import content_of, encoded
from mtcli.formats.documents.xml_format import XmlFormat
from mtcli.formats.documents.xml_source import Part, Token, TokenKind, XmlSlot, attributes, raw_of, whole_element

_LANGUAGE = re.compile(r"""(\s(?:xml:)?lang\s*=\s*)(?:"[^"]*"|'[^']*')""")


def _parts(row: Iterable[Token], options: ReadOptions) -> Iterator[Part]:
    if not options.target_language:
        raise UsageError("A translation memory needs the target language: the model does not say which it writes.")
    unit: list[Token] = []
    source, count = options.source_language, 0
    for token in row:
        if token.name == "header":
            given = attributes(token.raw).get("srclang", "")
            source = given if given and given != "*all*" else source
        if not unit and token.name != "tu":
            yield token.raw
            continue
        unit.append(token)
        if token.name == "tu" and token.kind is TokenKind.END:
            count += 1
            yield from _unit(unit, str(count), source, options.target_language)
            unit = []


def _unit(row: Sequence[Token], number: str, source: str, target: str) -> Iterator[Part]:
    variants = dict(_variants(row))
    place = _of(variants, source)
    if place is None or _of(variants, target) is not None:
        yield raw_of(row)
        return
    end = whole_element(row, place)
    start = next((at for at in range(place, end) if row[at].name == "seg"), None)
    if start is None or row[start].kind is TokenKind.EMPTY:
        yield raw_of(row)
        return
    content = content_of(row[start + 1 : whole_element(row, start) - 1])
    segment = Segment(id=number, content=content, translate=bool(plain(content).strip()))
    space = row[place - 1].raw if row[place - 1].kind is TokenKind.TEXT else ""

    def encode(contents: Sequence[Content | None]) -> str:
        head = _LANGUAGE.sub(rf'\g<1>"{target}"', row[place].raw, count=1)
        written = "".join(encoded(contents[0] or content))
        return raw_of(row[:end]) + f"{space}{head}<seg>{written}</seg></tuv>" + raw_of(row[end:])

    yield XmlSlot(raw_of(row), (segment,), encode)


def _variants(row: Sequence[Token]) -> Iterator[tuple[str, int]]:
    for place, token in enumerate(row):
        if token.name == "tuv" and token.kind is TokenKind.START:
            given = attributes(token.raw)
            yield given.get("xml:lang", given.get("lang", "")).lower(), place


def _of(variants: dict[str, int], language: str) -> int | None:
    """The variant in a language: of the same code, else of the same language."""
    code = language.lower()
    if code in variants:
        return variants[code]
    base = code.partition("-")[0]
    return next((place for name, place in variants.items() if name.partition("-")[0] == base), None)


FORMAT = XmlFormat(name="tmx", title="translation memory", root="tmx", parts=_parts)
