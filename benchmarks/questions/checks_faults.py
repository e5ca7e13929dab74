"""Faults made on purpose in good translations, each of the kind that one check is there to find."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

Pair = tuple[str, str]
Damage = Callable[[Pair, Random], Pair | None]
"""Damage a good translation; None where it has nothing to damage. What is protected is first put into both lines."""

NUMBER = re.compile(r"(?<![\w$%{\\/.<-])\d+(?![\w}>%])", re.ASCII)
PIECES = {
    "url": (
        "https://example.com/path?x=1",
        "http://www.example.org/a/b.html",
        "https://docs.example.net/en/latest/#top",
    ),
    "email": ("info@example.com", "jane.doe@mail.example.org"),
    "placeholder": ("%s", "%1$s", "%(name)s", "{name}", "{0}", "{{ count }}", "${path}"),
}
AMOUNTS = (("$35", "35 $", "35 €"), ("12 km", "12 km", "12 m"), ("40 kg", "40 kg", "40 g"), ("8 GB", "8 GB", "8 MB"))
SYLLABLES = {False: ("하", "는다", "가나"), True: ("ses", "ung", "la", "ter", "ko")}  # is the word in ASCII?
FOREIGN = {"script": ("привет мир", "สวัสดี", "שלום")}


@dataclass(frozen=True)
class Fault:
    """Describe a kind of fault.

    Attributes:
        name: in words, for a table.
        check: the id of the check that is to find it.
        damage: what makes it.
        prepare: what is first put into a good pair, so that there is something to damage.
    """

    name: str
    check: str
    damage: Damage
    prepare: Damage = lambda pair, random: pair


def put_in(text: str, piece: str, place: float) -> str:
    """Put a piece between two words, at this share of the way through."""
    words = text.split(" ")
    at = round(place * len(words))
    return " ".join([*words[:at], piece, *words[at:]])


def loop_of_words(pair: Pair, random: Random) -> Pair | None:
    words = pair[1].split(" ")
    size = random.randint(1, min(4, len(words)))
    at = random.randint(0, len(words) - size)
    group = words[at : at + size]
    if not any(map(str.isalpha, "".join(group))):
        return None
    return pair[0], " ".join([*words[:at], *(group * random.randint(3, 6)), *words[at + size :]])


def loop_of_syllables(pair: Pair, random: Random) -> Pair | None:
    words = pair[1].split(" ")
    at = random.randrange(len(words))
    words[at] += random.choice(SYLLABLES[bool(re.search("[a-z]", pair[1]))]) * random.randint(5, 12)
    return pair[0], " ".join(words)


def copy(pair: Pair, random: Random) -> Pair | None:
    return (pair[0], pair[0]) if len(pair[0].split()) > 2 else None


def copied_run(pair: Pair, random: Random) -> Pair | None:
    words, source = pair[1].split(" "), pair[0].split(" ")
    if len(source) < 8 or len(words) < 4:
        return None
    at = random.randint(0, len(source) - 7)
    half = len(words) // 2
    return pair[0], " ".join([*words[:half], *source[at : at + 7]])


def changed_digit(pair: Pair, random: Random) -> Pair | None:
    numbers = list(NUMBER.finditer(pair[1]))
    if not numbers:
        return None
    number = random.choice(numbers)
    at = random.randrange(number.start(), number.end())
    digit = random.choice([one for one in "123456789" if one != pair[1][at]])
    return pair[0], pair[1][:at] + digit + pair[1][at + 1 :]


def dropped_number(pair: Pair, random: Random) -> Pair | None:
    numbers = list(NUMBER.finditer(pair[1]))
    if not numbers or not NUMBER.search(pair[0]):
        return None
    number = random.choice(numbers)
    return pair[0], pair[1][: number.start()] + pair[1][number.end() :]


def with_amount(pair: Pair, random: Random) -> Pair:
    of_source, of_target, _ = random.choice(AMOUNTS)
    place = random.random()
    return put_in(pair[0], of_source, place), put_in(pair[1], of_target, place)


def changed_unit(pair: Pair, random: Random) -> Pair | None:
    for _, good, bad in AMOUNTS:
        if good in pair[1]:
            return pair[0], pair[1].replace(good, bad, 1)
    return None


def with_piece(kind: str) -> Damage:
    def prepare(pair: Pair, random: Random) -> Pair:
        piece, place = random.choice(PIECES[kind]), random.random()
        return put_in(pair[0], piece, place), put_in(pair[1], piece, place)

    return prepare


def changed_piece(kind: str) -> Damage:
    """Leave the piece out, translate into it, or spell it wrongly, as models do."""

    def damage(pair: Pair, random: Random) -> Pair | None:
        piece = next(one for one in PIECES[kind] if one in pair[1])
        at = random.randrange(1, len(piece))
        ways = ["", piece[:at] + piece[at + 1 :], piece[:at] + " " + piece[at:]]
        bad = pair[1].replace(piece, random.choice(ways), 1)
        spaced = piece[:2] in ("{{", "${") and piece.replace(" ", "") in bad.replace(" ", "")
        return (pair[0], bad) if piece not in bad and not spaced else None

    return damage


def with_tags(pair: Pair, random: Random) -> Pair:
    name = random.choice(("b", "em", "code", "a"))
    opening = '<a href="x.html">' if name == "a" else f"<{name}>"
    source, target = (text.partition(" ") for text in pair)
    return (
        f"{opening}{source[0]}</{name}>{source[1]}{source[2]}",
        f"{opening}{target[0]}</{name}>{target[1]}{target[2]}",
    )


def changed_tag(pair: Pair, random: Random) -> Pair | None:
    tags = re.findall(r"<[^>]+>", pair[1])
    return pair[0], pair[1].replace(random.choice(tags), "", 1)


def cut_short(pair: Pair, random: Random) -> Pair | None:
    words = pair[1].split(" ")
    return (pair[0], " ".join(words[: len(words) // 3])) if len(words) > 8 else None


def drawn_out(pair: Pair, random: Random) -> Pair | None:
    words = pair[1].split(" ")
    more = words * 2
    random.shuffle(more)
    return (pair[0], " ".join([*words, *more])) if len(words) > 5 else None


def with_marks(opening: str, closing: str) -> Damage:
    def prepare(pair: Pair, random: Random) -> Pair | None:
        marked = []
        for text in pair:
            words = text.split(" ")
            if len(words) < 4:
                return None
            words[1], words[2] = opening + words[1], words[2] + closing
            marked.append(" ".join(words))
        return marked[0], marked[1]

    return prepare


def lost_mark(marks: str) -> Damage:
    def damage(pair: Pair, random: Random) -> Pair | None:
        places = [at for at, mark in enumerate(pair[1]) if mark in marks]
        at = random.choice(places)
        return pair[0], pair[1][:at] + pair[1][at + 1 :]

    return damage


def changed_end(pair: Pair, random: Random) -> Pair | None:
    source, target = pair
    if not (source[-1] in ".?" and target[-1] in ".?。？"):
        return None
    return source, target[:-1] + ("." if target[-1] in "?？" else "?")


def other_script(pair: Pair, random: Random) -> Pair | None:
    return pair[0], put_in(pair[1], random.choice(FOREIGN["script"]), random.random())


def in_capitals(pair: Pair, random: Random) -> Pair | None:
    words = pair[1].split(" ")
    if len(words) < 4 or any(word.isupper() and len(word) > 1 for word in pair[0].split()):
        return None
    at = random.randint(0, len(words) - 3)
    if not all(re.search("[a-z]{2}", word) for word in words[at : at + 3]):
        return None
    words[at : at + 3] = [word.upper() for word in words[at : at + 3]]
    return pair[0], " ".join(words)


def emptied(pair: Pair, random: Random) -> Pair | None:
    return pair[0], ""


def without_words(pair: Pair, random: Random) -> Pair:
    signs = random.choice(("123", "---", "…", "4.5 %", "👍", "12:30"))
    return signs, signs


def invented(pair: Pair, random: Random) -> Pair | None:
    return pair[0], "Das ist ein guter Tag."


FAULTS: tuple[Fault, ...] = (
    Fault("a group of 1 to 4 words, 3 to 6 times", "loop", loop_of_words),
    Fault("a syllable behind a word, 5 to 12 times", "loop", loop_of_syllables),
    Fault("the source instead of a translation", "echo", copy),
    Fault("seven words of the source instead of the second half", "echo", copied_run),
    Fault("one digit of a number changed", "number", changed_digit),
    Fault("one number left out", "number", dropped_number),
    Fault("a currency or unit changed", "unit", changed_unit, with_amount),
    Fault("a URL misspelt, split or left out", "url", changed_piece("url"), with_piece("url")),
    Fault("an e-mail address likewise", "email", changed_piece("email"), with_piece("email")),
    Fault("a placeholder likewise", "placeholder", changed_piece("placeholder"), with_piece("placeholder")),
    Fault("a tag left out", "tag", changed_tag, with_tags),
    Fault("two thirds of the words left out", "too-short", cut_short),
    Fault("three times as many words", "too-long", drawn_out),
    Fault("a bracket left out", "bracket", lost_mark("()"), with_marks("(", ")")),
    Fault("a quotation mark left out", "quote", lost_mark('"'), with_marks('"', '"')),
    Fault("a question ended by a full stop, or the reverse", "end-punctuation", changed_end),
    Fault("a word in letters of another script", "script", other_script),
    Fault("three words in capitals", "untranslated-capitals", in_capitals),
    Fault("nothing", "empty", emptied),
    Fault("a sentence for a line without words", "invented", invented, without_words),
)


def damaged(fault: Fault, pairs: Sequence[Pair], seed: int, most: int) -> list[tuple[Pair, Pair]]:
    """Return good pairs, each with itself damaged: the first that can be, in an order that the seed makes."""
    random = Random(f"{seed} {fault.name}")
    shuffled = list(pairs)
    random.shuffle(shuffled)
    found: list[tuple[Pair, Pair]] = []
    for pair in shuffled:
        good = fault.prepare(pair, random)
        bad = fault.damage(good, random) if good else None
        if good and bad and bad != good:
            found.append((good, bad))
            if len(found) == most:
                break
    return found
