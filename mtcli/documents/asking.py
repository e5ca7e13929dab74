"""Many segments at once: each is a small program that asks for lines, and all that ask are answered together.

What a segment gets depends on its own lines alone, so that it does not matter which others are in the same window.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from mtcli.translation import Translation

Link = tuple[int, int]
"""A source word and the target word it belongs to; words are what white space separates, counted from 0."""


class LineTranslator(Protocol):
    """Translate lines, and tell which words of a translation are of which of the line."""

    def translate(self, lines: Sequence[str]) -> Sequence[Translation]:
        """Translate lines of text, each by itself."""
        ...

    def links(self, translations: Sequence[Translation]) -> Sequence[Sequence[Link]]:
        """Link each target word of each translation to one source word."""
        ...


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask for the translations of lines, and for their words' links if those are needed."""

    lines: tuple[str, ...]
    links: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold one line's translation, and its words' links if they were asked for."""

    text: str
    links: Sequence[Link] = ()


Program = Generator[Ask, Sequence[Answer], Any]
"""Asks until it knows its result, which it returns."""


class Rounds:
    """Programs on their way to their ends: all that they ask at one time is answered together.

    Attributes:
        results: what the programs returned, in order; None where one has not ended.
    """

    def __init__(self, programs: Sequence[Program]) -> None:
        """Begin all programs."""
        self._programs = programs
        self.results: list[Any] = [None] * len(programs)
        self._waiting: dict[int, Ask] = {}
        for place in range(len(programs)):
            self._go_on(place, None)

    @property
    def lines(self) -> list[str]:
        """Lines to translate, each once; none where all programs have ended, or wait for an empty answer."""
        return list(dict.fromkeys(line for ask in self._waiting.values() for line in ask.lines))

    @property
    def linked(self) -> list[str]:
        """Those of them whose words are to be linked."""
        return list(dict.fromkeys(line for ask in self._waiting.values() if ask.links for line in ask.lines))

    @property
    def is_over(self) -> bool:
        """Whether all programs have ended."""
        return not self._waiting

    def answer(self, texts: Mapping[str, str], links: Mapping[str, Sequence[Link]]) -> None:
        """Give every program its answers, and let it go on until it asks again."""
        asked, self._waiting = self._waiting, {}
        for place, ask in asked.items():
            self._go_on(place, [Answer(texts[line], links.get(line, ())) for line in ask.lines])

    def _go_on(self, place: int, answers: Sequence[Answer] | None) -> None:
        try:
            self._waiting[place] = self._programs[place].send(answers)  # type: ignore[arg-type]  # None begins one
        except StopIteration as end:
            self.results[place] = end.value


def run(programs: Sequence[Program], translator: LineTranslator) -> list[Any]:
    """Run programs to their ends; returns their results, in order."""
    rounds = Rounds(programs)
    while not rounds.is_over:
        lines, linked = rounds.lines, rounds.linked
        found = dict(zip(lines, translator.translate(lines), strict=True)) if lines else {}
        links = translator.links([found[line] for line in linked]) if linked else []
        texts = {line: translation.text for line, translation in found.items()}
        rounds.answer(texts, dict(zip(linked, links, strict=True)))
    return rounds.results
