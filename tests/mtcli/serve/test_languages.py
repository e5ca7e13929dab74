"""Language codes as clients write them."""

import pytest

from mtcli.serve.languages import canonical, is_right_to_left, name_of, resolve, written


@pytest.mark.parametrize(
    ("code", "known"),
    [
        ("EN", "en"),
        ("pt_BR", "pt-br"),
        ("pb", "pt-br"),
        ("zh-Hans", "zh"),
        ("zt", "zh-hant"),
        ("deu", "de"),
        ("?", "?"),
    ],
)
def test_many_ways_to_write_one_language(code: str, known: str) -> None:
    assert canonical(code) == known


def test_a_region_that_is_not_served_is_left_out() -> None:
    assert resolve("EN-US", ["en", "de"]) == "en"
    assert resolve("pt-BR", ["pt-br", "pt"]) == "pt-br"
    assert resolve("pt-BR", ["pt"]) == "pt"
    assert resolve("pt", ["pt-br"]) is None
    assert resolve("zz", ["en"]) is None


def test_answers_write_scripts_and_regions_in_their_case() -> None:
    assert [written(canonical(code)) for code in ("zh", "zt", "pb", "en")] == ["zh-Hans", "zh-Hant", "pt-BR", "en"]


def test_names_and_directions() -> None:
    assert (name_of("de"), name_of("de-at"), name_of("xx")) == ("German", "German", "xx")
    assert is_right_to_left("ar") and is_right_to_left("he-il") and not is_right_to_left("de")
