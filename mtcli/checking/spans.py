"""What a translation must leave as it is: placeholders, tags, URLs, addresses, code, paths, versions, numbers, emoji.

One regular expression finds them all, from left to right; where two could begin at one place, the earlier kind of
`SpanKind` wins. Words are ASCII here (`re.ASCII`), so that a particle written onto a name (`report.pdf를`) ends it. A
line without any character that such a span needs is answered after one search.
"""

import re
from collections.abc import Collection, Iterator
from enum import StrEnum
from typing import NamedTuple


class SpanKind(StrEnum):
    """Name a kind of protected text; in the order in which they are tried."""

    URL = "url"
    EMAIL = "email"
    CODE = "code"
    TAG = "tag"
    ENTITY = "entity"
    PLACEHOLDER = "placeholder"
    PATH = "path"
    OPTION = "option"
    VERSION = "version"
    NUMBER = "number"
    EMOJI = "emoji"


class Span(NamedTuple):
    """Hold one protected piece of a text: `text[start:end]`."""

    kind: SpanKind
    start: int
    end: int
    text: str


# Characters of scripts that write no spaces between words, where a URL ends though no space follows.
_UNSPACED = "\u1100-\u11ff\u3000-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
_FILE_ENDINGS = (
    "avi bat bin bmp bz2 cfg conf cpp css csv deb dll doc docx exe flac gif gz h5 htm html ico ini iso jar java jpeg "
    "jpg js json lock log md mkv mov mp3 mp4 odp ods odt ogg pdf php png po pot ppt pptx ps py rar rpm rst rtf sh so "
    "sql srt svg tar tex tgz tiff toml ts tsv txt wav webm webp xhtml xls xlsx xml xz yaml yml zip zst"
).replace(" ", "|")
_DIGIT = "[0-9０-９٠-٩]"
_EMOJI = (
    "[\u2600-\u27bf\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\U0001f000-\U0001faff]"
    "[\ufe0f\u20e3\U0001f3fb-\U0001f3ff]*(?:\u200d[\u2640-\u27bf\U0001f300-\U0001faff][\ufe0f\U0001f3fb-\U0001f3ff]*)*"
)

_PATTERNS: dict[SpanKind, str] = {
    SpanKind.URL: (
        rf"(?:(?<![a-zA-Z])(?:https?|s?ftp|file|git|ssh|ws|wss)://|mailto:|(?<![\w.@/])www\.(?=\w))"
        rf"(?:[^\s\u00a0<>\"“”„«»`{{}}|\\^{_UNSPACED}]|\{{\w+\}})+"
    ),
    SpanKind.EMAIL: r"(?<![\w.+-])[a-zA-Z0-9_][\w.+-]*@[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*\.[a-zA-Z]{2,}",
    SpanKind.CODE: (
        r"``[^`]+``|`[^`]+`|(?<![\w/])__\w+?__(?!\w)"
        r"|(?<![\w$%{])[a-zA-Z][a-zA-Z0-9]*(?:_+[a-zA-Z0-9]+)+(?:\(\))?(?![\w}])"
        r"|(?<![\w$%.])[a-zA-Z_][\w.]*\(\)"
        r"|(?<![\w-])(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{7,64}(?![\w-])"
        r"|(?<![\w-])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![\w-])|(?<!\w)0x[0-9a-fA-F]+(?!\w)"
    ),
    SpanKind.TAG: (
        r"<!--.{0,200}?-->|</?[a-zA-Z][\w:.-]*"
        r"(?:\s+[\w:@.-]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s<>\"'=]+))?)*\s*/?>|</?\d+\s*/?>"
    ),
    SpanKind.ENTITY: r"&(?:#[0-9]+|#[xX][0-9a-fA-F]+|[a-zA-Z][a-zA-Z0-9.-]{1,31});",
    SpanKind.PLACEHOLDER: (
        r"\{\{[^{}]{1,80}\}\}|[$#%@]\{[^{}]{1,80}\}"
        r"|\{\s*\w+\s*,\s*(?:plural|select|selectordinal)\s*,"
        r"(?:[^{}]{1,400}|\{(?:[^{}]|\{[^{}]{0,400}\}){0,400}\}){0,20}\}"
        r"|\{\s?[^\s(){}:!,|]*(?:\([^(){}]*\))?(?:[:!,|][^{}]*)?\s?\}"
        r"|%\([\w. -]+\)[#0+-]*\d*(?:\.\d+)?[diouxXeEfFgGcrsa]"
        r"|(?<![\d%])%%|(?<![\d%])%(?:\d+\$)?[#0+-]*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:hh?|ll?|[LzjtqI])?"
        r"[diouxXeEfFgGcsSpn@](?![a-z]{2})"
        r"|(?<![\w%])%[A-Z][A-Z0-9_]*%|(?<![\d%])%L?[1-9]\d?(?![\d%$])"
        r"|(?<![\w$])\$[a-zA-Z_]\w+|(?<![\w$])\$[1-9](?![\d.,]|\s*[a-z]*illi)|\\[nrt](?![a-z])"
    ),
    SpanKind.PATH: (
        r"(?<![\w])[a-zA-Z]:\\[^\s\"<>|*?]*|\\\\[\w.$-]+\\[^\s\"<>|*?]*"
        r"|(?<![\w/.~<])(?:~|\.{1,2})?/(?:[a-zA-Z0-9_.+@%-]+/)*[a-zA-Z0-9_.+@-]*[a-zA-Z0-9_-]/?"
        rf"|(?<![\w.])[a-zA-Z0-9_][\w-]*(?:\.[\w-]+)*\.(?:{_FILE_ENDINGS})(?![\w])"
    ),
    SpanKind.OPTION: r"(?<![\w-])--[a-zA-Z][\w-]*[a-zA-Z0-9]",
    SpanKind.VERSION: (
        r"(?<![\w.])[vV]\d+(?:\.\d+)*(?![\w])"
        r"|(?<![\w.,])(?!\d{1,2}\.\d{1,2}\.\d{2,4}(?!\d)|\d{1,3}(?:\.\d{3})+(?!\d))"
        r"\d+\.\d+\.\d+(?:\.\d+)*(?:[-+][a-zA-Z0-9.]*[a-zA-Z0-9])?(?![\w])"
    ),
    SpanKind.NUMBER: rf"{_DIGIT}+(?:[.,:/'’٫٬]{_DIGIT}+|[\u00a0\u202f\u2009]{_DIGIT}{{3}}(?!{_DIGIT}))*",
    SpanKind.EMOJI: rf"[\U0001f1e6-\U0001f1ff]{{2}}|{_EMOJI}|[0-9#*]\ufe0f?\u20e3",
}
# A keycap begins as a number does, so that emoji are tried before numbers.
_ORDER = (*(kind for kind in SpanKind if kind is not SpanKind.NUMBER), SpanKind.NUMBER)
_ANY = re.compile("|".join(f"(?P<{kind.value}>{_PATTERNS[kind]})" for kind in _ORDER), re.ASCII)
_HINT = re.compile(r"[0-9０-９٠-٩@%{<$`/\\&_\u2600-\u27bf\u2b05-\u2b55\U0001f000-\U0001faff]|--|[a-z]\.[a-zA-Z]|\(\)")
_HOLDS_SPACES = re.compile(r"[{<`\u00a0\u202f\u2009\\]|%\(|\$[1-9](?![\d.,])")
_KINDS = {kind.value: kind for kind in SpanKind}
_SENTENCE_MARKS = ".,;:!?'\"…*_"
_CLOSING = {")": "(", "]": "["}

ALL_KINDS = frozenset(SpanKind)


def protected_spans(text: str, kinds: Collection[SpanKind] = ALL_KINDS) -> list[Span]:
    """Find what a translation must leave as it is, in the order of the text; no two overlap.

    Args:
        text: one line.
        kinds: those wanted. What belongs to another kind is skipped as a whole: the number inside a URL is no number.
    """
    return list(_found(text, kinds)) if _HINT.search(text) else []


def _found(text: str, kinds: Collection[SpanKind]) -> Iterator[Span]:
    """Search the words that hold a character of such spans, or all that follows where one may hold spaces."""
    place = 0
    for hint in _HINT.finditer(text):
        if hint.start() < place:
            continue
        place = max(place, text.rfind(" ", 0, hint.start()) + 1)
        word_end = text.find(" ", hint.start())
        end = len(text) if word_end < 0 or _HOLDS_SPACES.search(text, place, word_end) else word_end
        while match := _ANY.search(text, place, end):
            kind = _KINDS[match.lastgroup or ""]
            start, place = match.span()
            if kind is SpanKind.URL:
                place = start + len(_without_sentence_marks(match[0]))
            if kind in kinds:
                yield Span(kind, start, place, text[start:place])
        place = end


def _without_sentence_marks(url: str) -> str:
    """The URL without what belongs to the sentence around it: final marks, brackets that it does not open."""
    while url:
        last = url[-1]
        opening = _CLOSING.get(last)
        if last not in _SENTENCE_MARKS and (opening is None or url.count(opening) >= url.count(last)):
            break
        url = url[:-1]
    return url
