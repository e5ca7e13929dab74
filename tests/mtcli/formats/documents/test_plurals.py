"""Plural forms by language."""

from gettext import c2py  # type: ignore[attr-defined, unused-ignore]

import pytest

from mtcli.formats.documents.plurals import _RULES, rule_for, singular_form


@pytest.mark.parametrize("language", sorted(_RULES))
def test_a_rule_gives_each_number_a_form_and_each_form_a_number(language: str) -> None:
    rule = _RULES[language]
    form = c2py(rule.expression)
    assert {form(number) for number in (*range(200), 1_000_000)} == set(range(rule.num_forms))
    assert len(set(rule.categories)) == rule.num_forms


def test_categories_are_those_of_the_numbers() -> None:
    for language, number, category in (
        ("de", 1, "one"), ("de", 0, "other"), ("fr", 0, "one"), ("ru", 21, "one"), ("ru", 3, "few"), ("ru", 11, "many"),
        ("pl", 22, "few"), ("ar", 0, "zero"), ("ar", 2, "two"), ("cs", 4, "few"), ("ja", 1, "other"),
        ("sl", 102, "two"),
    ):  # fmt: skip
        rule = rule_for(language)
        assert rule is not None and rule.categories[c2py(rule.expression)(number)] == category


def test_languages_are_found_by_their_codes() -> None:
    assert rule_for("pt-BR") is rule_for("pt_br") is rule_for("fr") is not rule_for("pt-PT")
    assert rule_for("zh-Hant-TW") is rule_for("ja") and rule_for("de_AT") is rule_for("de")
    assert rule_for("") is None and rule_for("tlh") is None


def test_the_form_of_one_thing() -> None:
    assert (singular_form("n != 1", 2), singular_form("0", 1), singular_form("n==1 ? 1 : 0", 2)) == (0, None, 1)
    with pytest.raises(ValueError):
        singular_form("__import__('os')", 2)
