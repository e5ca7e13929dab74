"""Check `unit`: a currency or a unit of measurement that became another one."""

import re
from collections.abc import Mapping, Sequence

from mtcli.checking.conversions import is_converted
from mtcli.checking.findings import Finding, Severity, Where, quoted
from mtcli.checking.lines import Direction, LinePair
from mtcli.checking.numbers import single_values
from mtcli.checking.spans import Span, SpanKind

UNIT = "unit"
_KINDS: Mapping[str, Mapping[str, str]] = {
    "currency": {
        "dollar": r"\$|usd|dollars?|달러|ドル|美元|dólar(?:es)?",
        "euro": r"€|euros?|eur|유로|ユーロ|欧元",
        "pound": r"£|gbp|pounds?|pfund|livres?|파운드|ポンド|英镑|libras?",
        "yen": r"¥|￥|jpy|yens?|엔|円",
        "won": r"₩|krw|원|ウォン|won",
        "rupee": r"₹|inr|rupees?|rupien|roupies?|루피|ルピー",
    },
    "percentage": {"percent": r"%|％|percent|prozent|pour cent|퍼센트|パーセント|per cent|por ciento|pct"},
    "temperature": {"celsius": r"°\s?c|℃|celsius|섭씨", "fahrenheit": r"°\s?f|℉|fahrenheit|화씨"},
    "length": {
        "kilometre": r"km|kilomet(?:er|re)s?|킬로미터|キロメートル",
        "metre": r"m|met(?:er|re)s?|metern|mètres?|미터|メートル",
        "centimetre": r"cm|zentimetern?|centimet(?:er|re)s?|centimètres?|센티미터|센티|センチ",
        "millimetre": r"mm|millimetern?|millimet(?:er|re)s?|millimètres?|밀리미터|ミリ",
        "mile": r"miles?|meilen?|milles?|마일|マイル|mi",
        "foot": r"feet|foot|ft|fuß|pieds?|피트|フィート",
        "inch": r"inch(?:es)?|zoll|pouces?|인치|インチ",
    },
    "weight": {
        "kilogram": r"kg|kilos?|kilogramm?e?s?|킬로그램|キログラム",
        "gram": r"g|gramm?e?s?|그램|グラム",
        "milligram": r"mg|milligramm?e?s?|밀리그램|ミリグラム",
        "ton": r"t|ton(?:ne)?s?|tonnen|톤|トン",
    },
    "size": {
        "kilobyte": r"kb|kib|kilobytes?|kilo-octets?|ko",
        "megabyte": r"mb|mib|megabytes?|mo|메가바이트",
        "gigabyte": r"gb|gib|gigabytes?|go|기가바이트",
        "terabyte": r"tb|tib|terabytes?|to|테라바이트",
    },
}
_KIND_OF = {name: kind for kind, units in _KINDS.items() for name in units}
_UNITS = "|".join(f"(?P<{name}>{spelled})" for units in _KINDS.values() for name, spelled in units.items())
_BEHIND = re.compile(rf"[\s\u00a0\u202f-]?(?:{_UNITS})(?![a-zA-ZÀ-ɏ])", re.IGNORECASE)
_BETWEEN = " \u00a0\u202f-"
_BEFORE = {"$": "dollar", "€": "euro", "£": "pound", "¥": "yen", "￥": "yen", "₩": "won", "₹": "rupee"}
_ANYWHERE = {
    name: re.compile(rf"(?<![a-zA-ZÀ-ɏ])(?:{spelled})(?![a-zA-ZÀ-ɏ])", re.IGNORECASE)
    for units in _KINDS.values()
    for name, spelled in units.items()
}


def find_units(lines: LinePair, direction: Direction) -> list[Finding]:
    """Find units that stand beside a number of the target, while the source has another one of their kind."""
    if not any(span.text[0].isdecimal() for span in lines.tgt_spans):
        return []
    src, tgt = _units_of(lines.source, lines.src_spans), _units_of(lines.target, lines.tgt_spans)
    lost = {name: where for name, where in src.items() if name not in tgt and not _ANYWHERE[name].search(lines.target)}
    new = {name: where for name, where in tgt.items() if name not in src and not _ANYWHERE[name].search(lines.source)}
    if not new or not lost or _is_conversion(lines, direction):
        return []
    findings = []
    for name, where in new.items():
        for other, place in lost.items():
            if _KIND_OF[name] == _KIND_OF[other]:
                was, now = lines.source[slice(*place)], lines.target[slice(*where)]
                message = f"the unit {quoted(was)} became {quoted(now)}"
                findings.append(Finding(UNIT, Severity.ERROR, message, (place,), (where,)))
                break
    return findings


def _is_conversion(lines: LinePair, direction: Direction) -> bool:
    src, tgt = single_values(lines.src_spans, direction.src), single_values(lines.tgt_spans, direction.tgt)
    return any(is_converted(one, other, lines.source, lines.target) for one in src for other in tgt)


def _units_of(text: str, spans: Sequence[Span]) -> dict[str, Where]:
    """Each unit behind a number, and each sign of a currency before one, with the first place where it stands."""
    found: dict[str, Where] = {}
    for span in spans:
        if span.kind is not SpanKind.NUMBER:
            continue
        if match := _BEHIND.match(text, span.end):
            unit = match[0].lstrip(_BETWEEN)
            found.setdefault(match.lastgroup or "", (match.end() - len(unit), match.end()))
        before = span.start - 1
        if before > 0 and text[before] in _BETWEEN:
            before -= 1
        if before >= 0 and (name := _BEFORE.get(text[before])):
            found.setdefault(name, (before, before + 1))
    return found
