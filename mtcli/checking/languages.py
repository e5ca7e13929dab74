"""What the checks know of languages: their scripts, how they write numbers, and their commonest words.

A language that is not listed here has its script read from its text, and numbers are read in every way.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

# A character class for each script, by its ISO 15924 code (Jpan for kana alone, Hani for Chinese characters).
SCRIPTS: Mapping[str, str] = {
    "Latn": "A-Za-zª°ºÀ-ÖØ-öø-ɏ\u0250-\u02ff\u1e00-\u1eff\ufb00-\ufb06\uff21-\uff3a\uff41-\uff5a\u1d00-\u1dbf",
    "Grek": "\u0370-\u03ff\u1f00-\u1fff",
    "Cyrl": "\u0400-\u052f\u1c80-\u1c88\u2de0-\u2dff",
    "Armn": "\u0531-\u058a",
    "Hebr": "\u0591-\u05f4",
    "Arab": "\u0606-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc",
    "Deva": "\u0900-\u097f",
    "Beng": "\u0980-\u09ff",
    "Taml": "\u0b80-\u0bff",
    "Telu": "\u0c00-\u0c7f",
    "Thai": "\u0e01-\u0e5b",
    "Geor": "\u10a0-\u10ff",
    "Hang": "\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3",
    "Jpan": "\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\uff66-\uff9d",
    "Hani": "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3005\u3007",
}
SCRIPT_LETTERS = {name: re.compile(f"[{letters}]") for name, letters in SCRIPTS.items()}

_WORDS: Mapping[str, str] = {
    "en": (
        "the and of to is was that it he she they with his her their this are were be been have has had not you your "
        "which would could should there these those from by what when who will i my we our them because then about "
        "does did don't doesn't didn't i'm it's its if how where very than other"
    ),
    "de": (
        "der die das und ist ein eine einen einem einer eines nicht mit sich auf für von dem den des im zu war waren "
        "hat haben er sie es wir ich ihr sein seine ihre auch aber oder wie dass daß als bei nach aus durch werden "
        "wird wurde kann können einige zum zur noch nur wenn man mich mir dich dir uns kein keine"
    ),
    "fr": (
        "le la les des et est une un dans que qui pour pas ne sur avec il elle ils elles nous vous je du au aux ce "
        "cette ces son sa ses leur leurs sont était être avoir été plus mais ou où comme par d'un d'une c'est qu'il "
        "n'est j'ai très"
    ),
    "es": (
        "el la los las y es una un que en para por con no se su sus lo del al como más pero fue era son está están "
        "ella ellos yo nos muy este esta estos también porque cuando donde hay"
    ),
    "it": (
        "il lo gli la le e è un una uno che di non per con sono della del dei delle nel nella al alla si come più ma "
        "anche questo questa era suo sua io noi loro perché quando molto ha hanno"
    ),
    "nl": (
        "de het een en van is dat niet op te zijn met voor die er aan hij zij ze wij ik was heeft hebben worden ook "
        "maar om bij naar uit als door kan deze dit hun haar geen wordt werd"
    ),
    "pt": (
        "o a os as e é um uma que em para por com não se do da dos das no na ao mais mas foi era são está ele ela "
        "eles eu nós muito este esta isso também porque quando onde como seu sua"
    ),
    "sv": (
        "och att det är en ett som på av för den inte med till har de om han hon vi jag var kan från eller men när "
        "vara hade ska mycket deras sina"
    ),
    "da": (
        "og at det er en et som på af for den ikke med til har de om han hun vi jeg var kan fra eller men når være "
        "havde skal meget deres sine"
    ),
    "pl": (
        "i w na z jest nie się że do to jak za od po przez dla są był była było ten ta te tym które który ale czy "
        "jego jej ich przy tak"
    ),
    "cs": (
        "a v na je se že s z do to jako pro od po jsou byl byla bylo ten ta které který ale jeho její jejich při tak "
        "není jsem jsme"
    ),
}
# Which write a comma before decimals, and which are written in one script that is not Latin, or in several.
_COMMA_DECIMAL_CODES = (
    "de fr es it nl pt sv da nb nn no fi pl cs sk sl hr sr bg ru uk be ro hu tr el et lv lt id vi ca gl eu is"
)
_COMMA_DECIMAL = frozenset(_COMMA_DECIMAL_CODES.split())
_LATIN_CODES = "en de fr es it nl pt sv da nb nn no fi pl cs sk sl hr ro hu tr et lv lt id ms vi ca gl eu is ga sq af"
_LATIN = _LATIN_CODES.split()
_SCRIPTS_OF: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_LATIN, ("Latn",)),
    **dict.fromkeys(("ru", "uk", "be", "bg", "mk", "kk", "mn"), ("Cyrl",)),
    **dict.fromkeys(("ar", "fa", "ur"), ("Arab",)),
    **dict.fromkeys(("hi", "mr", "ne"), ("Deva",)),
    "el": ("Grek",),
    "hy": ("Armn",),
    "he": ("Hebr",),
    "yi": ("Hebr",),
    "bn": ("Beng",),
    "ta": ("Taml",),
    "te": ("Telu",),
    "th": ("Thai",),
    "ka": ("Geor",),
    "sr": ("Cyrl", "Latn"),
    "ko": ("Hang", "Hani"),
    "ja": ("Jpan", "Hani"),
    "zh": ("Hani",),
}


@dataclass(frozen=True, slots=True)
class Language:
    """Hold what is known of one language.

    Attributes:
        code: ISO 639-1, or what else the user calls it.
        scripts: codes of the scripts it is written in, the main one first; empty where they are not known.
        decimal: the mark before decimals; None where it is not known.
        common_words: small words, in lower case, of which nearly every sentence has some.
    """

    code: str
    scripts: tuple[str, ...] = ()
    decimal: str | None = None
    common_words: frozenset[str] = frozenset()

    @property
    def is_latin(self) -> bool:
        return self.scripts == ("Latn",)

    @property
    def is_unspaced(self) -> bool:
        """Tell whether it writes no spaces between words."""
        return self.code in ("ja", "zh", "th")


def language_of(code: str | None) -> Language:
    """What is known of a language, by a code such as `de`, `de-AT` or `de_AT`; None is a language not known."""
    base = re.split("[-_]", (code or "").lower())[0]
    if base not in _SCRIPTS_OF:
        return Language(base)
    decimal = "," if base in _COMMA_DECIMAL else "."
    return Language(base, _SCRIPTS_OF[base], decimal, COMMON_WORDS.get(base, frozenset()))


COMMON_WORDS: Mapping[str, frozenset[str]] = {code: frozenset(words.split()) for code, words in _WORDS.items()}


def foreign_letters(language: Language) -> re.Pattern[str]:
    """Letters in a row that are neither of the language's scripts nor Latin, nor Greek, which formulas take."""
    foreign = [letters for name, letters in SCRIPTS.items() if name not in (*language.scripts, "Latn", "Grek")]
    return re.compile(f"[{''.join(foreign)}]+")


def foreign_words(language: Language) -> frozenset[str]:
    """Common words of all other languages that this one has not."""
    return frozenset[str]().union(*COMMON_WORDS.values()) - language.common_words


def script_of(text: str) -> str | None:
    """The script that most letters of a text belong to; None where it has no letter of a known one."""
    if text.isascii():
        return "Latn" if SCRIPT_LETTERS["Latn"].search(text) else None
    counts = {name: len(letters.findall(text)) for name, letters in SCRIPT_LETTERS.items()}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] else None
