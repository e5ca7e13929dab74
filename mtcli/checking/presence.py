"""Checks `empty`, `invented`, `too-short`, `too-long` and `low-score`: is all of the source there, and no more?"""

from mtcli.checking.findings import Finding, Severity
from mtcli.checking.languages import script_of
from mtcli.checking.lengths import LengthStatistics
from mtcli.checking.lines import Direction, LinePair, has_letters

EMPTY, INVENTED = "empty", "invented"
TOO_SHORT, TOO_LONG = "too-short", "too-long"
LOW_SCORE = "low-score"


def find_missing_text(lines: LinePair, direction: Direction) -> list[Finding]:
    """Find an empty translation of a line with text, and words for a line without any."""
    if not lines.tgt_words:
        if not lines.src_words:
            return []
        message = "the translation is empty"
        return [Finding(EMPTY, Severity.ERROR, message, ((0, len(lines.source)),))]
    if has_letters(lines.source) or not has_letters(lines.target):
        return []
    what = "has no words" if lines.src_words else "is empty"
    message = f"the source {what}, and the translation has some"
    return [Finding(INVENTED, Severity.ERROR, message, target=((0, len(lines.target)),))]


def find_length(lines: LinePair, direction: Direction) -> list[Finding]:
    """Find a translation that is far shorter or longer than usual."""
    usual = direction.lengths or usual_lengths(lines)
    deviation = usual.deviation(lines.source, lines.target)
    if -direction.settings.length_tolerance <= deviation <= direction.settings.length_tolerance:
        return []
    check = TOO_LONG if deviation > 0 else TOO_SHORT
    message = f"{len(lines.target):,} characters, where about {usual.expected_length(lines.source):,} are usual"
    return [Finding(check, Severity.WARNING, message, target=((0, len(lines.target)),))]


def usual_lengths(lines: LinePair) -> LengthStatistics:
    """What is usual between the scripts of the two lines, for languages that are not known."""
    return LengthStatistics.between(script_of(lines.source), script_of(lines.target))


def find_low_score(mean_log_prob: float, least: float) -> list[Finding]:
    """Find a translation that the model itself thought improbable; both in natural logarithms a token."""
    if mean_log_prob >= least:
        return []
    message = f"the model gave it {mean_log_prob:.2f} a token, less than {least:.2f}"
    return [Finding(LOW_SCORE, Severity.WARNING, message)]
