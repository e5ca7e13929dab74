"""A first look at a translation, for a fraction of what the checks cost: most have nothing that a check could find.

It errs on one side only: what it lets pass, no check for grave faults has anything against; the rest is checked.
"""

import string
from collections.abc import Callable
from math import exp
from operator import eq

from mtcli.checking import CheckSettings, LengthStatistics
from mtcli.checking.checker import LanguagePair
from mtcli.checking.languages import language_of
from mtcli.checking.lengths import ROOM

# Letters of Western languages as UTF-8, and marks that no check of numbers or protected text looks at: U+00C0 to U+00FF
# are C3 and one more byte.
_MARKS = " ,!?'-."
_PLAIN = (string.ascii_letters + _MARKS).encode() + bytes([0xC3, *range(0x80, 0xC0)])
_LONG_WORD = 10  # characters: the shortest in which syllables can loop
_SHARED = 4  # words of both lines: the fewest that are a copied run
_FEW, _MUCH = 4, 40  # words, and characters, of a text that may be one without spaces

Prescan = Callable[[str, str], bool]
"""From a source and its translation to whether that is surely sound."""


def prescan_for(pair: LanguagePair, settings: CheckSettings) -> Prescan | None:
    """Make the look for two languages; None where it would let nothing pass."""
    src, tgt = map(language_of, pair)
    if not src.scripts or not tgt.is_latin:
        return None
    usual = settings.lengths or LengthStatistics.between(src.scripts[0], tgt.scripts[0])
    tolerance = 0.99 * settings.length_tolerance * usual.spread  # rounding is the checks' business
    shortest, longest = exp(usual.mean - tolerance), exp(usual.mean + tolerance)

    def is_sound(source: str, target: str) -> bool:
        ratio = (len(target) + ROOM) / (len(source) + ROOM)
        if not shortest < ratio < longest or source.find(".", 0, -1) >= 0 or target.find(".", 0, -1) >= 0:
            return False
        try:
            if source.encode().translate(None, _PLAIN) or target.encode().translate(None, _PLAIN):
                return False
        except UnicodeEncodeError:  # half a surrogate pair
            return False
        words, others = target.lower().split(), set(source.lower().split())
        different = set(words)
        lacking = len(words) - len(different)
        if lacking > 1 or (lacking and any(map(eq, words, words[1:]))):
            return False
        if len(different & others) >= min(_SHARED, len(others)) or not source.strip(_MARKS):
            return False
        if len(words) < _FEW and (not words or len(target) > _MUCH):
            return False
        long = [word for word in words if len(word) >= _LONG_WORD]
        return not long or not any(2 * len(set(word)) <= len(word) for word in long)

    return is_sound
