"""What is tried for a part of a line whose translation is at fault, in order.

Each step gives another translation, or None where it has none. It is kept if its faults are fewer or lighter than those
of the best before it.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from mtcli.checking import Finding
from mtcli.checking.lines import without
from mtcli.checking.spans import protected_spans
from mtcli.data.sentences import split_sentences
from mtcli.decoding.lines import split_clauses
from mtcli.decoding.repair.faults import PROTECTED, is_shouted, needs_translation, without_doubles
from mtcli.decoding.repair.pieces import NO_NUMBERS, Apart, in_halves, translated
from mtcli.decoding.repair.tools import PartTools
from mtcli.decoding.repair.words import COPIED, Answers, Ask, Worded

Trying = Generator[Ask, Answers, Worded | None]


@dataclass(frozen=True)
class Case:
    """A part and its plain translation.

    Attributes:
        text: of the part, without the line's lead.
        tokens: of the part, with it.
        found: its translations, the best first, as the plain search gave them.
        findings: what is wrong with the best.
        tools: for the steps.
    """

    text: str
    tokens: list[int]
    found: Sequence[Worded]
    findings: Sequence[Finding]
    tools: PartTools

    def has_any(self, checks: frozenset[str]) -> bool:
        """Whether one of these checks found something."""
        return any(one.check in checks for one in self.findings)

    def lightest(self, choices: Sequence[Worded]) -> Worded | None:
        """The first with the fewest and lightest faults."""
        return min(choices, key=lambda worded: self.tools.weigh(self.text, worded[1]), default=None)


def copied(case: Case) -> Trying:
    """Copy what needs no translation: a number, a URL, code."""
    yield from ()
    return None if needs_translation(case.text) else (COPIED, case.text)


def doubled(case: Case) -> Trying:
    """Leave out what stands twice."""
    yield from ()
    scored, text = case.found[0]
    return scored, without_doubles(text, case.findings)


def around(case: Case) -> Trying:
    """Translate what stands between URLs, addresses, tags and placeholders, where one of them was lost."""
    if not case.has_any(PROTECTED):
        return None
    return (yield from translated(Apart.around_protected(case.text, case.tools, numbers=False), case.tools))


def lower_case(case: Case) -> Trying:
    """Translate a text in capitals as if it were written in small letters, and write its translation in capitals."""
    if not is_shouted(without(case.text, protected_spans(case.text, NO_NUMBERS))):
        return None
    lowered = _outside_spans(str.lower, case.text)
    sentence = case.tools.sentence(lowered[:1].upper() + lowered[1:])
    if sentence is None:
        return None
    [found] = yield Ask([sentence])
    return case.lightest([(scored, _outside_spans(str.upper, text)) for scored, text in found])


def another(case: Case) -> Trying:
    """Take another hypothesis of the same search: where it kept one alone, it is done again and keeps all."""
    if len(case.found) > 1:
        yield from ()
        return case.lightest(case.found[1:])
    if (sentence := case.tools.sentence_of(case.tokens)) is None:
        return None
    [found] = yield Ask([sentence])
    return case.lightest(found)


def by_sentence(case: Case) -> Trying:
    """Translate sentence by sentence what was translated as a whole."""
    return (yield from _split(case, split_sentences(case.text)))


def by_clause(case: Case) -> Trying:
    """Translate clause by clause."""
    return (yield from _split(case, split_clauses(case.text)))


def by_words(case: Case) -> Trying:
    """Translate some words at a time."""
    return (yield from _split(case, in_halves(case.text)))


def around_numbers(case: Case) -> Trying:
    """Translate what stands between numbers as well."""
    return (yield from translated(Apart.around_protected(case.text, case.tools, numbers=True), case.tools))


def source(case: Case) -> Trying:
    """Leave the source, where every translation is worse."""
    yield from ()
    return COPIED, case.text


def _split(case: Case, texts: Sequence[str]) -> Trying:
    if len(texts) < 2 or not all(text in case.text for text in texts):
        return None
    return (yield from translated(Apart.split(case.text, texts), case.tools))


def _outside_spans(change: Callable[[str], str], text: str) -> str:
    """The text with its words changed, and what a translation must leave as it is left."""
    pieces, place = [], 0
    for span in protected_spans(text, NO_NUMBERS):
        pieces += [change(text[place : span.start]), span.text]
        place = span.end
    return "".join([*pieces, change(text[place:])])


STEPS: tuple[tuple[str, Callable[[Case], Trying]], ...] = (
    ("copied", copied),
    ("doubled", doubled),
    ("around", around),
    ("lower-case", lower_case),
    ("another", another),
    ("by-sentence", by_sentence),
    ("around-numbers", around_numbers),
    ("by-clause", by_clause),
    ("by-words", by_words),
    ("source", source),
)
SOURCE = "source"
STEP_NAMES = tuple(name for name, _ in STEPS)
"""What `Translation.repaired` may name, in the order in which it is tried."""
