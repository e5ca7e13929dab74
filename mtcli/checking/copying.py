"""Checks `echo` and `untranslated-capitals`: words of the source that should have been translated and were not."""

import re
from collections.abc import Sequence, Set
from itertools import pairwise

from mtcli.checking.findings import Finding, Severity, Where, quoted
from mtcli.checking.lines import Direction, LinePair, without, word_places

ECHO = "echo"
CAPITALS = "untranslated-capitals"
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_LONGEST_COGNATE = 1  # words of a line that may be the same in both languages: Hotel, Status
_CAPITALS = re.compile(r"(?<![\w-])[A-ZÀ-ÖØ-ÞΑ-ΩА-ЯЁ]{2,}(?![\w-])")
_TWO_CAPITALS = re.compile("[A-ZÀ-ÖØ-ÞΑ-ΩА-ЯЁ]{2}")
_NO_ABBREVIATION = 5  # letters: NATO is written so whatever the source does
_MOST_COMPARED = 1_000_000  # pairs of words: a line of a thousand words beside its translation
_RUN = 4  # words of a run in the middle of a line


def find_echo(lines: LinePair, direction: Direction) -> list[Finding]:
    """Find a source that was copied, as a whole or a run of its words, and holds more than names, numbers and code."""
    if not direction.differ or len(lines.src_words) <= _LONGEST_COGNATE or lines.tgt_set.isdisjoint(lines.src_words):
        return []
    shared = lines.src_set & lines.tgt_set
    if len(shared) == len(lines.src_set) and _letters(lines.source) == _letters(lines.target):
        if _is_translatable(lines, direction):
            whole = ((0, len(lines.source)),), ((0, len(lines.target)),)
            return [Finding(ECHO, Severity.ERROR, "the translation is a copy of the source", *whole)]
        return []
    if len(shared) < _RUN or not _has_run(lines.src_words, shared):
        return []
    if len(lines.src_words) * len(lines.tgt_words) > _MOST_COMPARED:
        return []
    return _copied_run(lines, direction)


def _has_run(words: Sequence[str], shared: Set[str]) -> bool:
    """Whether enough words follow each other that the other line has anywhere, which is soon seen."""
    streak = 0
    for word in words:
        streak = streak + 1 if word in shared else 0
        if streak == _RUN:
            return True
    return False


def _letters(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _is_translatable(lines: LinePair, direction: Direction) -> bool:
    """Whether more is left than names when everything protected is taken out.

    Small words that the target language does not have tell, and otherwise words in lower case: two at least where
    both languages are written in Latin letters, as they share many.
    """
    text = without(lines.source, lines.src_spans)
    words = _WORD.findall(text)
    if not words:
        return False
    small = direction.src_words.intersection(word.lower() for word in words)
    lower = [word for word in words if word.islower() and len(word) > 1]
    if text.isupper():
        lower = [word for word in words if len(word) > 3]
    same_script = direction.src.scripts[:1] == direction.tgt.scripts[:1]
    if same_script:
        return bool(small and len(words) > 2) or len(lower) >= 2
    return bool(small or lower) or not _is_latin(words)


def _is_latin(words: Sequence[str]) -> bool:
    return all(word.isascii() for word in words)


def _copied_run(lines: LinePair, direction: Direction) -> list[Finding]:
    """The longest run of words that stands in both, if it holds enough of the source language's small words."""
    start, end, other = _longest_common_run(lines.src_words, lines.tgt_words)
    run = lines.src_words[start:end]
    if not _is_untranslated(run, lines, direction, start):
        return []
    sources, targets = word_places(lines.source), word_places(lines.target)
    source: Where = (sources[start][0], sources[end - 1][1])
    target: Where = (targets[other][0], targets[other + end - start - 1][1])
    message = f"{len(run)} words of the source were copied: {quoted(lines.source[source[0] : source[1]])}"
    return [Finding(ECHO, Severity.ERROR, message, (source,), (target,))]


def _is_untranslated(run: Sequence[str], lines: LinePair, direction: Direction, start: int) -> bool:
    """Whether a run is more than the name of a thing: it has enough small words, or words in lower case."""
    if len(run) < _RUN:
        return False
    small = {word.strip(",.;:!?\"'()") for word in run} & direction.src_words
    if len(small) >= 3 or (len(small) == 2 and 2 * len(run) >= len(lines.tgt_words)):
        return True
    lower = [word for word in lines.source.split()[start : start + len(run)] if word.isalpha() and word.islower()]
    return len(run) > _RUN and len(lower) > _RUN


def _longest_common_run(src: Sequence[str], tgt: Sequence[str]) -> tuple[int, int, int]:
    """Start and end in the source, and start in the target."""
    best, before = (0, 0, 0), [0] * (len(tgt) + 1)
    for i, word in enumerate(src):
        now = [0] * (len(tgt) + 1)
        for j, other in enumerate(tgt):
            if word == other:
                now[j + 1] = before[j] + 1
                if now[j + 1] > best[1] - best[0]:
                    best = (i + 1 - now[j + 1], i + 1, j + 1 - now[j + 1])
        before = now
    return best


def find_capitals(lines: LinePair, direction: Direction) -> list[Finding]:
    """Find words in capitals that were copied though they are ordinary ones, and capitals where the source has none."""
    if not _TWO_CAPITALS.search(lines.target) or not (found := list(_CAPITALS.finditer(lines.target))):
        return []
    of_source = {match[0]: match.span() for match in _CAPITALS.finditer(lines.source)}
    if not of_source:
        return _made_up(lines, found)
    copied = [match for match in found if match[0] in of_source]
    ordinary = [match for match in copied if match[0].lower() in direction.src_words]
    if not direction.differ or not (ordinary or _stand_together(lines.target, copied)):
        return []
    words = copied if len(copied) < len(of_source) or not ordinary else found
    return [
        Finding(
            CAPITALS,
            Severity.WARNING,
            f"words in capitals were not translated: {quoted(' '.join(match[0] for match in words))}",
            tuple(of_source[match[0]] for match in words if match[0] in of_source),
            tuple(match.span() for match in words),
        )
    ]


def _stand_together(text: str, copied: Sequence[re.Match[str]]) -> bool:
    """Whether three of them follow each other: a shouted sentence, no abbreviations."""
    streak = 0
    for before, match in pairwise(copied):
        streak = streak + 1 if text[before.end() : match.start()].isspace() else 0
        if streak >= 2:
            return True
    return False


def _made_up(lines: LinePair, capitals: Sequence[re.Match[str]]) -> list[Finding]:
    """Words that no abbreviation is as long as, and those that stand together."""
    source = lines.source.lower()
    together = {
        match.start()
        for one, other in pairwise(capitals)
        if lines.target[one.end() : other.start()].isspace()
        for match in (one, other)
    }
    where = tuple(
        match.span()
        for match in capitals
        if (match.start() in together or len(match[0]) >= _NO_ABBREVIATION) and match[0].lower() not in source
    )
    if not where:
        return []
    first = lines.target[where[0][0] : where[0][1]]
    message = f"{quoted(first)} is in capitals, and the source has none"
    return [Finding(CAPITALS, Severity.WARNING, message, target=where)]
