"""What formats of subtitles share: cues, who speaks in them, sentences that go on in the next, lines broken again.

A cue keeps its times and its place; its text is put on at most as many lines as it had.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from mtcli.formats.documents.inline_codes import Mark, numbered
from mtcli.formats.documents.model import Code, Content, Segment, plain
from mtcli.formats.documents.source_text import Slot, SourceText, is_text
from mtcli.formats.documents.wrapping import balance, is_unspaced, unbroken, width_of

_COLUMNS = 42  # of a line that is read at a glance: what broadcasters use
_LINES = re.compile(r"[ \t]*(?:\r?\n[ \t]*)+")
_WORDS = re.compile(r"\s+|\S+")
_ENDS_SENTENCE = re.compile(r"[.!?…。！？♪♫:)\]]['\"”’»」』)]*$")
_SPOKEN_ON = ("...", "…", ",", "–", "—")
_MUSIC = ("♪", "♫", "[", "(", "#")
_MOST_SILENCE = 2.0  # seconds between cues of one sentence
_DASHES = ("-", "–", "—", "‐")


@dataclass(frozen=True, slots=True)
class Cue:
    """Hold a piece of a cue's text.

    Attributes:
        id: the cue's number, with that of the piece where it has several.
        start, end: of the text.
        begins, ends: when it is shown, in seconds.
    """

    id: str
    start: int
    end: int
    begins: float
    ends: float


@dataclass(frozen=True)
class Tags:
    """Say how a format writes codes and text.

    Attributes:
        tag: what a code looks like.
        mark: from a code's text to what it is.
        decode, encode: of the text between them.
        dash: what begins the line of another speaker: codes, then a dash.
    """

    tag: re.Pattern[str]
    mark: Callable[[str], Mark]
    decode: Callable[[str], str]
    encode: Callable[[str], str]
    dash: re.Pattern[str]


def seconds(hours: str | None, minutes: str, rest: str, fraction: str) -> float:
    """A time of a cue."""
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(rest) + float(f"0.{fraction}")


def cue_slots(text: SourceText, cues: Iterable[Cue], tags: Tags) -> Iterator[Slot]:
    """Yield a slot for each cue, several for one where people speak in turns."""
    waiting: tuple[Cue, list[Slot]] | None = None
    for cue in cues:
        slots = list(_turns(text.text, cue, tags, text.newline))
        if not slots:
            continue
        if waiting is not None:
            yield from _joined(*waiting, cue, slots)
        waiting = (cue, slots)
    if waiting is not None:
        yield from waiting[1]


def _joined(cue: Cue, slots: list[Slot], following: Cue, next_slots: list[Slot]) -> list[Slot]:
    """A cue's slots; its segment is told where its sentence goes on in the next."""
    if len(slots) == len(next_slots) == 1 and following.begins - cue.ends <= _MOST_SILENCE:
        segment = slots[0].segments[0]
        if goes_on(segment.text, next_slots[0].segments[0].text):
            return [replace(slots[0], segments=(replace(segment, joins=True),))]
    return slots


def goes_on(text: str, following: str) -> bool:
    """Whether a sentence surely goes on in the text that follows."""
    text, following = text.strip(), following.strip().lstrip("-–—'\"“„«.… ")
    if not text or not following or text.startswith(_MUSIC) or following.startswith(_MUSIC):
        return False
    if following[0].islower():
        return text.endswith(_SPOKEN_ON) or not _ENDS_SENTENCE.search(text)
    return text.endswith(",") and following[0].isalnum()


def _turns(text: str, cue: Cue, tags: Tags, newline: str) -> Iterator[Slot]:
    """The slots of a cue: one, or one for each line that begins with a dash."""
    lines = [(match.start(), match.end()) for match in re.finditer(r"[^\n]+", text[cue.start : cue.end])]
    lines = [(cue.start + start, cue.start + end) for start, end in lines]
    dashes = [tags.dash.match(text, start, end) for start, end in lines]
    firsts = [place for place, dash in enumerate(dashes) if dash] if sum(map(bool, dashes)) > 1 else [0]
    for turn, (first, last) in enumerate(zip(firsts, [*firsts[1:], len(lines)], strict=True), start=1):
        if first and turn == 1:  # what is before the first dash
            yield from _slot(text, f"{cue.id}.0", (lines[0][0], lines[first - 1][1]), first, tags, newline)
        dash = dashes[first]
        start = dash.end() if dash else lines[first][0]
        name = f"{cue.id}.{turn}" if len(firsts) > 1 else cue.id
        yield from _slot(text, name, (start, lines[last - 1][1]), last - first, tags, newline)


def _slot(text: str, name: str, span: tuple[int, int], num_lines: int, tags: Tags, newline: str) -> Iterator[Slot]:
    raw = text[slice(*span)]
    core = raw.strip()
    start = span[0] + len(raw) - len(raw.lstrip())
    content = _content(core, tags)
    if is_text(plain(content)):
        yield Slot(
            start,
            start + len(core),
            (Segment(id=name, content=content),),
            lambda contents: newline.join(_lines(contents[0] or (), num_lines, tags)),
        )


def _content(raw: str, tags: Tags) -> Content:
    pieces: list[str | Mark] = []
    place = 0
    raw = _LINES.sub(_between, raw)
    for match in tags.tag.finditer(raw):
        pieces += [tags.decode(raw[place : match.start()]), tags.mark(match[0])]
        place = match.end()
    return numbered([*pieces, tags.decode(raw[place:])])


def _between(line_end: re.Match[str]) -> str:
    """What takes the place of a line's end: a space, but between characters of unspaced scripts."""
    text, start, end = line_end.string, line_end.start(), line_end.end()
    is_within = start > 0 and end < len(text) and is_unspaced(text[start - 1]) and is_unspaced(text[end])
    return "" if is_within else " "


def _lines(content: Content, num_lines: int, tags: Tags) -> list[str]:
    """A translation on lines, broken at spaces or between characters of unspaced scripts."""
    pieces, widths = _pieces(content, tags)
    return [line for line in balance(pieces, widths, num_lines, _COLUMNS) if line] or [""]


def _pieces(content: Content, tags: Tags) -> tuple[list[str], list[int]]:
    """What is not broken, with the white space that follows, and the columns of each."""
    pieces, widths = [""], [0]
    for piece in content:
        if isinstance(piece, Code):
            pieces[-1] += piece.source
            continue
        for word in _WORDS.findall(piece):
            for part in unbroken(word):
                if part.isspace():
                    pieces[-1] += " "
                else:
                    pieces[-1] += tags.encode(part)
                    widths[-1] += width_of(part)
                if part.isspace() or is_unspaced(part[0]):
                    pieces.append("")
                    widths.append(0)
    # A line must not begin with codes alone, nor with a dash, which would be another speaker's.
    for place in range(len(pieces) - 1, 0, -1):
        if not widths[place] or pieces[place].startswith(_DASHES):
            pieces[place - 1 : place + 1] = [pieces[place - 1] + pieces[place]]
            widths[place - 1 : place + 1] = [widths[place - 1] + bool(widths[place]) + widths[place]]
    return pieces, widths
