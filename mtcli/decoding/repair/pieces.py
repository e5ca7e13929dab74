"""A text as pieces to translate by themselves, and what stands between them and stays."""

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from mtcli.checking.lines import has_letters
from mtcli.checking.spans import Span, SpanKind, protected_spans
from mtcli.decoding.repair.tools import PartTools
from mtcli.decoding.repair.words import COPIED, Answers, Ask, Pieces, Worded

# What is kept around a piece, so that the model sees words alone: brackets, quotation marks, dashes, signs.
_BEFORE = re.compile(r"^[\W_]*")
_BEHIND = re.compile(r"[\W_]*$")
_LAST_MARK = re.compile(r"(?<=\w)[.!?。]$")
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
    def of(cls, text: str, spans: Sequence[Span]) -> "Apart":
        """Take it apart around some spans."""
        kept, texts, before, place = [], [], "", 0
        for start, end in [*((span.start, span.end) for span in spans), (len(text), len(text))]:
            head, body, tail = _trimmed(text[place:start])
            if body:
                kept.append(before + head)
                texts.append(body)
                before = tail
            else:
                before += text[place:start]
            before += text[start:end]
            place = end
        return cls([*kept, before], texts)

    @classmethod
    def around_protected(cls, text: str, *, numbers: bool) -> "Apart":
        """Take it apart around what a translation must leave as it is, with or without numbers."""
        return cls.of(text, protected_spans(text, frozenset(SpanKind) if numbers else NO_NUMBERS))

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


def _trimmed(text: str) -> tuple[str, str, str]:
    """A piece without the marks around it, and these."""
    if not has_letters(text):
        return text, "", ""
    start = _BEFORE.match(text)
    head = start[0] if start else ""
    rest = text[len(head) :]
    end = _BEHIND.search(rest)
    tail = end[0] if end else ""
    return head, rest[: len(rest) - len(tail)], tail


def translated(apart: Apart, tools: PartTools) -> Generator[Ask, Answers, Worded | None]:
    """Translate a text piece by piece: of each the first translation with the fewest faults, or else itself.

    Gives None where there is no piece, or one is longer than the model reads.
    """
    sentences = [tools.sentence(text) for text in apart.texts]
    if not sentences or any(sentence is None for sentence in sentences):
        return None
    answers = yield Ask([sentence for sentence in sentences if sentence is not None])
    chosen = [_best(text, found, tools) for text, found in zip(apart.texts, answers, strict=True)]
    whole = apart.filled([text for _, text in chosen])
    return Pieces.together(scored for scored, _ in chosen), whole


def _best(piece: str, found: Sequence[Worded], tools: PartTools) -> Worded:
    """The first of the lightest."""
    ends_open = not _LAST_MARK.search(piece)  # a model that learnt sentences ends one where there is none
    choices = [(scored, _LAST_MARK.sub("", text) if ends_open else text) for scored, text in found if has_letters(text)]
    return min(
        [*choices, (COPIED, piece)], key=lambda worded: tools.weigh(piece, worded[1], copied=worded[0] is COPIED)
    )
