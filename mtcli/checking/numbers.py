"""Check `number`: numbers, dates, times and amounts that are not the same on both sides.

A number is compared by its value, as its language writes it: 1,299.99 in English is 1.299,99 in German. Where a piece
can be read in several ways (7.30 is a time, or seven and three tenths), one that fits is enough. What is missing in
digits may stand in words.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise

from mtcli.checking.conversions import is_converted
from mtcli.checking.findings import Finding, Severity, quoted
from mtcli.checking.languages import Language
from mtcli.checking.lines import Direction, LinePair
from mtcli.checking.number_words import is_written_in_words
from mtcli.checking.spans import Span, SpanKind

NUMBER = "number"
Reading = tuple[str, ...]
"""The values of a piece in one way to read it: one, or those of its parts."""

_KINDS = (SpanKind.NUMBER, SpanKind.VERSION)
_SEPARATOR = re.compile(r"[.,'’٫٬]")
_PARTS = re.compile(r"[:/]")
_SPACES = re.compile("[\u00a0\u202f\u2009]")
_DATE = re.compile(r"\d{1,2}\.\d{1,2}\.(?:\d{4}|\d{2})")
_TIME = re.compile(r"(\d{1,2})(?:[:.](\d\d))?")
_AFTERNOON = re.compile(r"\d\s?p\.?\s?m\b|오후|저녁|밤|午後|après-midi|du soir|nachmittags|abends", re.IGNORECASE)
_MAGNITUDES: Mapping[str, Mapping[str, int]] = {
    "en": {"thousand": 3, "k": 3, "million": 6, "m": 6, "mn": 6, "billion": 9, "bn": 9, "trillion": 12},
    "de": {"tausend": 3, "tsd": 3, "million": 6, "mio": 6, "milliard": 9, "mrd": 9, "billion": 12, "bio": 12},
    "fr": {"mille": 3, "million": 6, "milliard": 9, "billion": 12},
    "es": {"mil": 3, "millón": 6, "millones": 6, "billón": 12, "billones": 12},
    "it": {"mila": 3, "milion": 6, "miliard": 9},
    "nl": {"duizend": 3, "miljoen": 6, "miljard": 9},
}
_MAGNITUDE_WORD = re.compile(r"[\s\u00a0-]?([^\W\d_]+)")
_EASTERN_UNITS: Mapping[str, int] = {
    "십": 1,
    "十": 1,
    "백": 2,
    "百": 2,
    "천": 3,
    "千": 3,
    "만": 4,
    "万": 4,
    "萬": 4,
    "억": 8,
    "億": 8,
    "亿": 8,
    "조": 12,
    "兆": 12,
}
_UNIT_LETTERS = "".join(_EASTERN_UNITS)
_EASTERN_PIECE = rf"\d[\d,.]*\s?[{_UNIT_LETTERS}]+"
_EASTERN = re.compile(rf"(?<![\d,.]){_EASTERN_PIECE}(?:\s?{_EASTERN_PIECE})*(?:\s?\d[\d,]*)?")
_EASTERN_PART = re.compile(rf"(\d[\d,.]*)\s?([{_UNIT_LETTERS}]*)")


def find_numbers(lines: LinePair, direction: Direction) -> list[Finding]:
    """Find numbers that one side has and the other has neither in digits nor in words."""
    src = [span for span in lines.src_spans if span.kind in _KINDS]
    tgt = [span for span in lines.tgt_spans if span.kind in _KINDS]
    if not src and not tgt:
        return []
    if len(src) == len(tgt) and _plainly_equal(src, tgt):
        return []
    sides = _Side(lines.source, lines.src_spans, direction.src), _Side(lines.target, lines.tgt_spans, direction.tgt)
    missing, added = sides[0].unexplained_by(sides[1]), sides[1].unexplained_by(sides[0])
    missing, added = _unconverted(missing, added, lines, direction)
    if not missing and not added:
        return []
    where = tuple((span.start, span.end) for span in missing), tuple((span.start, span.end) for span in added)
    return [Finding(NUMBER, Severity.ERROR, _message(missing, added), *where)]


def _plainly_equal(src: Sequence[Span], tgt: Sequence[Span]) -> bool:
    texts = sorted(span.text for span in src)
    return all(map(str.isdecimal, texts)) and texts == sorted(span.text for span in tgt)


def _unconverted(
    missing: list[Span], added: list[Span], lines: LinePair, direction: Direction
) -> tuple[list[Span], list[Span]]:
    """Those that are not each other in another unit."""
    for span in list(missing):
        for other in added:
            values = [*single_values([span], direction.src), *single_values([other], direction.tgt)]
            if len(values) == 2 and is_converted(values[0], values[1], lines.source, lines.target):
                missing.remove(span)
                added.remove(other)
                break
    return missing, added


def single_values(spans: Sequence[Span], language: Language) -> list[str]:
    """The values of those that are one number, as their language writes it, with a point before decimals."""
    likeliest = (readings(span.text, language.decimal)[0] for span in spans if span.kind is SpanKind.NUMBER)
    return [reading[0] for reading in likeliest if len(reading) == 1]


def _message(missing: Sequence[Span], added: Sequence[Span]) -> str:
    if len(missing) == len(added) == 1:
        return f"{quoted(missing[0].text)} became {quoted(added[0].text)}"
    parts = [
        f"{', '.join(quoted(span.text) for span in spans)} {'are' if len(spans) > 1 else 'is'} {what}"
        for spans, what in ((missing, "missing"), (added, "not in the source"))
        if spans
    ]
    return "; ".join(parts)


class _Side:
    """One line's numbers, each with all ways to read it."""

    def __init__(self, text: str, spans: Sequence[Span], language: Language) -> None:
        """Read the numbers among a line's protected spans."""
        self._text, self._language = text, language
        self._eastern = _eastern_numbers(text)
        self._is_afternoon = bool(_AFTERNOON.search(text))
        self._numbers = [(span, self._ways(span)) for span in spans if span.kind in _KINDS]
        self._values = {value for _, ways in self._numbers for reading in ways for value in reading}
        self._values.update(self._joined([span for span, _ in self._numbers]))
        # $2 may be an amount, and is a placeholder for those who compare placeholders.
        self._values.update(span.text[1:] for span in spans if span.text[0] == "$")

    def unexplained_by(self, other: "_Side") -> list[Span]:
        """The numbers of this side that the other side does not have in any way."""
        left = [span for span, ways in self._numbers if not any(map(other._has_all, ways))]
        joined = self._joined(left) if len(left) > 1 else set()
        return [] if joined and joined <= other._values else left

    def _ways(self, span: Span) -> list[Reading]:
        ways = list(readings(span.text, self._language.decimal))
        ways += list(self._scaled(span, ways))
        ways += [(value,) for start, end, value in self._eastern if start <= span.start and span.end <= end]
        if time := _TIME.fullmatch(span.text):
            hour, minute = int(time[1]), time[2]
            hours = [hour, hour + 12] if self._is_afternoon and hour < 12 else [hour]
            ways += [(str(one), *((_canonical(minute),) if int(minute or 0) else ())) for one in hours]
        return ways

    def _has_all(self, reading: Reading) -> bool:
        return all(map(self._has, reading))

    def _has(self, value: str) -> bool:
        if value in self._values:
            return True
        if len(value) in (2, 4) and any(_are_one_year(value, own) for own in self._values):
            return True
        if len(value) == 4 and value[3] == "0" and is_written_in_words(value[2:], self._text, self._language):
            return True  # the seventies
        return is_written_in_words(value, self._text, self._language)

    def _scaled(self, span: Span, ways: Sequence[Reading]) -> Iterator[Reading]:
        """With a word behind it: 1.5 million."""
        magnitudes = _MAGNITUDES.get(self._language.code)
        word = _MAGNITUDE_WORD.match(self._text, span.end) if magnitudes else None
        if not magnitudes or not word:
            return
        for name, power in magnitudes.items():
            if word[1].lower().startswith(name) and (len(name) > 3 or len(word[1]) == len(name)):
                for reading in ways:
                    if len(reading) == 1:
                        yield (_canonical(Decimal(reading[0]).scaleb(power)),)

    def _joined(self, spans: Sequence[Span]) -> set[str]:
        """Groups of thousands with spaces between them."""
        return {
            before.text + after.text
            for before, after in pairwise(spans)
            if after.start - before.end == 1 and len(after.text) == 3 and self._text[before.end] == " "
        }


def _are_one_year(value: str, other: str) -> bool:
    """2012 and 12, as in 2011/12 or the '80s."""
    short, long = sorted((value, other), key=len)
    return len(short) == 2 and len(long) == 4 and long.endswith(short) and long[:2] in ("19", "20")


@lru_cache(4096)
def readings(text: str, decimal: str | None) -> tuple[Reading, ...]:
    """Read a piece with digits in every way that is possible in a language.

    Args:
        text: digits with separators between them.
        decimal: the language's mark before decimals; None where it is not known.

    Returns:
        the likeliest first; values without leading zeros, with a point before decimals.
    """
    text = _SPACES.sub("", text)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(str.maketrans("’٫٬٠١٢٣٤٥٦٧٨٩", "'.,0123456789"))
    if _PARTS.search(text):
        parts = [readings(part, decimal)[0] for part in _PARTS.split(text)]
        return (tuple(value for part in parts for value in part),)
    marks = _SEPARATOR.findall(text)
    groups = re.findall(r"\d+", text)
    apart = tuple(_canonical(group) for group in groups)
    if not marks:
        return (apart,)
    if _DATE.fullmatch(text) or "-" in text or len(groups) != len(marks) + 1:
        return (apart,)
    if len(set(marks)) > 1:
        last = "".join(groups[:-1]) + "." + groups[-1]
        return ((_canonical(last),), apart)
    if len(marks) > 1:
        is_grouped = all(len(group) == 3 for group in groups[1:]) and len(groups[0]) <= 3
        return ((_canonical("".join(groups)),), apart) if is_grouped else (apart,)
    return _with_one_mark(marks[0], groups[0], groups[1], decimal)


def _with_one_mark(mark: str, whole: str, rest: str, decimal: str | None) -> tuple[Reading, ...]:
    as_decimal: Reading = (_canonical(f"{whole}.{rest}"),)
    as_group: Reading = (_canonical(whole + rest),)
    apart: Reading = (_canonical(whole), _canonical(rest))
    may_group = len(rest) == 3 and 1 <= len(whole) <= 3 and not whole.startswith("0")
    if mark == "'":
        return (as_group,) if may_group else (apart,)
    if not may_group:
        return (as_decimal, apart)
    if decimal is None:
        return (as_decimal, as_group)
    return (as_decimal,) if mark == decimal else (as_group,)


def _canonical(number: str | Decimal) -> str:
    """Without zeros that change nothing."""
    text = number if isinstance(number, str) else f"{number:f}"
    whole, _, rest = text.partition(".")
    whole, rest = whole.lstrip("0") or "0", rest.rstrip("0")
    return f"{whole}.{rest}" if rest else whole


def _eastern_numbers(text: str) -> list[tuple[int, int, str]]:
    """Numbers that mix digits and units, each with its start and end: 3만 5천, 1억2000万."""
    if text.isascii():
        return []
    return [(*match.span(), _eastern_value(match[0])) for match in _EASTERN.finditer(text)]


def _eastern_value(text: str) -> str:
    """Units below ten thousand multiply what stands before them, larger ones all since the last larger one."""
    total, below = Decimal(0), Decimal(0)
    for number, units in _EASTERN_PART.findall(text):
        part = Decimal(number.replace(",", "").rstrip(".") or "0")
        for unit in units:
            power = _EASTERN_UNITS[unit]
            if power < 4:
                part = part.scaleb(power)
            else:
                total += (below + part).scaleb(power)
                below = part = Decimal(0)
        below += part
    return _canonical(total + below)
