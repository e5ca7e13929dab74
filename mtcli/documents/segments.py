"""A segment from its content to its translation: units, shortcuts, messages with branches, sentences over several."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

from mtcli.decoding.lines import has_words
from mtcli.documents import messages
from mtcli.documents.asking import Answer, Ask
from mtcli.documents.cues import cuts
from mtcli.documents.placement import PlacementError, place
from mtcli.documents.protection import is_whole, source_of, translated
from mtcli.documents.shortcuts import with_shortcut, without_shortcut
from mtcli.documents.units import Protection, Unit, assembled, framed
from mtcli.formats.documents.model import Content, Filled, Outcome, Segment, joined, plain

Filling = Generator[Ask, Sequence[Answer], list[Filled]]


@dataclass(frozen=True, slots=True)
class Keeping:
    """Say what translations must keep, and how.

    Attributes:
        protection: what is kept as it is.
        shapes: of masks that the model copies.
    """

    protection: Protection
    shapes: tuple[str, ...] = ()


def fill(group: Sequence[Segment], keeping: Keeping) -> Filling:
    """Translate one segment, or several whose text goes on from each to the next."""
    if len(group) > 1 and (filled := (yield from _fill_together(group, keeping))):
        return filled
    filled = []
    for segment in group:
        filled.append((yield from _fill_one(segment, keeping)))
    return filled


def groups(segments: Sequence[Segment]) -> list[list[Segment]]:
    """Segments, those together whose text goes on."""
    found: list[list[Segment]] = []
    goes_on = False
    for segment in segments:
        if goes_on and segment.translate:
            found[-1].append(segment)
        else:
            found.append([segment])
        goes_on = segment.joins and segment.translate
    return found


def _fill_one(segment: Segment, keeping: Keeping) -> Generator[Ask, Sequence[Answer], Filled]:
    if not segment.translate:
        return Filled(segment.id, None, Outcome.KEPT)
    if not has_words(segment.text):
        return Filled(segment.id, None, Outcome.COPIED)
    content, shortcut = without_shortcut(segment.content, segment.accelerator)
    found, ways = yield from _translated(content, keeping)
    if found is None:
        return Filled(segment.id, None, Outcome.LEFT, tuple(ways))
    if shortcut:
        found = with_shortcut(found, shortcut)
    if segment.most_characters is not None and len(plain(found)) > segment.most_characters:
        ways.append(f"longer than {segment.most_characters} characters")
    was_mended = any(way in ("split", "parted") for way in ways)
    return Filled(segment.id, found, Outcome.REPAIRED if was_mended else Outcome.TRANSLATED, tuple(ways))


def _translated(
    content: Content, keeping: Keeping
) -> Generator[Ask, Sequence[Answer], tuple[Content | None, list[str]]]:
    """A content's translation, and how it was kept whole; None where that could not be."""
    ways: list[str] = []
    if len(content) == 1 and isinstance(content[0], str) and messages.is_message(content[0]):
        return (yield from _message(content[0], keeping))
    items = framed(content, keeping.protection)
    for number, item in enumerate(items):
        if not isinstance(item, Unit) or not has_words(item.text):
            continue
        kept = yield from translated(item, keeping.protection, keeping.shapes)
        if kept is None:
            return None, ["a code or protected piece could not be kept"]
        if kept.way and kept.way not in ways:
            ways.append(kept.way)
        items[number] = kept.content  # type: ignore[call-overload]
    return assembled([source_of(item) if isinstance(item, Unit) else item for item in items]), ways


def _message(message: str, keeping: Keeping) -> Generator[Ask, Sequence[Answer], tuple[Content | None, list[str]]]:
    """A message whose branches are translated, each by itself."""
    parts = messages.leaves(message)
    if parts is None:
        return None, ["a message with branches that cannot be read"]
    texts: list[str] = []
    for leaf in parts:
        number = (messages.NUMBER,) if leaf.in_plural else ()
        protection = replace(keeping.protection, patterns=(*keeping.protection.patterns, messages.QUOTED, *number))
        text = message[leaf.start : leaf.end]
        found, _ = yield from _translated((text,), replace(keeping, protection=protection))
        if found is None:
            return None, ["a branch whose placeholders could not be kept"]
        texts.append(plain(found))
    whole = messages.filled(message, parts, texts)
    if [leaf.in_plural for leaf in messages.leaves(whole) or ()] != [leaf.in_plural for leaf in parts]:
        return None, ["a message with branches that its translation would break"]
    return (whole,), ["branches"]


def _fill_together(group: Sequence[Segment], keeping: Keeping) -> Generator[Ask, Sequence[Answer], list[Filled]]:
    """Several segments as one sentence; an empty list where they are better translated one by one."""
    framings = [framed(segment.content, keeping.protection) for segment in group]
    units: list[Unit] = []
    for items in framings:
        own = [item for item in items if isinstance(item, Unit)]
        if not own or any(item.pieces for item in own):
            return []
        text = " ".join(item.text for item in own)
        units.append(own[0] if len(own) == 1 else Unit(text))
        if len(own) > 1 and any(item.codes for item in own):
            return []
    lengths = [len(unit.text.split()) for unit in units]
    [answer] = yield Ask((" ".join(unit.text for unit in units),), links=True)
    words = answer.text.split()
    ends = cuts(lengths, words, answer.links)
    if ends is None:
        return []
    found: list[Filled] = []
    for number, (segment, unit, items) in enumerate(zip(group, units, framings, strict=True)):
        first, begin = (ends[number - 1] if number else 0), sum(lengths[:number])
        text = " ".join(words[first : ends[number]])
        links = [
            (src - begin, tgt - first)
            for src, tgt in answer.links
            if begin <= src < begin + lengths[number] and first <= tgt < ends[number]
        ]
        try:
            content = place(unit.text, unit.codes, text, links)
        except PlacementError:
            return []
        if not is_whole(unit, content, keeping.protection):
            return []
        found.append(Filled(segment.id, _around(items, content), Outcome.TRANSLATED))
    return found


def _around(items: Sequence[object], content: Content) -> Content:
    """A segment's edges with a content between them, in place of all its units and what is between those."""
    places = [place for place, item in enumerate(items) if isinstance(item, Unit)]
    before, after = items[: places[0]], items[places[-1] + 1 :]
    return joined([*before, *content, *after])  # type: ignore[list-item]
