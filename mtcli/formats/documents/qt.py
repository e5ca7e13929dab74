"""Qt's translation files (.ts): messages without a translation, plural forms too; they stay marked as unfinished."""

import re
from collections.abc import Iterable, Iterator, Sequence

from mtcli.formats.documents.accelerators import accelerator_of
from mtcli.formats.documents.model import Content, ReadOptions, Segment, plain
from mtcli.formats.documents.xml_format import XmlFormat
from mtcli.formats.documents.xml_source import (
    Part,
    Token,
    TokenKind,
    XmlSlot,
    attributes,
    escape,
    raw_of,
    whole_element,
    with_attribute,
)


def _parts(row: Iterable[Token], options: ReadOptions) -> Iterator[Part]:
    message: list[Token] = []
    count = 0
    for token in row:
        if not message and token.name != "message":
            yield token.raw
            continue
        message.append(token)
        if token.name == "message" and token.kind is TokenKind.END:
            count += 1
            yield from _message(message, str(count), options)
            message = []


def _message(row: Sequence[Token], number: str, options: ReadOptions) -> Iterator[Part]:
    source, target = _child(row, "source"), _child(row, "translation")
    if source is None or target is None:
        yield raw_of(row)
        return
    text = _text(row[slice(*source)])
    given = attributes(row[target[0]].raw)
    has_text = bool(_text(row[slice(*target)]).strip())
    is_open = given.get("type") == "unfinished" and (options.fuzzy or not has_text)
    comment = _child(row, "comment")
    segment = Segment(
        id=number,
        content=(text,),
        translate=is_open and bool(text.strip()),
        context=_text(row[slice(*comment)]) if comment else "",
        accelerator="&" if accelerator_of(text) == "&" else "",
    )
    if not text:
        yield raw_of(row)
        return
    forms = sum(token.name == "numerusform" and token.kind is not TokenKind.END for token in row)

    def encode(contents: Sequence[Content | None]) -> str:
        new = escape(plain(contents[0] or segment.content))
        if forms or attributes(row[0].raw).get("numerus") == "yes":
            new = (
                "".join(f"\n            <numerusform>{new}</numerusform>" for _ in range(max(1, forms))) + "\n        "
            )
        head = row[target[0]].raw.rstrip("/> ") + ">"
        return raw_of(row[: target[0]]) + f"{head}{new}</translation>" + raw_of(row[target[1] :])

    yield XmlSlot(raw_of(row), (segment,), encode)


def _child(row: Sequence[Token], name: str) -> tuple[int, int] | None:
    place = next((at for at, token in enumerate(row) if token.name == name and token.kind is not TokenKind.END), None)
    return None if place is None else (place, whole_element(row, place))


def _text(row: Sequence[Token]) -> str:
    return "".join(token.text for token in row if token.kind is TokenKind.TEXT)


def _labelled(text: str, language: str) -> str:
    def label(match: re.Match[str]) -> str:
        return match[0] if attributes(match[0]).get("language") else with_attribute(match[0], "language", language)

    return re.sub(r"<TS\b[^>]*>", label, text, count=1)


FORMAT = XmlFormat(name="qt", title="Qt translation file", root="TS", parts=_parts, labelled=_labelled)
