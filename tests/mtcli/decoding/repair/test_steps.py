"""Each way to repair a line has one that needs it; none is taken that is no better; a stub stands for the model."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from mtcli.checking import CheckSettings
from mtcli.decoding.lines import Part
from mtcli.decoding.repair import Ask, Faults, LineTools, Worded, repair_line
from mtcli.decoding.repair.faults import lost_capitals
from mtcli.decoding.repair.pieces import Apart, in_halves
from mtcli.decoding.repair.steps import STEP_NAMES
from mtcli.decoding.repair.tools import PartTools
from mtcli.decoding.repair.words import Pieces
from mtcli.decoding.search import Sentence
from mtcli.translation import Candidate, Translation

LOOP = "da da da da da da da da da da"


class Stub:
    """A model that knows some translations, the best first, and else says the same again and again."""

    def __init__(self, known: Mapping[str, Sequence[str]]) -> None:
        self.known, self.asked = known, list[str]()
        self.texts: list[str] = []

    def encode(self, text: str) -> list[int]:
        self.texts.append(text)
        return [len(self.texts)]

    def answer(self, ask: Ask) -> list[list[Worded]]:
        found = []
        for sentence in ask.sentences:
            text = self.texts[sentence.source[0] - 1]
            self.asked.append(text)
            found.append([(Pieces((1,), -1.0, 2), one) for one in self.known.get(text, [LOOP])])
        return found

    def repair(self, line: str, plain: str, *others: str, pair: Any = ("en", "de")) -> Translation:
        """What becomes of a line that the plain search gave this."""
        faults = Faults(pair, CheckSettings())
        parts = [Part(line, self.encode(line))]
        found = [[(Pieces((1,), -1.0, 2), text) for text in (plain, *others)]]

        def join(chosen: Sequence[Worded]) -> Candidate:
            scored, text = chosen[0]
            return Candidate(text, scored.log_prob, scored.log_prob, scored.num_tokens)

        sentence_of: Callable[[list[int]], Sentence | None] = lambda tokens: Sentence(tuple(tokens), 9)  # noqa: E731
        tokenizer: Any = self
        tools = PartTools(faults, tokenizer, sentence_of, "")
        translation = Translation(line, (join(found[0][:1]),), (line,))
        going = repair_line(translation, faults.of(line, plain), LineTools(faults, parts, found, join, tools))
        answers: Any = None
        while True:
            try:
                answers = self.answer(going.send(answers))
            except StopIteration as end:
                result: Translation = end.value
                return result


@pytest.mark.parametrize(
    ("step", "known", "line", "plain", "expected"),
    [
        ("copied", {}, "https://a.example/b", LOOP, "https://a.example/b"),
        ("doubled", {}, "I am here today.", "Ich bin bin heute hier.", "Ich bin heute hier."),
        (
            "around",
            {"Open": ["Öffnen Sie"], "and read it": ["und lesen Sie es."]},
            "Open https://a.example/b and read it.",
            "Öffnen Sie das und lesen Sie es.",
            "Öffnen Sie https://a.example/b und lesen Sie es.",
        ),
        ("lower-case", {"Do not smoke!": ["Nicht rauchen!"]}, "DO NOT SMOKE!", LOOP, "NICHT RAUCHEN!"),
        ("another", {"I am here.": [LOOP, "Ich bin hier."]}, "I am here.", LOOP, "Ich bin hier."),
        (
            "by-sentence",
            {"I am here.": ["Ich bin hier."], "You are there.": ["Du bist dort."]},
            "I am here. You are there.",
            LOOP,
            "Ich bin hier. Du bist dort.",
        ),
        (
            "around-numbers",
            {"It costs": ["Es kostet."], "euros today": ["Euro heute"]},
            "It costs 1,299.99 euros today.",
            "Es kostet 12.999 Euro heute.",
            "Es kostet 1.299,99 Euro heute.",
        ),
        (
            "by-clause",
            {"When he comes,": ["Wenn er kommt,"], "we go home.": ["gehen wir heim."]},
            "When he comes, we go home.",
            LOOP,
            "Wenn er kommt, gehen wir heim.",
        ),
        (
            "by-words",
            {"He has seen": ["Er hat gesehen"], "nothing of it.": ["nichts davon."]},
            "He has seen nothing of it.",
            LOOP,
            "Er hat gesehen nichts davon.",
        ),
        ("source", {}, "We see.", LOOP, "We see."),
    ],
)
def test_each_step_has_a_line_that_needs_it(
    step: str, known: Mapping[str, Sequence[str]], line: str, plain: str, expected: str
) -> None:
    found = Stub(known).repair(line, plain)
    assert (found.text, found.repaired) == (expected, step)
    assert [one.check for one in found.findings] == (["echo"] if step == "source" else [])


def test_no_step_is_left_out_above() -> None:
    [mark] = [one for one in test_each_step_has_a_line_that_needs_it.pytestmark if one.name == "parametrize"]  # type: ignore[attr-defined]
    assert {row[0] for row in mark.args[1]} == set(STEP_NAMES)


def test_hypotheses_that_are_there_are_not_searched_for_again() -> None:
    stub = Stub({})
    assert stub.repair("I am here.", LOOP, "Ich bin hier.").text == "Ich bin hier."
    assert stub.asked == []


def test_what_is_no_better_is_not_taken() -> None:
    found = Stub({}).repair("It was 17 miles.", "Es waren 71 Meilen.")
    assert (found.text, found.repaired) == ("Es waren 71 Meilen.", "")
    assert [one.check for one in found.findings] == ["number"]


def test_of_two_that_are_as_good_the_earlier_wins() -> None:
    assert Stub({"I am here.": ["Ich bin hier.", "Hier bin ich."]}).repair("I am here.", LOOP).text == "Ich bin hier."


def test_a_source_is_marked_where_no_check_knows_the_languages() -> None:
    found = Stub({}).repair("We see nothing.", f"{LOOP} {LOOP}", pair=(None, None))
    assert (found.text, [one.check for one in found.findings]) == ("We see nothing.", ["echo"])


def test_a_line_in_capitals_is_translated_anew_where_its_translation_has_none() -> None:
    stub = Stub({"Go away!": ["Geh weg!"]})
    assert lost_capitals("GO AWAY!", "Fanta!") and not lost_capitals("NATO", "Nato")
    assert stub.repair("GO AWAY!", "Fanta Fanta.").text == "GEH WEG!"


def test_words_with_digits_stay_whole() -> None:
    known = {"Take the": ["Nimm die"], "and the": ["und die"], "exit": ["Ausfahrt"]}
    found = Stub(known).repair("Take the B33 and the 2nd exit.", "Nimm die 3 und 4.")
    assert found.text == "Nimm die B33 und die 2nd Ausfahrt."


def test_placeholders_in_capitals_stay() -> None:
    known = {"Open %S now!": ["Öffne %S jetzt!"]}
    assert Stub(known).repair("OPEN %S NOW!", "ÖFFNE JETZT!").text == "ÖFFNE %S JETZT!"


@pytest.mark.parametrize("text", ["", "a", "Go to https://a.example, (or) <b>stay</b>!", "%s", "  a %d  b ", "…x…"])
def test_pieces_and_what_is_between_them_are_the_whole(text: str) -> None:
    stub: Any = Stub({})
    tools = PartTools(Faults((None, None), CheckSettings()), stub, lambda tokens: None, "")
    for numbers in (True, False):
        apart = Apart.around_protected(text, tools, numbers=numbers)
        assert apart.filled(apart.texts) == text
    halves = in_halves(text)
    assert Apart.split(text, halves).filled(halves) == text
