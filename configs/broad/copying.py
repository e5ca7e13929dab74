"""Pairs in which something is copied: URLs, numbers, codes, placeholders, names, so often new that no corpus has them.

Three ways to make them: put something else where both sides of a pair have the same; put something around or behind a
pair on both sides; and carry something in sentences of a list.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from random import Random

from configs.broad.corpora import Pair
from configs.broad.things import thing

_CARRIERS = Path(__file__).with_name("carriers.tsv")  # by what they carry, in all languages of the recipes
_KINDS = ("url", "mail", "path_name", "code", "number", "person", "placeholder")
_BARE_SHARE = 0.3  # of carried things stand alone
_SLOT = re.compile(r"⟨([01])⟩")

_URL = r"https?://[^\s<>\"'”“]*\w"
_NAMED = r"\$?\{\{?[\w.]+\}?\}|%\([\w.]+\)[sd]|\$[A-Z][A-Z_]+\$"
_CODE = r"`[^`]+`"
_NUMBER = r"(?<![\w.,:/%$-])\d{2,6}(?![\w%]|[.,:/-]\d)"
_SHARED = re.compile(f"{_URL}|{_NAMED}|{_CODE}|{_NUMBER}")
# Names that one corpus has far too often, and what may stand for them.
_OFTEN = {"Tom": "person", "Boston": "city"}


def carried(languages: tuple[str, str], count: int, random: Random) -> Iterator[Pair]:
    """Make pairs of a carrier sentence of each language with the same thing in it, or of nothing but the thing."""
    with _CARRIERS.open(encoding="utf-8", newline="") as file:
        carriers = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    for _ in range(count):
        if random.random() < _BARE_SHARE:
            alone = thing(random.choice(_KINDS), random)
            yield Pair(alone, alone)
        else:
            carrier = random.choice(carriers)
            things = [thing(carrier["kind"], random) for _ in range(2)]
            yield Pair(*(_filled(carrier[language], things) for language in languages))


def _filled(carrier: str, things: list[str]) -> str:
    return _SLOT.sub(lambda slot: things[int(slot[1])], carrier)


def replaced(pair: Pair, random: Random) -> Pair | None:
    """Put other things for URLs, named placeholders, inline code and numbers; None unless both sides have the same."""
    src, tgt = (sorted(_SHARED.findall(side)) for side in pair)
    if not src or src != tgt:
        return None
    others = {found: _another(found, random) for found in sorted(set(src))}
    if len(set(others.values())) < len(others):
        return None
    return Pair(*(_SHARED.sub(lambda found: others[found[0]], side) for side in pair))


def _another(found: str, random: Random) -> str:
    """Something of the same kind."""
    if found.startswith("http"):
        return "https://" + re.sub(r"^https?://", "", thing("url", random))
    if found.startswith("`"):
        return f"`{thing('inline', random)}`"
    if found.isdigit():
        return thing("first", random) + "".join(thing("digit", random) for _ in found[1:])
    return re.sub(r"[A-Za-z]\w*", thing("NAME" if found[1].isupper() else "name", random), found, count=1)


def renamed(pair: Pair, random: Random) -> Pair | None:
    """Put another name for one that comes up far too often; None unless it stands once on both sides, undeclined."""
    for name, kind in _OFTEN.items():
        pattern = re.compile(rf"\b{name}\b")
        if all(len(pattern.findall(side)) == 1 and f"{name}s" not in side for side in pair):
            other = thing(kind, random)
            return Pair(*(pattern.sub(other, side) for side in pair))
    return None


def wrapped(pair: Pair, random: Random) -> Pair:
    """Put a tag, a list's mark, a placeholder, an address or the like around, before or behind both sides."""
    before, _, after = thing("frame", random).partition("…")
    return Pair(f"{before}{pair.src}{after}", f"{before}{pair.tgt}{after}")


def among(pairs: Iterable[Pair], change: Callable[[Pair, Random], Pair | None], random: Random) -> Iterator[Pair]:
    """The pairs that a change finds something in, changed."""
    for pair in pairs:
        changed = change(pair, random)
        if changed is not None and changed != pair:
            yield changed
