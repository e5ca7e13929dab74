"""Which faults call for a repair, and how grave they are beside each other."""

from collections.abc import Sequence
from dataclasses import replace

from mtcli.checking import CheckSettings, Finding, Severity, TranslationChecker
from mtcli.checking.checker import LanguagePair
from mtcli.checking.copying import ECHO
from mtcli.checking.foreign import SCRIPT
from mtcli.checking.lines import has_letters, without
from mtcli.checking.numbers import NUMBER
from mtcli.checking.presence import EMPTY, INVENTED, TOO_LONG, TOO_SHORT
from mtcli.checking.protected import EMAIL, PLACEHOLDER, TAG, URL
from mtcli.checking.repetition import LOOP
from mtcli.checking.spans import protected_spans
from mtcli.decoding.repair.numerals import numeral_writer
from mtcli.decoding.repair.prescan import prescan_for
from mtcli.translation import Translation

PROTECTED = frozenset({URL, EMAIL, PLACEHOLDER, TAG})
# A copy of the source is better than noise, and worse than a translation with one thing wrong: it is an echo.
WEIGHTS = {
    EMPTY: 9,
    INVENTED: 8,
    LOOP: 8,
    TOO_LONG: 5,
    ECHO: 5,
    SCRIPT: 4,
    TOO_SHORT: 4,
    NUMBER: 3,
    **dict.fromkeys(PROTECTED, 4),
}
_DOUBTFUL = 2  # a loop of two, which may be meant
_CAPITALS = 1
_FEWEST_CAPITALS = 4  # letters of a line in capitals: fewer are an abbreviation


class Faults:
    """Find faults of translations; safe to use from several threads.

    Attributes:
        numeral: writes a number of the source as the target's language does.
    """

    def __init__(self, pair: LanguagePair, settings: CheckSettings, *, all_checks: bool = False) -> None:
        """Prepare for a pair of languages.

        Args:
            pair: codes of the languages; None for one that is not known.
            settings: how strict the checks are.
            all_checks: whether `told_of` tells of what nothing is repaired for, too.
        """
        self._is_sound = prescan_for(pair, settings)
        self.numeral = numeral_writer(*pair)
        # How long translations are between languages that nobody named, and nobody measured, is a guess
        unsure = set() if settings.lengths or all(pair) else {TOO_LONG, TOO_SHORT}
        self._grave = TranslationChecker(pair, replace(settings, checks=frozenset(WEIGHTS) - unsure))
        self._all = TranslationChecker(pair, settings) if all_checks else None

    def of(self, source: str, target: str) -> list[Finding]:
        """The faults that call for a repair."""
        if self._is_sound is not None and self._is_sound(source, target):
            return []
        return self._grave.check(source, target)

    def told_of(self, translation: Translation, grave: Sequence[Finding]) -> Translation:
        """The translation with all that is found in it, which is `grave` and, if asked for, what other checks find."""
        if self._all is None:
            return replace(translation, findings=tuple(grave)) if grave else translation
        best = translation.n_best[0]
        found = self._all.check(translation.source, best.text, log_prob=best.log_prob, num_tokens=best.num_tokens)
        names = {one.check for one in found}
        found += [one for one in grave if one.check not in names]  # a copy that the checks do not tell from words
        return replace(translation, findings=tuple(found)) if found else translation

    def weigh(self, source: str, target: str) -> int:
        """How grave a translation's faults are, together; 0 where it has none."""
        return weight_of(self.of(source, target)) + lost_capitals(source, target)


def weight_of(findings: Sequence[Finding]) -> int:
    """How grave faults are together."""
    return sum(
        _DOUBTFUL if one.check == LOOP and one.severity is Severity.WARNING else WEIGHTS.get(one.check, 0)
        for one in findings
    )


def is_shouted(text: str) -> bool:
    """Whether a text is written in capitals, and is no abbreviation."""
    return text.isupper() and sum(map(str.isalpha, text)) >= _FEWEST_CAPITALS


def lost_capitals(source: str, target: str) -> int:
    """How grave it is that a line in capitals has a translation that is not: no check minds, but it is often noise."""
    return _CAPITALS if source.isupper() and is_shouted(source) and " " in source and not target.isupper() else 0


def copied_weight(source: str) -> int:
    """How grave a copy of the source is, whatever the languages are: none where there is nothing to translate."""
    return WEIGHTS[ECHO] if needs_translation(source) else 0


def without_doubles(target: str, findings: Sequence[Finding]) -> str:
    """A translation with each group of words once that stands twice for no reason."""
    for one in findings:
        if one.check == LOOP and one.severity is Severity.WARNING:
            for start, end in one.target:
                words = target[start:end].split()
                half = len(words) // 2
                if words[:half] == words[half:]:
                    target = f"{target[:start]}{' '.join(words[:half])}{target[end:]}"
    return target


def needs_translation(text: str) -> bool:
    """Whether there is a letter in a text beside URLs, code, placeholders and the like."""
    return has_letters(text) and has_letters(without(text, protected_spans(text)))


def copy_finding(source: str, target: str) -> Finding:
    """What is told of a source that stands in the place of its translation."""
    return Finding(
        ECHO,
        Severity.ERROR,
        "the source, as no translation was sound",
        ((0, len(source)),),
        ((0, len(target)),),
    )
