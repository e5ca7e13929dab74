"""What should have been translated and was copied."""

import pytest
from support.checking import DE_EN, EN_DE, EN_FR, EN_JA, EN_KO, findings_of, marked


@pytest.mark.parametrize(
    ("pair", "text"),
    [
        (EN_DE, "A man is walking his dog."),
        (EN_DE, "PLEASE CLOSE THE DOOR"),
        (EN_DE, "Where is the nearest station"),
        (DE_EN, "Das ist ein schönes Haus."),
        (EN_KO, "Save file"),
        (EN_JA, "The weather is nice."),
        (EN_FR, "this was not translated"),
    ],
)
def test_a_copy_is_found(pair: tuple[str, str], text: str) -> None:
    [finding] = findings_of("echo", pair, text, text.lower())
    assert finding.source == finding.target == ((0, len(text)),)


@pytest.mark.parametrize(
    ("pair", "text"),
    [
        (EN_DE, "Hotel"),
        (EN_DE, "New York City"),
        (EN_DE, "Tom Jones"),
        (EN_DE, "https://example.com/the/path"),
        (EN_DE, "a@example.com"),
        (EN_DE, "%1$s: {name}"),
        (EN_DE, "1,5 + 2"),
        (EN_KO, "README.md"),
        (EN_KO, "GitHub"),
        (("en", "en"), "A man is walking his dog."),
        ((None, None), "A man is walking his dog."),
    ],
)
def test_what_may_be_copied(pair: tuple[str | None, str | None], text: str) -> None:
    assert findings_of("echo", pair, text, text) == []


def test_a_run_of_copied_words_is_found_where_it_stands() -> None:
    source = "He said that they would not have been there in time."
    target = "Er sagte, dass sie would not have been there in time."
    [finding] = findings_of("echo", EN_DE, source, target)
    assert marked(target, finding, "target") == ["would not have been there in time."]
    assert marked(source, finding, "source") == ["would not have been there in time."]


def test_a_title_in_its_own_language_is_no_copy() -> None:
    source = 'We watched "The Lord of the Rings" yesterday evening at home.'
    assert findings_of("echo", EN_DE, source, 'Wir sahen gestern Abend zu Hause "The Lord of the Rings".') == []


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        ("DO NOT TOUCH", "DO NOT berühren", ["DO", "NOT"]),
        ("Danger: HIGH VOLTAGE AREA here", "Gefahr: HIGH VOLTAGE AREA hier", ["HIGH", "VOLTAGE", "AREA"]),
        ("Click here to save.", "KLICKEN SIE HIER zum Speichern.", ["KLICKEN", "SIE", "HIER"]),
        ("Click here.", "Hier KLICKEN.", ["KLICKEN"]),
    ],
)
def test_capitals_are_found(source: str, target: str, words: list[str]) -> None:
    [finding] = findings_of("untranslated-capitals", EN_DE, source, target)
    assert marked(target, finding, "target") == words


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("NATO and the USA agree.", "NATO und die USA sind sich einig."),
        ("Nato agrees.", "Die NATO stimmt zu."),
        ("DO NOT TOUCH", "NICHT BERÜHREN"),
        ("The PDF and the HTML file", "Die PDF- und die HTML-Datei"),
        ("Call 911 NOW", "Rufen Sie JETZT 911 an"),
    ],
)
def test_capitals_that_may_be(source: str, target: str) -> None:
    assert findings_of("untranslated-capitals", EN_DE, source, target) == []
