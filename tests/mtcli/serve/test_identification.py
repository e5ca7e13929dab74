"""Which language a text is in, among those that are served."""

from mtcli.serve.identification import Guess, Identifier

IDENTIFIER = Identifier()


def test_only_what_is_served_is_guessed() -> None:
    text = "Wo ist denn hier der nächste Bahnhof?"
    ranked = IDENTIFIER.guess(text, ["en", "de", "fr"])
    assert ranked[0].language == "de"
    assert {guess.language for guess in ranked} == {"en", "de", "fr"}
    assert sum(guess.confidence for guess in ranked) > 0.99
    assert IDENTIFIER.guess(text, ["en", "fr"])[0].language in ("en", "fr")
    assert IDENTIFIER.guess(text, ["en"]) == [Guess("en", 1.0)]
    assert IDENTIFIER.guess(text, []) == []


def test_regions_and_unknown_languages_are_possible() -> None:
    ranked = IDENTIFIER.guess("Onde fica a estação, por favor?", ["pt-br", "en", "xx"])
    assert ranked[0].language == "pt-br"
    assert ranked[-1] == Guess("xx", 0.0)
    assert {guess.language for guess in IDENTIFIER.guess("", ["xx", "yy"])} == {"xx", "yy"}
