"""Things that a translation leaves as they are, made up by the grammar of things.toml: URLs, codes, numbers, names."""

import re
import tomllib
from pathlib import Path
from random import Random

_GRAMMAR = tomllib.loads(Path(__file__).with_name("things.toml").read_text("utf-8"))
RULES: dict[str, list[str]] = _GRAMMAR["rules"] | {name: words.split() for name, words in _GRAMMAR["words"].items()}
_SYMBOL = re.compile(r"⟨(\w+)⟩")


def expand(text: str, random: Random) -> str:
    """Put something for each ⟨symbol⟩; written ⟨Symbol⟩ it begins with a capital, ⟨SYMBOL⟩ is all capitals.

    Raises:
        KeyError: the grammar has no such symbol.
    """

    def something(match: re.Match[str]) -> str:
        name = match[1]
        made = expand(random.choice(RULES[name.lower()]), random)
        if name.isupper():
            return made.upper()
        return made[:1].upper() + made[1:] if name[0].isupper() else made

    return _SYMBOL.sub(something, text)


def thing(kind: str, random: Random) -> str:
    """Make one of a kind: url, mail, path_name, code, number, person, placeholder, inline, city or frame."""
    return expand(f"⟨{kind}⟩", random)
