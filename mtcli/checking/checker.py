"""All checks together: made once a job, asked once a line."""

from collections.abc import Callable
from dataclasses import dataclass

from mtcli.checking import copying, foreign, numbers, presence, protected, punctuation, repetition, units
from mtcli.checking.findings import Finding
from mtcli.checking.languages import language_of
from mtcli.checking.lines import Direction, LinePair
from mtcli.checking.settings import CheckSettings
from mtcli.errors import ConfigError

LanguagePair = tuple[str | None, str | None]
"""The codes of source and target language, such as ("en", "de"); None for one that is not known."""


@dataclass(frozen=True)
class CheckKind:
    """Describe a check.

    Attributes:
        name: its id.
        finds: what it finds, in words.
    """

    name: str
    finds: str


CHECKS: tuple[CheckKind, ...] = tuple(
    CheckKind(name, finds)
    for name, finds in (
        (presence.EMPTY, "nothing, for a source with text"),
        (presence.INVENTED, "words, for a source without any"),
        (repetition.LOOP, "words, groups of words or syllables that come again and again"),
        (copying.ECHO, "the source copied, as a whole or a run of its words"),
        (numbers.NUMBER, "numbers, dates, times and amounts that changed"),
        (units.UNIT, "a currency or a unit that became another one"),
        (protected.URL, "URLs that changed"),
        (protected.EMAIL, "e-mail addresses that changed"),
        (protected.PLACEHOLDER, "placeholders that changed"),
        (protected.TAG, "tags that changed"),
        (presence.TOO_SHORT, "far fewer characters than usual for the pair of languages"),
        (presence.TOO_LONG, "far more characters than usual for the pair of languages"),
        (punctuation.BRACKET, "brackets without a partner"),
        (punctuation.QUOTE, "quotation marks without a partner"),
        (punctuation.END, "another kind of sentence by its last mark"),
        (foreign.SCRIPT, "letters that the language is not written in"),
        (foreign.LANGUAGE, "words of another language"),
        (copying.CAPITALS, "words in capitals that were not translated, or that the source does not have"),
        (presence.LOW_SCORE, "a low probability a token, where the model's is given"),
    )
)
CHECK_NAMES: tuple[str, ...] = tuple(check.name for check in CHECKS)

_Find = Callable[[LinePair, Direction], list[Finding]]
# Which functions look for which checks; the second kind is left out for lines of letters and plain marks alone.
_OF_ALL_LINES: tuple[tuple[_Find, tuple[str, ...]], ...] = (
    (repetition.find_loops, (repetition.LOOP,)),
    (copying.find_echo, (copying.ECHO,)),
    (presence.find_length, (presence.TOO_SHORT, presence.TOO_LONG)),
    (punctuation.find_end, (punctuation.END,)),
    (foreign.find_script, (foreign.SCRIPT,)),
    (foreign.find_language, (foreign.LANGUAGE,)),
    (copying.find_capitals, (copying.CAPITALS,)),
)
_OF_MARKED_LINES: tuple[tuple[_Find, tuple[str, ...]], ...] = (
    (numbers.find_numbers, (numbers.NUMBER,)),
    (units.find_units, (units.UNIT,)),
    (protected.find_changed, (protected.URL, protected.EMAIL, protected.PLACEHOLDER, protected.TAG)),
    (punctuation.find_brackets, (punctuation.BRACKET,)),
    (punctuation.find_quotes, (punctuation.QUOTE,)),
)


class TranslationChecker:
    """Check translations of one direction; safe to use from several threads."""

    def __init__(self, pair: LanguagePair = (None, None), settings: CheckSettings | None = None) -> None:
        """Prepare for a pair of languages.

        Args:
            pair: codes of source and target language.
            settings: which checks, and how strict they are.

        Raises:
            ConfigError: the settings name a check that there is not.
        """
        self.settings = settings or CheckSettings()
        wanted = self.settings.checks if self.settings.checks is not None else frozenset(CHECK_NAMES)
        if unknown := sorted(wanted - set(CHECK_NAMES)):
            raise ConfigError(f"There is no check {unknown[0]}. There are: {', '.join(CHECK_NAMES)}.")
        self._direction = Direction(language_of(pair[0]), language_of(pair[1]), self.settings)
        self._wanted = wanted
        self._of_all = [find for find, names in _OF_ALL_LINES if wanted.intersection(names)]
        self._of_marked = [find for find, names in _OF_MARKED_LINES if wanted.intersection(names)]
        self._picks = len(wanted) < len(CHECK_NAMES)

    def check(
        self, source: str, target: str, *, log_prob: float | None = None, num_tokens: int | None = None
    ) -> list[Finding]:
        """Find the faults of one translation.

        Args:
            source: the line as it was given.
            target: its translation.
            log_prob: summed natural-log probability of its tokens, where a model gave it.
            num_tokens: how many those are.

        Returns:
            none for a translation that nothing is wrong with, as far as can be seen.
        """
        lines, direction = LinePair(source, target), self._direction
        findings: list[Finding] = presence.find_missing_text(lines, direction)
        if not findings and lines.tgt_words:
            for find in self._of_all:
                if found := find(lines, direction):
                    findings += found
            if lines.is_marked:
                for find in self._of_marked:
                    if found := find(lines, direction):
                        findings += found
        if log_prob is not None and num_tokens:
            findings += presence.find_low_score(log_prob / num_tokens, self.settings.min_mean_log_prob)
        return [one for one in findings if one.check in self._wanted] if self._picks and findings else findings


def check(
    source: str,
    target: str,
    *,
    pair: LanguagePair = (None, None),
    settings: CheckSettings | None = None,
    log_prob: float | None = None,
    num_tokens: int | None = None,
) -> list[Finding]:
    """Find the faults of one translation; for many, make a `TranslationChecker` once.

    Args:
        source: a line.
        target: its translation.
        pair: codes of source and target language, such as ("en", "de"); None for one that is not known.
        settings: which checks, and how strict they are.
        log_prob: summed natural-log probability of the target's tokens, where a model gave it.
        num_tokens: how many those are.

    Raises:
        ConfigError: the settings name a check that there is not.
    """
    return TranslationChecker(pair, settings).check(source, target, log_prob=log_prob, num_tokens=num_tokens)
