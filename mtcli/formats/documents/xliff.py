"""XLIFF 1.2 and 2.x, and the dialects of translation tools: targets are filled, all else is kept."""

import re
from collections.abc import Iterable, Iterator, Sequence

from mtcli.formats.documents.inline_codes import Mark, numbered
from mtcli.formats.documents.model import Code, CodeKind, Content, ReadOptions, Segment, plain
from mtcli.formats.documents.xml_format import XmlFormat, local
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

_UNITS = frozenset({"trans-unit", "segment"})
_PAIRS = frozenset({"g", "mrk", "pc", "hi"})
_BEGINS, _ENDS = frozenset({"bpt", "bx", "sc"}), frozenset({"ept", "ex", "ec"})
_UNDONE = frozenset({"", "new", "initial", "needs-translation"})
_UNREVIEWED = frozenset({"needs-adaptation", "needs-l10n", "needs-review-adaptation", "needs-review-l10n"}) | {
    "needs-review-translation"
}


def _parts(row: Iterable[Token], options: ReadOptions) -> Iterator[Part]:
    """Units as slots; only one unit is held at a time."""
    untranslated: list[bool] = []  # of the elements that are open, whether their text is not to be translated
    unit: list[Token] = []
    depth = count = 0
    for token in row:
        if unit or (local(token.name) in _UNITS and token.kind is TokenKind.START):
            unit.append(token)
            depth += {TokenKind.START: 1, TokenKind.END: -1}.get(token.kind, 0)
            if not depth:
                count += 1
                yield from _unit(unit, str(count), options, is_kept=any(untranslated))
                unit = []
            continue
        if token.kind is TokenKind.START:
            untranslated.append(attributes(token.raw).get("translate") == "no")
        elif token.kind is TokenKind.END and untranslated:
            untranslated.pop()
        yield token.raw


def _unit(row: Sequence[Token], number: str, options: ReadOptions, *, is_kept: bool) -> Iterator[Part]:
    source, target = _child(row, "source"), _child(row, "target")
    if source is None:
        yield raw_of(row)
        return
    given = attributes(row[0].raw)
    first, behind = _child(row, "seg-source") or source  # with the sentences' marks, which the target needs too
    content = content_of(row[first + 1 : behind - 1])
    is_kept |= given.get("translate") == "no" or given.get("approved") == "yes"
    is_kept |= _is_done(row, target, given, options)
    segment = Segment(
        id=f"{number}:{given['id']}" if given.get("id") else number,
        content=content,
        translate=not is_kept and bool(plain(content).strip()),
        context=given.get("resname", ""),
    )

    def encode(contents: Sequence[Content | None]) -> str:
        return _with_target(row, source, target, "".join(encoded(contents[0] or content)))

    yield XmlSlot(raw_of(row), (segment,), encode)


def _child(row: Sequence[Token], name: str) -> tuple[int, int] | None:
    """Places of a unit's own source or target: of its first token and behind its last."""
    depth = 0
    for place, token in enumerate(row):
        is_own = depth == 1 and local(token.name) == name
        if is_own and token.kind in (TokenKind.START, TokenKind.EMPTY):
            return place, whole_element(row, place)
        depth += {TokenKind.START: 1, TokenKind.END: -1}.get(token.kind, 0)
    return None


def _is_done(row: Sequence[Token], target: tuple[int, int] | None, given: dict[str, str], options: ReadOptions) -> bool:
    """Whether a unit has a translation that is not to be made anew."""
    if target is None or not any(token.kind is TokenKind.TEXT and token.text.strip() for token in row[slice(*target)]):
        return False
    state = attributes(row[target[0]].raw).get("state", given.get("state", "translated"))
    return not (state in _UNDONE or (options.fuzzy and state in _UNREVIEWED))


def content_of(row: Sequence[Token]) -> Content:
    """The content of a source or target: XLIFF's inline elements, and TMX's, as codes."""
    pieces: list[str | Mark] = []
    place = 0
    while place < len(row):
        token, name, end = row[place], local(row[place].name), place + 1
        if token.kind is TokenKind.TEXT:
            pieces.append(token.text)
        elif name in _PAIRS and token.kind is not TokenKind.EMPTY:
            kind = CodeKind.OPEN if token.kind is TokenKind.START else CodeKind.CLOSE
            given = attributes(token.raw)
            is_opaque = given.get("mtype") == "protected" or given.get("translate") == "no"
            pieces.append(Mark(token.raw, kind, name, is_opaque=is_opaque and kind is CodeKind.OPEN))
        else:
            end = whole_element(row, place)
            raw = raw_of(row[place:end])
            kind = CodeKind.OPEN if name in _BEGINS else CodeKind.CLOSE if name in _ENDS else CodeKind.POINT
            pieces.append(Mark(raw, kind, _pair_name(token)))
        place = end
    return numbered(pieces)


def _pair_name(token: Token) -> str:
    given = attributes(token.raw)
    return next((given[name] for name in ("rid", "startRef", "i", "id") if name in given), "")


def encoded(content: Content) -> Iterator[str]:
    """A content as XLIFF and TMX have it."""
    for piece in content:
        yield piece.source if isinstance(piece, Code) else escape(piece)


def _with_target(row: Sequence[Token], source: tuple[int, int], target: tuple[int, int] | None, text: str) -> str:
    """A unit with its target, marked as a machine's suggestion."""
    prefix = row[source[0]].name.removesuffix("source")
    is_old = local(row[0].name) == "trans-unit"
    tag = row[target[0]].raw.rstrip("/> ") + ">" if target else f"<{prefix}target>"
    if is_old:
        tag = with_attribute(tag, "state", "needs-review-translation")
        tag = with_attribute(tag, "state-qualifier", "mt-suggestion")
    written = f"{tag}{text}</{prefix}target>"
    unit = row[0].raw if is_old else with_attribute(row[0].raw, "state", "translated")
    if target:
        return unit + raw_of(row[1 : target[0]]) + written + raw_of(row[target[1] :])
    segmented = _child(row, "seg-source")
    end = segmented[1] if segmented else source[1]
    space = row[source[0] - 1].raw if row[source[0] - 1].kind is TokenKind.TEXT else ""
    return unit + raw_of(row[1:end]) + space + written + raw_of(row[end:])


def _labelled(text: str, language: str) -> str:
    """The target language, where the file does not say it."""

    def label(match: re.Match[str]) -> str:
        name = "trgLang" if local(match[1]) == "xliff" else "target-language"
        return match[0] if name in attributes(match[0]) else with_attribute(match[0], name, language)

    is_new = re.search(r"<(?:\w+:)?xliff\b[^>]*\bversion\s*=\s*[\"']2", text[:10_000])
    return re.sub(r"<((?:\w+:)?(?:xliff))\b[^>]*>" if is_new else r"<((?:\w+:)?(?:file))\b[^>]*>", label, text)


FORMAT = XmlFormat(name="xliff", title="XLIFF file", root="xliff", parts=_parts, labelled=_labelled)
