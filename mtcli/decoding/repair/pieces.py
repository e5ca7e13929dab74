"""A text as pieces to translate by themselves, and what stands between them and stays."""

import re
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from operator import attrgetter

from mtcli.checking.lines import has_letters
from mtcli.checking.spans import Span, SpanKind, protected_spans
from mtcli.decoding.lines import split_clauses
from mtcli.decoding.repair.faults import is_shouted
from mtcli.decoding.repair.tools import PartTools
from mtcli.decoding.repair.words import COPIED, Answers, Ask, Pieces, Worded

# What is kept around a piece, so that the model sees words alone: brackets, quotation marks, dashes, signs.
_BEFORE = re.compile(r"^[\W_]*")
_BEHIND = re.compile(r"[\W_]*$")
_LAST_MARK = re.compile(r"(?<=\w)[.!?。]$")
_CODE = re.compile(r"(?<!\w)(?=\w*\d)(?=\w*[a-zA-Z])\w+(?!\w)", re.ASCII)  # and ordinals, amounts with a unit
_WORD = re.compile(r"\S+")
_FEWEST_WORDS = 2  # of a half
_DEEPEST = 4  # times that a piece is taken apart again
_NUMBERS = frozenset({SpanKind.NUMBER, SpanKind.EMOJI, SpanKind.VERSION})
NO_NUMBERS = frozenset(SpanKind) - _NUMBERS


@dataclass(frozen=True)
class Apart:
    """A text taken apart.

    Attributes:
        kept: what stands before each piece, and behind the last.
        texts: the pieces, each with a letter.
    """

    kept: Sequence[str]
    texts: Sequence[str]

    @classmethod
    def of(cls, text: str, spans: Sequence[Span], written: Callable[[Span], str] = attrgetter("text")) -> "Apart":
        """Take it apart around some spans, of which something else may be written."""
        kept, texts, before, place = [], [], "", 0
        for span in [*spans, Span(SpanKind.NUMBER, len(text), len(text), "")]:
            head, body, tail = _trimmed(text[place : span.start])
            if body:
                kept.append(before + head)
                texts.append(body)
                before = tail
            else:
                before += text[place : span.start]
            before += written(span)
            place = span.end
        return cls([*kept, before], texts)

    @classmethod
    def around_protected(cls, text: str, tools: PartTools, *, numbers: bool) -> "Apart":
        """Take it apart around what a translation must leave as it is, with or without numbers."""

        def written(span: Span) -> str:
            return tools.faults.numeral(span.text) if span.kind is SpanKind.NUMBER else span.text

        spans = _with_codes(text, protected_spans(text)) if numbers else protected_spans(text, NO_NUMBERS)
        return cls.of(text, spans, written) if spans else cls([text], [])

    @classmethod
    def split(cls, text: str, texts: Sequence[str]) -> "Apart":
        """Take it apart into these, which stand in it in this order."""
        kept, place = [], 0
        for piece in texts:
            start = text.index(piece, place)
            kept.append(text[place:start])
            place = start + len(piece)
        return cls([*kept, text[place:]], texts)

    def filled(self, translations: Sequence[str]) -> str:
        """The whole, with these in the place of the pieces."""
        *before, last = self.kept
        return "".join([*(kept + text for kept, text in zip(before, translations, strict=True)), last])


def _with_codes(text: str, spans: Sequence[Span]) -> list[Span]:
    """Spans of which those inside a word such as 4JS7Q6 or 2nd are the whole word."""
    found: list[Span] = []
    codes = [Span(SpanKind.CODE, *match.span(), match[0]) for match in _CODE.finditer(text)]
    for span in spans:
        whole = next((code for code in codes if code.start <= span.start and span.end <= code.end), span)
        if not found or found[-1].end <= whole.start:
            found.append(whole)
    return found


def _trimmed(text: str) -> tuple[str, str, str]:
    """A piece without the marks around it, and these."""
    if not has_letters(text):
        return text, "", ""
    head = text[: _end(_BEFORE.match(text))]
    rest = text[len(head) :]
    tail = rest[len(rest) - len(_text(_BEHIND.search(rest))) :]
    return head, rest[: len(rest) - len(tail)], tail


def _end(match: re.Match[str] | None) -> int:
    return match.end() if match else 0


def _text(match: re.Match[str] | None) -> str:
    return match[0] if match else ""


def translated(apart: Apart, tools: PartTools, depth: int = 0) -> Generator[Ask, Answers, Worded | None]:
    """Translate a text piece by piece: of each the first translation with the fewest faults, or else itself.

    Pieces at fault are taken apart once more, and what comes of it likewise. Gives None where there is no piece, one is
    longer than the model reads, or all would be left as they are.
    """
    sentences = [tools.sentence(_in_small_letters(text)) for text in apart.texts]
    if not sentences or any(sentence is None for sentence in sentences):
        return None
    answers = yield Ask([sentence for sentence in sentences if sentence is not None])
    chosen = []
    for text, found in zip(apart.texts, answers, strict=True):
        best, weight = _best(text, found, tools)
        if weight and depth < _DEEPEST and (finer := _finer(text, tools)) is not None:
            other = yield from translated(finer, tools, depth + 1)
            if other is not None and tools.weigh(text, other[1]) < weight:
                best = other
        chosen.append(best)
    if all(scored is COPIED for scored, _ in chosen):
        return None
    whole = apart.filled([text for _, text in chosen])
    return Pieces.together(scored for scored, _ in chosen), whole


def _best(piece: str, found: Sequence[Worded], tools: PartTools) -> tuple[Worded, int]:
    """The first of the lightest, and its weight."""
    ends_open = not _LAST_MARK.search(piece)  # a model that learnt sentences ends one where there is none
    choices = [(scored, _LAST_MARK.sub("", text) if ends_open else text) for scored, text in found if has_letters(text)]
    if is_shouted(piece):
        choices = [(scored, text.upper()) for scored, text in choices]
    weighed = [(tools.weigh(piece, text), (scored, text)) for scored, text in choices]
    weight, best = min([*weighed, (tools.weigh(piece, piece, copied=True), (COPIED, piece))], key=lambda one: one[0])
    return best, weight


def _finer(piece: str, tools: PartTools) -> Apart | None:
    """A piece as smaller ones: around numbers and the like, else at clauses, else at its middle."""
    around = Apart.around_protected(piece, tools, numbers=True)
    if around.texts:
        return around
    for texts in (split_clauses(piece), in_halves(piece)):
        if len(texts) > 1:
            return Apart.split(piece, texts)
    return None


def in_halves(text: str) -> list[str]:
    """A text's first and second half by words; the whole where it is short."""
    words = list(_WORD.finditer(text))
    if len(words) < 2 * _FEWEST_WORDS:
        return [text]
    middle = len(words) // 2
    return [text[: words[middle - 1].end()], text[words[middle].start() :]]


def _in_small_letters(text: str) -> str:
    return text[:1] + text[1:].lower() if is_shouted(text) else text
