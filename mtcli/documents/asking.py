"""Many segments at once: each is a small program that asks for lines, and all that ask are answered together.

What a segment gets depends on its own lines alone, so that it does not matter which others are in the same window.
"""

from collections.abc import Generator, Sequence
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


def run(programs: Sequence[Program], translator: LineTranslator) -> list[Any]:
    """Run programs to their ends; returns their results, in order."""
    results: list[Any] = [None] * len(programs)
    waiting: dict[int, Ask] = {}

    def go_on(place: int, answers: Sequence[Answer] | None) -> None:
        try:
            waiting[place] = programs[place].send(answers)  # type: ignore[arg-type]
        except StopIteration as end:
            waiting.pop(place, None)
            results[place] = end.value

    for place in range(len(programs)):
        go_on(place, None)
    while waiting:
        asked = dict(waiting)
        answers = _answers(list(asked.values()), translator)
        for place, given in zip(asked, answers, strict=True):
            go_on(place, given)
    return results


def _answers(asked: Sequence[Ask], translator: LineTranslator) -> list[list[Answer]]:
    """Answer all that was asked: each line is translated once, and linked where anybody wants that."""
    lines = list(dict.fromkeys(line for ask in asked for line in ask.lines))
    found = dict(zip(lines, translator.translate(lines), strict=True)) if lines else {}
    linked = list(dict.fromkeys(line for ask in asked if ask.links for line in ask.lines))
    links = dict(zip(linked, translator.links([found[line] for line in linked]), strict=True)) if linked else {}
    return [[Answer(found[line].text, links.get(line, ())) for line in ask.lines] for ask in asked]
