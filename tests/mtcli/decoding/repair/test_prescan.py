"""What the first look lets pass, no check for grave faults has anything against."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtcli.checking import CheckSettings, LengthStatistics, TranslationChecker
from mtcli.decoding.repair.faults import WEIGHTS
from mtcli.decoding.repair.prescan import prescan_for

EN_DE = ("en", "de")
PLAIN = CheckSettings()
WORDS = "the house is red und das Haus ist rot Hahahahaha nnnnnnnnnnnn 12 1,5 % {x} Über, don't A.B ja. !"
texts = st.lists(st.sampled_from(WORDS.split()) | st.text(max_size=4), max_size=9).map(" ".join)


@given(texts, texts, st.sampled_from([PLAIN, CheckSettings(lengths=LengthStatistics(0.3, 0.3))]))
def test_it_errs_on_one_side_only(source: str, target: str, settings: CheckSettings) -> None:
    is_sound = prescan_for(EN_DE, settings)
    assert is_sound is not None
    if is_sound(source, target):
        checks = CheckSettings(checks=frozenset(WEIGHTS), lengths=settings.lengths)
        assert TranslationChecker(EN_DE, checks).check(source, target) == []


@pytest.mark.parametrize(
    ("source", "target", "passes"),
    [
        ("I think he will come tomorrow.", "Ich glaube, er kommt morgen.", True),
        ("I think he will come tomorrow.", "Über „das“ weiß er mehr.", False),  # marks: the checks' business
        ("I think he will come tomorrow.", "Ich glaube glaube er kommt.", False),
        ("Ha ha, he said to her.", "Hahahahahaha, sagte er ihr.", False),
        ("I think so.", "I think so.", False),
        ("No.", "Ich glaube nicht, dass das jemand so sagen würde.", False),
        ("It is 5.", "Es ist 5.", False),
        ("\ud800", "\ud800", False),
        ("", "", False),
    ],
)
def test_what_it_lets_pass(source: str, target: str, passes: bool) -> None:
    is_sound = prescan_for(EN_DE, PLAIN)
    assert is_sound is not None
    assert is_sound(source, target) == passes


def test_other_letters_are_left_to_the_checks() -> None:
    assert prescan_for(("en", "ko"), PLAIN) is None
    assert prescan_for((None, None), PLAIN) is None
