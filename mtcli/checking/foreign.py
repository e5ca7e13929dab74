"""Checks `script` and `language`: a translation in letters, or in words, of a language that was not wanted."""

import re

from mtcli.checking.findings import Finding, Severity, quoted
from mtcli.checking.languages import COMMON_WORDS, SCRIPT_LETTERS
from mtcli.checking.lines import Direction, LinePair, without, word_places

SCRIPT, LANGUAGE = "script", "language"
_FEWEST_WORDS = 3  # of another language
_LATIN_WORDS = re.compile(r"(?<![^\W\d_])[a-zß-öø-ÿ]{2,}(?![^\W\d_])")
_MOST_LATIN_WORDS = 4
_NAMES = {"de": "German", "en": "English", "fr": "French", "es": "Spanish", "it": "Italian", "nl": "Dutch"}
_NAMES |= {"pt": "Portuguese", "sv": "Swedish", "da": "Danish", "pl": "Polish", "cs": "Czech"}


def find_script(lines: LinePair, direction: Direction) -> list[Finding]:
    """Find letters of a script that neither the target language nor the source has, or hardly any of its own."""
    tgt = direction.tgt
    if not tgt.scripts:
        return []
    if not lines.target.isascii() and (strangers := direction.foreign_letters.findall(lines.target)):
        known = set(lines.source)
        if strangers := [letters for letters in strangers if not known.issuperset(letters)]:
            start = lines.target.index(strangers[0])
            where = (start, start + len(strangers[0]))
            message = f"{quoted(strangers[0])} is in letters that {tgt.code} is not written in"
            return [Finding(SCRIPT, Severity.ERROR, message, target=(where,))]
    return [] if tgt.is_latin else _without_own_script(lines, direction)


def _without_own_script(lines: LinePair, direction: Direction) -> list[Finding]:
    """A line that has words in Latin letters, and hardly a letter of the language's own script."""
    latin = _LATIN_WORDS.findall(lines.target)
    if len(latin) < _MOST_LATIN_WORDS:
        return []
    own = sum(len(SCRIPT_LETTERS[script].findall(lines.target)) for script in direction.tgt.scripts)
    if 2 * own >= sum(map(len, latin)) or len(_LATIN_WORDS.findall(without(lines.target, lines.tgt_spans))) < 4:
        return []
    message = f"the translation is in Latin letters, which {direction.tgt.code} is not written in"
    return [Finding(SCRIPT, Severity.ERROR, message, target=((0, len(lines.target)),))]


def find_language(lines: LinePair, direction: Direction) -> list[Finding]:
    """Find small words of another language that writes with Latin letters where hardly any of its own stand."""
    own = direction.tgt.common_words
    strangers = lines.tgt_set & direction.foreign_words
    if not own or len(strangers) < _FEWEST_WORDS or lines.src_words == lines.tgt_words:
        return []
    of_own = len(lines.tgt_set & own)
    best, count = max(
        ((code, len(strangers & words)) for code, words in COMMON_WORDS.items() if code != direction.tgt.code),
        key=lambda one: one[1],
    )
    if count < _FEWEST_WORDS or count < 2 * of_own + 1:
        return []
    places = word_places(lines.target)
    where = tuple(place for place, word in zip(places, lines.tgt_words, strict=True) if word in strangers)
    message = f"the translation seems to be in {_NAMES[best]}"
    return [Finding(LANGUAGE, Severity.ERROR, message, target=where)]
