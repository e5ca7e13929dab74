"""WebVTT subtitles (.vtt): headers, notes, styles, regions, names and settings of cues stay."""

import html
import re
from collections.abc import Iterator

from mtcli.formats.documents.inline_codes import Mark
from mtcli.formats.documents.model import CodeKind, ReadOptions
from mtcli.formats.documents.source_text import Slot, SourceText, TextFormat
from mtcli.formats.documents.subtitles import Cue, Tags, cue_slots, seconds

_TIME = r"(?:(\d{2,}):)?(\d{2}):(\d{2})\.(\d{3})"
_TIMING = re.compile(rf"[ \t]*{_TIME}[ \t]*-->[ \t]*{_TIME}(?:[ \t][^\n]*)?\r?$")
_BLOCK = re.compile(r"[^\r\n][^\n]*(?:\n(?!\r?\n|\Z)[^\n]+)*")
_OTHER = re.compile(r"(?:NOTE|STYLE|REGION)(?=[ \t\r\n]|\Z)")
_TAG = r"</?[a-zA-Z][^<>]*>|<\d[\d:.]*>|</>"
_NAME = re.compile(r"<(/?)(c|i|b|u|v|ruby|rt|lang)(?=[\s.>])")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def _mark(tag: str) -> Mark:
    if match := _NAME.match(tag):
        return Mark(tag, CodeKind.CLOSE if match[1] else CodeKind.OPEN, match[2])
    return Mark(tag)


_TAGS = Tags(
    tag=re.compile(_TAG),
    mark=_mark,
    decode=html.unescape,
    encode=lambda text: text.translate(_ESCAPES),
    dash=re.compile(rf"[ \t]*(?:{_TAG})*[-–—‐][ \t]*(?=[^\s\-–—])"),
)


def _slots(text: SourceText, options: ReadOptions) -> Iterator[Slot]:
    yield from cue_slots(text, _cues(text), _TAGS)


def _cues(text: SourceText) -> Iterator[Cue]:
    if not re.match(r"WEBVTT(?=[ \t\r\n]|\Z)", text.text):
        raise text.error(0, "WebVTT begins with the word WEBVTT. If these are SubRip subtitles, name the file .srt.")
    number = 0
    for block in _BLOCK.finditer(text.text):
        found = _timing(text, block.start(), block.end())
        if found is None:
            continue
        timing, number = found, number + 1
        if (start := timing.end() + 1) < block.end():
            begins, ends = seconds(*timing.groups()[:4]), seconds(*timing.groups()[4:])
            yield Cue(str(number), start, block.end(), begins, ends)


def _timing(text: SourceText, start: int, end: int) -> re.Match[str] | None:
    """The times of a cue: the first or second line of its block; None where it is none.

    Raises:
        DataError: the line is damaged.
    """
    if _OTHER.match(text.text, start):
        return None
    first_end = text.text.find("\n", start, end)
    lines = [(start, end if first_end < 0 else first_end)]
    if first_end >= 0:
        second_end = text.text.find("\n", first_end + 1, end)
        lines.append((first_end + 1, end if second_end < 0 else second_end))
    for line_start, line_end in lines:
        if "-->" in text.text[line_start:line_end]:
            timing = _TIMING.match(text.text, line_start, line_end)
            if timing is None:
                raise text.error(
                    line_start, "this is no line of times. Expected such as: 00:00:01.000 --> 00:00:02.500."
                )
            return timing
    return None


FORMAT = TextFormat(name="vtt", title="WebVTT subtitles", slots=_slots)
