"""Amounts that a translator converted: 50 feet as 15 metres, 130 mph as 210 km/h."""

import re
from collections.abc import Mapping

_TOLERANCE = 0.08  # converted amounts are rounded
# What a unit is in the unit of its dimension, and how it is spelled in several languages.
_UNITS: Mapping[str, Mapping[float, str]] = {
    "length": {
        1.0: r"m|met(?:er|re)n?s?|mètres?|미터|メートル",
        1000.0: r"km(?:/h)?|kilomet(?:er|re)n?s?|kilomètres?|킬로미터|キロ(?:メートル)?",
        0.01: r"cm|[cz]entimet(?:er|re)n?s?|centimètres?|센티미터|センチ",
        0.3048: r"feet|foot|ft|fuß|pieds?|피트|フィート",
        0.0254: r"inch(?:es)?|zoll|pouces?|인치|インチ",
        0.9144: r"yards?|yd|야드|ヤード",
        1609.34: r"mph|miles?|meilen?|milles?|마일|マイル",
    },
    "weight": {
        1.0: r"kg|kilos?|kilogramm?e?s?|킬로그램|キロ(?:グラム)?",
        0.001: r"g|gramm?e?s?|그램|グラム",
        1000.0: r"t|ton(?:ne)?n?s?|톤|トン",
        0.4536: r"pounds?|lbs?|pfund|livres?|파운드|ポンド",
        0.02835: r"ounces?|oz|unzen?|onces?|온스|オンス",
    },
    "volume": {
        1.0: r"l|lit(?:er|re)n?s?|리터|リットル",
        3.785: r"gallons?|gallonen?|갤런|ガロン",
        0.473: r"pints?|파인트|パイント",
    },
}
_PATTERNS = {
    (dimension, factor): re.compile(rf"(?<![a-zA-ZÀ-ɏ])(?:{spelled})(?![a-zA-ZÀ-ɏ])", re.IGNORECASE)
    for dimension, units in _UNITS.items()
    for factor, spelled in units.items()
}


def is_converted(value: str, other: str, source: str, target: str) -> bool:
    """Tell whether one number is the other in another unit, where each line has the unit that it takes.

    Args:
        value: a number of the source, with a point before decimals.
        other: a number of the target.
        source: the line of the first.
        target: the line of the second.
    """
    if not (float(value) and float(other)):
        return False
    ratio = float(value) / float(other)
    return any(
        abs(ratio * factor / other_factor - 1) < _TOLERANCE
        and pattern.search(source) is not None
        and other_pattern.search(target) is not None
        for (dimension, factor), pattern in _PATTERNS.items()
        for (other_dimension, other_factor), other_pattern in _PATTERNS.items()
        if dimension == other_dimension and factor != other_factor
    )
