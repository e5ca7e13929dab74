"""The same sentences as other people would type them: in capitals, with other quotes, mistyped, several on a line."""

import re
from collections.abc import Callable, Iterator, Sequence
from random import Random

from configs.broad.corpora import Pair

# What no variant changes: URLs, addresses, inline code, tags, placeholders, and words that are names of a program's.
PROTECTED = re.compile(
    r"https?://\S+|www\.\S+|\S+@\S+|`[^`]*`|</?\w[^<>]*>|\$?\{[^{}]*\}+|%\([^)]*\)[a-zA-Z]|%\d*\$?[a-zA-Z]\b|%\d+"
    r"|\$\w+\$?|&\w+;|\\\w|\w+(?:[./\\:]\w+)+|\w+[_\d]\w*|\w*[a-z][A-Z]\w*"
)
_WORD = re.compile(r"[^\W\d_]{4,}")
_SENTENCE = re.compile(r"[.!?…][\"”’'“»)]*$")
_CLOSING = re.compile(r"(?<=\w)[.。]$")
_LONGEST_JOINED = 400  # characters
_LONGEST_TITLE = 12  # words
_SMALL_WORDS = "a an and as at but by for from in into nor of off on or so the to up with yet".split()  # noqa: SIM905
_NEIGHBOURS = dict(zip("qwertyuiopasdfghjklzxcvbnm", "wertyuiop[sdfghjkl;xcvbnm,", strict=True))

Change = Callable[[str], str]


def _unprotected(text: str, change: Change) -> str:
    """Change all but what is protected."""
    parts, end = list[str](), 0
    for match in PROTECTED.finditer(text):
        parts += [change(text[end : match.start()]), match[0]]
        end = match.end()
    return "".join([*parts, change(text[end:])])


def in_capitals(pair: Pair, random: Random) -> Pair:
    """Write both sides in capitals, as far as their scripts have them; a source without them stays as it is."""
    if not _has_case(pair.src):
        return pair
    return Pair(_unprotected(pair.src, str.upper), _unprotected(pair.tgt, str.upper))


def _has_case(text: str) -> bool:
    """Whether most letters are of a script that has capitals."""
    letters = [letter for letter in text if letter.isalpha()]
    return 2 * sum(letter.lower() != letter.upper() for letter in letters) > len(letters)


def in_lower_case(pair: Pair, random: Random) -> Pair:
    """Write the source without capitals: what is typed in haste, which no reader wants back so."""
    return Pair(_unprotected(pair.src, str.lower), pair.tgt)


def as_title(pair: Pair, random: Random) -> Pair:
    """Write the source as an English heading; other languages write headings as any text."""
    if len(pair.src.split()) > _LONGEST_TITLE:
        return pair
    return Pair(_unprotected(pair.src, _title), pair.tgt)


def _title(text: str) -> str:
    return re.sub(r"(?<!['’\w])[a-z]\w*", lambda word: _titled(word[0]), text)


def _titled(word: str) -> str:
    return word if word in _SMALL_WORDS else word[0].upper() + word[1:]


def typographic(pair: Pair, random: Random) -> Pair:
    """Change marks that are typed in several ways, or leave the last full stop out on both sides."""
    changes: list[Callable[[Pair], Pair]] = [
        lambda pair: Pair(_CLOSING.sub("", pair.src), _CLOSING.sub("", pair.tgt)),
        lambda pair: pair._replace(src=_other_apostrophes(pair.src)),
        lambda pair: pair._replace(src=_other_quotes(pair.src, random)),
        lambda pair: pair._replace(src=_other_dashes(pair.src, random)),
        lambda pair: pair._replace(src=re.sub(r"(?<=\w)([!?:;])", r" \1", pair.src)),
        lambda pair: pair._replace(src=re.sub(r"(?<=\w)n['’]t\b|(?<=\w)['’](?=(?:s|m|re|ll|ve|d)\b)", _bare, pair.src)),
    ]
    random.shuffle(changes)
    for change in changes:
        changed = change(pair)
        if changed != pair:
            return changed
    return pair


def _bare(match: re.Match[str]) -> str:
    return match[0].replace("'", "").replace("’", "")


def _other_apostrophes(text: str) -> str:
    return re.sub(r"(?<=\w)['’](?=\w)", lambda mark: "’" if mark[0] == "'" else "'", text)


def _other_quotes(text: str, random: Random) -> str:
    marks = random.choice(["“”", '""', "‘’", "''", "«»"])
    return re.sub(r"(?<!\w)[\"“]([^\"“”]+)[\"”]", rf"{marks[0]}\1{marks[1]}", text)


def _other_dashes(text: str, random: Random) -> str:
    return re.sub(r"(?<= )(?:-|–|—|--)(?= )", random.choice(["-", "–", "—", "--"]), text).replace("...", "…")


def mistyped(pair: Pair, random: Random) -> Pair:
    """Put one slip of the finger into the source, two into a long one."""
    spans = list(_typeable(pair.src))
    text = pair.src
    for start, end in sorted(random.sample(spans, min(len(spans), 1 + (len(text) > 60))), reverse=True):
        text = text[:start] + _slip(text[start:end], random) + text[end:]
    return Pair(text, pair.tgt)


def _typeable(text: str) -> Iterator[tuple[int, int]]:
    """Where words stand that are not names: without capitals, and long enough to be read with a slip."""
    protected = [match.span() for match in PROTECTED.finditer(text)]
    for match in _WORD.finditer(text):
        if match[0].islower() and not any(start < match.end() and match.start() < end for start, end in protected):
            yield match.span()


def _slip(word: str, random: Random) -> str:
    place = random.randrange(1, len(word) - 1)
    before, here, after = word[:place], word[place], word[place + 1 :]
    return random.choice(
        [
            before + after,  # left out
            before + here + here + after,  # twice
            before + after[:1] + here + after[1:],  # changed places
            before + _NEIGHBOURS.get(here, here) + after,  # the key beside it
        ]
    )


def joined(pairs: Sequence[Pair], random: Random) -> Iterator[Pair]:
    """Put 2 to 6 sentences that follow each other on one line, until all are used; only what ends as sentences do."""
    sentences = [pair for pair in pairs if _SENTENCE.search(pair.src) and _SENTENCE.search(pair.tgt)]
    place = 0
    while place < len(sentences):
        group = sentences[place : place + random.choice([2, 2, 2, 3, 3, 4, 5, 6])]
        place += len(group)
        while len(group) > 1 and sum(len(pair.src) for pair in group) > _LONGEST_JOINED:
            group.pop()
        if len(group) > 1:
            yield Pair(" ".join(pair.src for pair in group), " ".join(pair.tgt for pair in group))
