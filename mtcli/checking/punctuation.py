"""Checks `bracket`, `quote` and `end-punctuation`: marks that stand alone, or that the other line ends without."""

import re
from collections.abc import Mapping

from mtcli.checking.findings import Finding, Severity, quoted
from mtcli.checking.lines import Direction, LinePair, has_letters

BRACKET, QUOTE, END = "bracket", "quote", "end-punctuation"
_OPENING, _CLOSING = "([{（［｛【〔", ")]}）］｝】〕"
_BRACKETS = re.compile(f"[{re.escape(_OPENING + _CLOSING)}]")
_QUOTES = re.compile('["“”„‟«»「」『』＂〝〞〟]')
# Marks that belong to no word but may close a line behind its end.
_TAIL = " \t\u00a0\u202f\u200b\"“”„‟«»「」『』＂'’‘‚‹›)]}）］｝】*_`"
_END_OF: Mapping[str, str] = {
    **dict.fromkeys(".。．｡।։۔", "full stop"),
    **dict.fromkeys("?？؟;", "question mark"),
    **dict.fromkeys("!！", "exclamation mark"),
    **dict.fromkeys(":：", "colon"),
    **dict.fromkeys("…‥", "ellipsis"),
}
_NONE = "no mark"
# What one language ends with and another may end without, or otherwise: only these changes are faults.
_FAULTS = frozenset(
    {
        ("question mark", "full stop"),
        ("question mark", _NONE),
        ("full stop", "question mark"),
        ("exclamation mark", _NONE),
        ("colon", _NONE),
        (_NONE, "question mark"),
        (_NONE, "colon"),
    }
)
# Many write them at will behind captions, headings and entries of lists, but nobody within prose.
_STOP_FAULTS = frozenset({("full stop", _NONE), (_NONE, "full stop")})
_SENTENCE_END = re.compile(r"[^\W\d_]{2}[.!?][\"”»)]*\s+[^\W\d_]|[。！？].")
_WITHOUT_STOPS = ("th", "lo", "km", "my")


def find_brackets(lines: LinePair, direction: Direction) -> list[Finding]:
    """Find brackets without a partner, where the source's all have one or fewer lack it."""
    alone = _alone(lines.target)
    if not alone or len(alone) <= len(_alone(lines.source)):
        return []
    marks = ", ".join(quoted(lines.target[place]) for place in alone)
    message = f"{marks} {'has' if len(alone) == 1 else 'have'} no partner"
    return [Finding(BRACKET, Severity.WARNING, message, target=tuple((place, place + 1) for place in alone))]


def _alone(text: str) -> list[int]:
    """Places of brackets that do not pair; full-width ones pair with others of their shape."""
    open_places: list[tuple[int, int]] = []
    num_open = [0, 0, 0]
    alone = []
    for match in _BRACKETS.finditer(text):
        if (shape := _OPENING.find(match[0])) >= 0:
            open_places.append((shape % 3, match.start()))
            num_open[shape % 3] += 1
            continue
        shape = _CLOSING.index(match[0]) % 3
        if not num_open[shape]:
            alone.append(match.start())
            continue
        while open_places[-1][0] != shape:
            other, place = open_places.pop()
            num_open[other] -= 1
            alone.append(place)
        open_places.pop()
        num_open[shape] -= 1
    return sorted([*alone, *(place for _, place in open_places)])


def find_quotes(lines: LinePair, direction: Direction) -> list[Finding]:
    """Find an odd number of quotation marks where the source has an even one, or none."""
    tgt = [match.start() for match in _QUOTES.finditer(lines.target)]
    if len(tgt) % 2 == 0 or len(_QUOTES.findall(lines.source)) % 2:
        return []
    message = "a quotation mark has no partner"
    return [Finding(QUOTE, Severity.WARNING, message, target=tuple((place, place + 1) for place in tgt))]


def find_end(lines: LinePair, direction: Direction) -> list[Finding]:
    """Find a line that ends as another kind of sentence than its source."""
    src, tgt = lines.source.rstrip(_TAIL), lines.target.rstrip(_TAIL)
    if not src or not tgt or src[-1] == tgt[-1]:
        return []
    ends = _end(src), _end(tgt)
    if ends not in _FAULTS and not (ends in _STOP_FAULTS and _must_stop(lines, direction)):
        return []
    if direction.tgt.code in _WITHOUT_STOPS or direction.src.code in _WITHOUT_STOPS:
        return []
    if not (has_letters(src) and has_letters(tgt)):
        return []
    wheres = [((len(text) - 1, len(text)),) if end != _NONE else () for text, end in zip((src, tgt), ends, strict=True)]
    return [Finding(END, Severity.WARNING, f"the source ends with {ends[0]}, the translation with {ends[1]}", *wheres)]


def ends_alike(source: str, target: str) -> bool:
    """Tell whether both lines end with a full stop or neither does."""
    src, tgt = source.rstrip(_TAIL), target.rstrip(_TAIL)
    return not src or not tgt or (_end(src), _end(tgt)) not in _STOP_FAULTS


def _must_stop(lines: LinePair, direction: Direction) -> bool:
    """Whether a full stop more or less is a fault: always, or in lines of several sentences alone."""
    if direction.settings.full_stops:
        return True
    return bool(_SENTENCE_END.search(lines.source) and _SENTENCE_END.search(lines.target))


def _end(text: str) -> str:
    return "ellipsis" if text.endswith("...") else _END_OF.get(text[-1], _NONE)
