"""Numbers in words: how "2" may stand in a text of another language as "two", "zwei", "second" or "February".

A number is looked for in words only where it is missing in digits, so nothing is read from words: the spellings of the
one number are made and looked for.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from mtcli.checking.languages import Language

_SMALL: Mapping[str, str] = {
    "en": (
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen"
    ),
    "de": (
        "null ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn "
        "siebzehn achtzehn neunzehn"
    ),
    "fr": (
        "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept "
        "dix-huit dix-neuf"
    ),
    "es": (
        "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete "
        "dieciocho diecinueve"
    ),
}
_TENS: Mapping[str, str] = {
    "en": "twent thirt fort fift sixt sevent eight ninet",
    "de": "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
    "fr": "vingt trente quarante cinquante soixante soixante-dix quatre-vingt quatre-vingt-dix",
    "es": "veint treinta cuarenta cincuenta sesenta setenta ochenta noventa",
}
_MONTHS: Mapping[str, str] = {
    "en": "jan feb mar apr may jun jul aug sep oct nov dec",
    "de": "jän|jan feb mär|mrz apr mai jun jul aug sep okt nov dez",
    "fr": "janv fév|fevr mars avr mai juin juil aoû|aout sept oct nov déc|dec",
    "es": "ene feb mar abr may jun jul ago sep|set oct nov dic",
}
# Other words for one value; a word ends where `$` stands, else anything may follow.
_OTHERS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "0": "no$|none|nil|nought|midnight",
        "1": "a$|an$|one|once|first|single|sole|another|each$|every$|per$|mono|uni",
        "2": "both|second|twice|pair|couple|double|half|twin|twofold|dual|bi|duo",
        "3": "third|thrice|triple|trio|tri",
        "4": "quart|quadr",
        "5": "fifth|quint",
        "8": "eighth",
        "9": "ninth",
        "10": "decade|decem|decimal",
        "12": "twelf|dozen|noon|midday",
        "15": "quarter",
        "20": "score",
        "30": "half",
        "50": "half",
        "100": "hundred|centur|percent|per cent|cent",
        "1000": "thousand|millenni",
        "1000000": "million",
        "1000000000": "billion",
        "0.5": "half",
        "0.25": "quarter",
        "1.5": "one and a half",
    },
    "de": {
        "0": "kein|mitternacht",
        "1": "eins$|einmal|einzig|einzel|erst|je$|pro$|mono",
        "2": "beid|zweit|zwo|paar|doppel|verdoppel|halb|hälfte|zwilling|zweimal|duo",
        "3": "dritt|drilling|tripel",
        "7": "siebt|woche",
        "10": "jahrzehnt|dekade|dezi",
        "12": "dutzend|mittag",
        "14": "zwei wochen",
        "15": "viertel",
        "24": "mitternacht",
        "30": "halb",
        "50": "hälfte|halb",
        "100": "hundert|jahrhundert|prozent",
        "1000": "tausend|jahrtausend",
        "1000000": "million",
        "1000000000": "milliard",
        "0.5": "halb|einhalb",
        "0.25": "viertel",
        "1.5": "anderthalb|eineinhalb",
        "2.5": "zweieinhalb",
    },
    "fr": {
        "0": "aucun|pas$|minuit|nul",
        "1": "une|premi|1er|seul|chaque|par$|mono",
        "2": "second|double|paire|moitié|demi|deuxième|couple",
        "3": "tiers|triple|trois",
        "4": "quart",
        "5": "cinquième",
        "9": "neuvième",
        "10": "décenni|dizaine",
        "12": "douzaine|midi",
        "15": "quinzaine|quart",
        "20": "vingtaine",
        "30": "demi",
        "50": "moitié|cinquantaine",
        "100": "cent|siècle|centaine",
        "1000": "mille|millier",
        "1000000": "million",
        "1000000000": "milliard",
        "0.5": "demi|moitié",
        "0.25": "quart",
    },
    "es": {
        "0": "ningun",
        "1": "un$|una|primer|solo|único",
        "2": "segund|doble|ambos|ambas|par$|mitad|medi",
        "3": "tercer|triple",
        "4": "cuart",
        "10": "década|decena",
        "12": "docena|mediodía",
        "30": "media",
        "100": "cien|siglo",
        "1000": "mil$|miles",
        "1000000": "millón|millones",
        "0.5": "medio|media",
    },
}
_KOREAN = (
    ["하나|한~", "두~|둘", "세~|셋|석~", "네~|넷|넉~", "다섯", "여섯|엿새", "일곱|이레", "여덟|여드레", "아홉", "열"],
    ["열", "스무|스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔"],
)
_KOREAN_OTHERS = {
    "0": "영~|제로|없|자정",
    "1": "첫|하루|매~|단일|홑",
    "2": "이틀|쌍~|절반|양쪽|커플|더블",
    "3": "사흘",
    "4": "나흘|분기",
    "5": "닷새",
    "6": "유월",
    "7": "일주일",
    "10": "열흘|시월",
    "12": "정오|다스",
    "30": "반~",
    "50": "절반",
    "100": "세기|퍼센트|프로",
    "1000": "밀레니엄",
    "10000": "만~",
    "1000000": "백만",
    "0.5": "반~|절반",
}
# What follows a numeral of one syllable, which else may be any word's: a space, or what is counted.
_KOREAN_COUNTED = (
    r"(?=\s|번|명|개|살|시|분|초|마리|가지|달|배|차|권|장|대|사람|주|일|월|년|세기|층|등|단계|인|위|학년|호|회|"
    "원|십|백|천|만|억)"
)
_JAPANESE_OTHERS = {
    "0": "〇|ゼロ|零",
    "1": "ひと|初|毎|単|ある",
    "2": "ふた|両|半|双|ダブル",
    "3": "みっ|トリプル",
    "4": "よっ",
    "5": "いつ",
    "10": "とお",
    "12": "ダース|正午",
    "30": "半",
    "50": "半",
    "100": "百|世紀",
    "0.5": "半",
}
_WORTHS = (
    (1_000_000_000, "billion|milliard|mil millones"),
    (1_000_000, "million|millón|millones"),
    (1000, "thousand|tausend|mill?e?"),
    (100, "hundred|hundert|cent|cien"),
)
_DECADES = "decade|jahrzehnt|décenni|década"
_ROMAN = ((10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))
_LARGEST_ROMAN = 39
_CHINESE = "〇一二三四五六七八九"


def is_written_in_words(value: str, text: str, language: Language) -> bool:
    """Tell whether a number stands in a text in words, as an ordinal, a month or a Roman numeral.

    Of a language whose words are not known here, small and round numbers are taken to stand there.

    Args:
        value: without leading zeros, with a point before decimals.
        text: where to look.
        language: that of the text.
    """
    pattern = _pattern(value, language.code)
    return pattern is None or bool(pattern.search(text))


@lru_cache(4096)
def _pattern(value: str, code: str) -> re.Pattern[str] | None:
    """What the number may look like; None where anything may."""
    make = _MAKERS.get(code)
    whole = int(value) if value.isdecimal() and len(value) <= 12 else None
    if make is None:
        return None if whole is not None and (whole <= 31 or whole % 10 == 0) else _NOTHING
    spellings = list(make(value, whole))
    if whole and whole <= _LARGEST_ROMAN:
        spellings.append(f"(?-i:{_roman(whole)})e?(?![a-zA-Z])")
    return re.compile("|".join(spellings), re.IGNORECASE) if spellings else _NOTHING


_NOTHING = re.compile(r"(?!)")


def _roman(value: int) -> str:
    text = ""
    for worth, letters in _ROMAN:
        count, value = divmod(value, worth)
        text += letters * count
    return r"(?<![a-zA-Z])" + text


def _alphabetic(code: str) -> Callable[[str, int | None], Iterable[str]]:
    """Spellings in a language that writes numbers with letters, each at the beginning of a word."""
    small, tens = _SMALL[code].split(), _TENS[code].split()
    months, others = _MONTHS[code].split(), _OTHERS[code]

    def make(value: str, whole: int | None) -> Iterable[str]:
        words = others.get(value, "").split("|") if value in others else []
        if whole is not None:
            words += _cardinals(whole, code, small, tens)
            if whole % 10 == 0 and whole < 100:
                words += [f"{one}[- ]({_DECADES})" for one in _cardinals(whole // 10, code, small, tens)]
            if 1 <= whole <= 12:
                words += months[whole - 1].split("|")
        return [_at_a_word(word) for word in words]

    return make


def _cardinals(whole: int, code: str, small: list[str], tens: list[str]) -> list[str]:
    if whole < 20:
        return [small[whole]]
    if whole < 100:
        ten, one = divmod(whole, 10)
        stem = tens[ten - 2]
        if one == 0:
            return [stem]
        if code == "de":
            return [f"{small[one]}und{stem}"]
        if code == "fr" and ten in (7, 9):
            return [f"{tens[ten - 3]}-(et-)?{small[10 + one]}", f"{tens[ten - 3]} et {small[10 + one]}"]
        return [f"{stem}(y|i|e)?[- ]?((et|y)[- ])?{small[one]}", *([f"{stem}y[- ]first"] if one == 1 else [])]
    for worth, name in _WORTHS:
        count, rest = divmod(whole, worth)
        if count and rest == 0 and count < (10 if worth == 100 else 1000):
            return [f"{one}[- ]?({name})" for one in _cardinals(count, code, small, tens)]
    return []


def _at_a_word(word: str) -> str:
    return rf"(?<![^\W\d_]){word[:-1]}(?![^\W\d_])" if word.endswith("$") else rf"(?<![^\W\d_]){word}"


def _korean(value: str, whole: int | None) -> Iterable[str]:
    """Native numerals, and those from Chinese; `~` stands behind what is a numeral only before what it counts."""
    spellings = [_KOREAN_OTHERS[value]] if value in _KOREAN_OTHERS else []
    ones, tens = _KOREAN
    if whole is not None and 1 <= whole <= 10:
        spellings.append(ones[whole - 1])
    elif whole is not None and whole < 100:
        ten, one = divmod(whole, 10)
        if ten:
            spellings.append(f"({tens[ten - 1]})" + (f"({ones[one - 1].replace('~', '')})" if one else ""))
    if whole is not None:
        from_chinese = _by_characters(whole, "영일이삼사오육칠팔구", "십백천만")
        spellings += [f"{one}~" if len(one) == 1 else one for one in from_chinese]
    for spelling in "|".join(spellings).split("|") if spellings else []:
        yield rf"(?<![가-힣]){spelling[:-1]}{_KOREAN_COUNTED}" if spelling.endswith("~") else spelling


def _chinese(value: str, whole: int | None) -> Iterable[str]:
    if value in _JAPANESE_OTHERS:
        yield _JAPANESE_OTHERS[value]
    if whole is not None:
        yield from _by_characters(whole, _CHINESE, "十百千[万萬]")
        if whole > 99:
            yield "".join(_CHINESE[int(digit)] for digit in value)


def _by_characters(whole: int, digits: str, units: str) -> Iterable[str]:
    """Digits and units as Chinese writes them, up to 9999 and round ones of ten thousand."""
    if whole >= 10_000:
        return
    if whole < 10:
        yield digits[whole]
        return
    text = ""
    for place, digit in zip(range(len(str(whole)) - 1, -1, -1), map(int, str(whole)), strict=True):
        if digit:
            unit = units[place - 1] if place else ""
            text += (f"{digits[1]}?" if digit == 1 and place else digits[digit]) + unit
    yield text


_MAKERS: Mapping[str, Callable[[str, int | None], Iterable[str]]] = {
    **{code: _alphabetic(code) for code in _SMALL},
    "ko": _korean,
    "ja": _chinese,
    "zh": _chinese,
}
