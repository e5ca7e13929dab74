"""Check `loop`: words, groups of words or syllables that come again and again, though those of the source do not."""

import re
from collections import Counter
from collections.abc import Sequence
from operator import eq

from mtcli.checking.findings import Finding, Severity, quoted
from mtcli.checking.lines import Direction, LinePair, word_places

LOOP = "loop"
_LONGEST_GROUP = 30  # words
_LONG_WORD = 10  # characters: shorter ones hold no loop of syllables
_LONG_SYLLABIC_WORD = 6
_GRAM = 4  # words of what may come again at a distance
# A letter five times, two or more characters four times, three or more three times: real words have less.
_SYLLABLES = re.compile(r"([^\W\d_])\1{4,}|([^\W\d_]{2})\2{3,}|([^\W\d_]{3,12}?)\3{2,}")
_UNSPACED_GROUP = re.compile(r"([^\W\d_])\1{4,}|([^\W\d_]{2,3})\2{3,}|([\w、，]{4,30}?)\3{2,}|([\w、，]{10,30}?)\4")
# Words that stand twice in good sentences.
_DOUBLED_WORDS = (
    "die der das den sie ihr that had her is was nous vous se que very no so bye ha blah ja nein mal non si oui "
    "more and 아주 매우 정말 하나 서로 더 점점 또 long far many big never please go come wait hey la"
)
_DOUBLED = frozenset(_DOUBLED_WORDS.split())


def find_loops(lines: LinePair, direction: Direction) -> list[Finding]:
    """Find repetition that the source does not have."""
    words = lines.tgt_words
    if direction.tgt.is_unspaced or (len(words) < 4 and len(lines.target) > 40):
        return _in_characters(lines, _UNSPACED_GROUP)
    if lacking := len(words) - len(lines.tgt_set):
        run = _longest_run(words, min(lacking, _LONGEST_GROUP))
        if run and (found := _judged_run(lines, direction, run)):
            return [found]
        if lacking >= 2 * _GRAM and (found := _recurring(lines)):
            return [found]
    long = _LONG_WORD if direction.tgt.is_latin else _LONG_SYLLABIC_WORD
    if max(map(len, words)) < long:
        return []
    if any(len(word) >= long and 2 * len(set(word)) <= len(word) for word in lines.tgt_set):
        return _in_characters(lines, _SYLLABLES)
    return []


def _longest_run(words: Sequence[str], longest_group: int) -> tuple[int, int, int] | None:
    """The run of words that repeats a group most often, at least twice: its start, its end and the group's size."""
    best: tuple[int, int, int] | None = None
    for size in range(1, min(longest_group, len(words) // 2) + 1):
        if sum(map(eq, words, words[size:])) < size:
            continue
        streak = 0
        for place in range(len(words) - size):
            streak = streak + 1 if words[place] == words[place + size] else 0
            if streak >= size and (best is None or streak / size > (best[1] - best[0]) / best[2] - 1):
                best = (place - streak + 1, place + size + 1, size)
    return best


def _judged_run(lines: LinePair, direction: Direction, run: tuple[int, int, int]) -> Finding | None:
    start, end, size = run
    words = lines.tgt_words
    repeats = (end - start) // size
    group = words[start : start + size]
    wordlike = [any(map(str.isalpha, word)) for word in group]
    grave = repeats >= direction.settings.min_repeats
    if not any(wordlike) or (not grave and (not all(wordlike) or (size == 1 and group[0] in _DOUBLED))):
        return None
    of_source = _longest_run(lines.src_words, _LONGEST_GROUP)
    if of_source and (of_source[1] - of_source[0]) // of_source[2] >= repeats:
        return None
    places = word_places(lines.target)
    text = " ".join(lines.target.split()[start : start + size])
    return Finding(
        LOOP,
        Severity.ERROR if grave else Severity.WARNING,
        f"{quoted(text)} stands {repeats} times in a row",
        target=((places[start][0], places[end - 1][1]),),
    )


def _recurring(lines: LinePair) -> Finding | None:
    """Groups of four words that come at least three times, at any distance, and more often than in the source."""
    gram, times = _commonest_gram(lines.tgt_words)
    if times < 3 or not any(any(map(str.isalpha, word)) for word in gram):
        return None
    if times <= _commonest_gram(lines.src_words)[1] + 1:
        return None
    places = word_places(lines.target)
    starts = [place for place in range(len(places) - _GRAM + 1) if _gram_at(lines.tgt_words, place) == gram]
    where = tuple((places[place][0], places[place + _GRAM - 1][1]) for place in starts)
    return Finding(LOOP, Severity.ERROR, f"{quoted(' '.join(gram))} stands {times} times", target=where)


def _gram_at(words: Sequence[str], place: int) -> tuple[str, ...]:
    return tuple(words[place : place + _GRAM])


def _commonest_gram(words: Sequence[str]) -> tuple[tuple[str, ...], int]:
    grams = Counter(zip(*(words[shift:] for shift in range(_GRAM)), strict=False))
    [(gram, times)] = grams.most_common(1) or [((), 0)]
    return gram, times


def _in_characters(lines: LinePair, pattern: re.Pattern[str]) -> list[Finding]:
    """Letters, syllables or, without spaces, words that follow each other more often than anything in the source."""
    match = pattern.search(lines.target)
    if match is None:
        return []
    group = next(filter(None, match.groups()))
    repeats = len(match[0]) // len(group)
    of_source = max((_repeats(one) for one in pattern.finditer(lines.source)), default=1)
    if of_source >= repeats - 1 > 1 or of_source >= repeats:
        return []
    message = f"{quoted(group)} stands {repeats} times in a row"
    return [Finding(LOOP, Severity.ERROR, message, target=(match.span(),))]


def _repeats(match: re.Match[str]) -> int:
    return len(match[0]) // len(next(filter(None, match.groups())))
