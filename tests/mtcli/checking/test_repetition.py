"""Loops, and what only looks like them."""

import pytest
from support.checking import EN_DE, EN_FR, EN_JA, EN_KO, findings_of, marked

from mtcli.checking import Severity


@pytest.mark.parametrize(
    ("pair", "source", "target", "where"),
    [
        (EN_DE, "The cat sat on the mat.", "Die Katze saß auf der auf der auf der Matte.", "auf der auf der auf der"),
        (EN_DE, "It is cold outside today.", "Es ist ist ist ist kalt draußen.", "ist ist ist ist"),
        (EN_DE, "See the page.", "Siehe Seiteeseseseseseses.", "eseseseseseses"),
        (EN_DE, "Help me!", "Hilfeeeeeeeeee!", "eeeeeeeeee"),
        (EN_KO, "I like it a lot.", "나는 그것을 그것을 그것을 그것을 좋아한다.", "그것을 그것을 그것을 그것을"),
        (EN_KO, "Good.", "좋습니다니다니다니다니다.", "니다니다니다니다니다"),
        (EN_FR, "He walks in the park.", "Il marche dans le dans le dans le parc.", "dans le dans le dans le"),
        (EN_JA, "I went to Tokyo.", "私は東京に東京に東京に東京に行きました。", "東京に東京に東京に東京に"),
    ],
)
def test_a_loop_is_found(pair: tuple[str, str], source: str, target: str, where: str) -> None:
    [finding] = findings_of("loop", pair, source, target)
    assert finding.severity is Severity.ERROR
    assert marked(target, finding, "target") == [where]


def test_a_group_that_comes_again_at_a_distance_is_found_in_each_place() -> None:
    target = "Ich gehe in den Park und ich gehe in den Wald und ich gehe in den Zoo und ich gehe in den Hof."
    [finding] = findings_of("loop", EN_DE, "I go to the park.", target)
    assert marked(target, finding, "target") == [
        "Ich gehe in den",
        "ich gehe in den",
        "ich gehe in den",
        "ich gehe in den",
    ]


def test_a_doubled_word_is_a_smaller_fault() -> None:
    [finding] = findings_of("loop", EN_DE, "He goes home.", "Er geht nach nach Hause.")
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("pair", "source", "target"),
    [
        (EN_DE, "No no no no!", "Nein nein nein nein!"),
        (EN_DE, "ha ha ha ha ha", "ha ha ha ha ha"),
        (EN_DE, "The woman that is there", "Die Frau, die die Tür öffnet"),
        (EN_DE, "Aaaaaaah, hahahaha!", "Aaaaaaah, hahahaha!"),
        (EN_DE, "...............", "..............."),
        (EN_DE, "Donau Danube steam boat company", "Donaudampfschifffahrtsgesellschaft"),
        (EN_DE, "1000000000 and 1111111111", "1000000000 und 1111111111"),
        (EN_DE, "- - - - - -", "- - - - - -"),
        (EN_KO, "One by one.", "하나 하나."),
        (EN_FR, "We meet.", "Nous nous rencontrons."),
        (EN_JA, "Very, very good.", "とてもとても良いです。"),
    ],
)
def test_no_loop(pair: tuple[str, str], source: str, target: str) -> None:
    assert findings_of("loop", pair, source, target) == []
