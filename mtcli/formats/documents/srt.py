"""SubRip subtitles (.srt)."""

import re
from collections.abc import Iterator

from mtcli.formats.documents.inline_codes import Mark
from mtcli.formats.documents.model import CodeKind, ReadOptions
from mtcli.formats.documents.source_text import Slot, SourceText, TextFormat
from mtcli.formats.documents.subtitles import Cue, Tags, cue_slots, seconds

_TIME = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})[,.:](\d{1,3})"
_TIMING = re.compile(rf"^[ \t]*{_TIME}[ \t]*-->[ \t]*{_TIME}[^\n]*$", re.MULTILINE)
_ARROW = re.compile(r"^[ \t]*\d[\d:,. \t]*-->[^\n]*$", re.MULTILINE)
_BLOCK = re.compile(r"[ \t]*[^\s][^\n]*(?:\n[ \t]*[^\s][^\n]*)*")
_TAG = r"</?(?:i|b|u|s|em|strong|font|span|c|v)\b[^<>\n]*>|<br[ \t]*/?>|\{\\[^{}\n]*\}|\{[a-zA-Z]:[^{}\n]*\}"
_NAME = re.compile(r"<(/?)(\w+)")


def _mark(tag: str) -> Mark:
    match = _NAME.match(tag)
    if not match:
        return Mark(tag)
    name = match[2].lower()
    if name == "br":
        return Mark(tag, equivalent="\n")
    return Mark(tag, CodeKind.CLOSE if match[1] else CodeKind.OPEN, name)


_TAGS = Tags(
    tag=re.compile(_TAG, re.IGNORECASE),
    mark=_mark,
    decode=lambda text: text,
    encode=lambda text: text.replace("-->", "→"),  # a line that began with it could be taken for times
    dash=re.compile(rf"[ \t]*(?:{_TAG})*[-–—‐][ \t]*(?=[^\s\-–—])", re.IGNORECASE),
)


def _slots(text: SourceText, options: ReadOptions) -> Iterator[Slot]:
    yield from cue_slots(text, _cues(text), _TAGS)


def _cues(text: SourceText) -> Iterator[Cue]:
    """The cues' texts; one that blank lines divide is several."""
    if damaged := next((one for one in _ARROW.finditer(text.text) if not _TIMING.match(text.text, one.start())), None):
        raise text.error(damaged.start(), "this is no line of times. Expected such as: 00:00:01,000 --> 00:00:02,500.")
    timings = list(_TIMING.finditer(text.text))
    first = _text_end(text.text, 0, timings[0].start()) if timings else len(text.text)
    if text.text[:first].strip():
        start = len(text.text) - len(text.text.lstrip())
        raise text.error(
            start, "no subtitle begins here. Expected a number, then times: 00:00:01,000 --> 00:00:02,500."
        )
    if not timings:
        return
    ends = [one.start() for one in timings[1:]] + [len(text.text)]
    for number, (timing, end) in enumerate(zip(timings, ends, strict=True), start=1):
        begins, finishes = seconds(*timing.groups()[:4]), seconds(*timing.groups()[4:])
        start = timing.end()
        end = _text_end(text.text, start, end) if number < len(timings) else end
        for piece, block in enumerate(_BLOCK.finditer(text.text, start, end)):
            if piece and block[0].strip().isdecimal():  # the number of a cue that is not there
                continue
            name = f"{number}/{piece + 1}" if piece else str(number)
            yield Cue(name, block.start(), block.end(), begins, finishes)


def _text_end(text: str, start: int, end: int) -> int:
    """Where a cue's text ends that is before the times at `end`: before the number of the next."""
    line_start = text.rfind("\n", 0, max(end - 1, 0)) + 1
    number = text[max(line_start, start) : end]
    return max(line_start, start) if number.strip().isdecimal() else end


FORMAT = TextFormat(name="srt", title="SubRip subtitles", slots=_slots)
