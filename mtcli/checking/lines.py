"""A source line and its translation, with what several checks read of them, each found once and when it is needed."""

import re
from collections.abc import Sequence
from functools import cached_property

from mtcli.checking.languages import Language, foreign_letters, foreign_words
from mtcli.checking.lengths import LengthStatistics
from mtcli.checking.settings import CheckSettings
from mtcli.checking.spans import Span, protected_spans

_LETTER = re.compile(r"[^\W\d_]")
# Whatever checks of numbers, brackets, quotation marks and protected text need at least one of.
_MARK = re.compile(r"[^a-zA-ZÀ-ɏ\u0400-\u04ff\u3041-\u30ff\u4e00-\u9fff\uac00-\ud7a3\s.,!?'’-]|\.[a-zA-Z]")


class Direction:
    """Hold what is the same for all lines of a job: the two languages and the settings.

    Attributes:
        src, tgt: the languages.
        differ: whether they are known not to be the same.
        src_words: common words of the source language that the target language has not.
        foreign_letters: letters in a row that the target language is not written in.
        foreign_words: common words of other languages than the target's.
        lengths: how long translations usually are; None where it depends on the scripts of each line.
        settings: how strict the checks are.
    """

    def __init__(self, src: Language, tgt: Language, settings: CheckSettings) -> None:
        self.src, self.tgt, self.settings = src, tgt, settings
        self.differ = bool(src.code and tgt.code) and src.code != tgt.code
        self.src_words = src.common_words - tgt.common_words
        self.foreign_letters, self.foreign_words = foreign_letters(tgt), foreign_words(tgt)
        self.lengths = settings.lengths
        if self.lengths is None and src.scripts and tgt.scripts:
            self.lengths = LengthStatistics.between(src.scripts[0], tgt.scripts[0])


class LinePair:
    """Hold a line and its translation.

    Attributes:
        source, target: as they are.
        src_words, tgt_words: what stands between their spaces, in lower case.
        tgt_set: the different ones of the target's.
    """

    def __init__(self, source: str, target: str) -> None:
        self.source, self.target = source, target
        self.src_words: list[str] = source.lower().split()
        self.tgt_words: list[str] = target.lower().split()
        self.tgt_set = set(self.tgt_words)

    @property
    def is_marked(self) -> bool:
        """Tell whether either line has more than letters of the commonest scripts and marks."""
        return bool(_MARK.search(self.source) or _MARK.search(self.target))

    @cached_property
    def src_set(self) -> set[str]:
        return set(self.src_words)

    @cached_property
    def src_spans(self) -> list[Span]:
        return protected_spans(self.source)

    @cached_property
    def tgt_spans(self) -> list[Span]:
        return protected_spans(self.target)


def has_letters(text: str) -> bool:
    """Tell whether there is anything to translate in a text."""
    return bool(_LETTER.search(text))


def word_places(text: str) -> list[tuple[int, int]]:
    """Where each of `text.split()` stands."""
    places, end = [], 0
    for word in text.split():
        start = text.index(word, end)
        end = start + len(word)
        places.append((start, end))
    return places


def without(text: str, spans: Sequence[Span]) -> str:
    """The text with a space in the place of each character of the spans: what stays is where it was."""
    for span in spans:
        text = text[: span.start] + " " * (span.end - span.start) + text[span.end :]
    return text
