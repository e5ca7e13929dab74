"""Language codes: how they are written, what they are called, and which of the served ones a client means."""

import re
from collections.abc import Iterable

from mtcli.config import LANGUAGE_CODE

AUTO = "auto"
# What clients write for a language, by how it is known here. All in lower case.
_ALIASES = {
    "zh-hans": "zh",
    "zh-cn": "zh",
    "zt": "zh-hant",
    "zh-tw": "zh-hant",
    "pb": "pt-br",
    "iw": "he",
    "in": "id",
    "no": "nb",
}
# How codes are written in answers, where not in lower case.
_WRITTEN = {"zh": "zh-Hans", "zh-hant": "zh-Hant", "pt-br": "pt-BR", "pt-pt": "pt-PT"}
_FROM_THREE_LETTERS = {
    "eng": "en",
    "deu": "de",
    "ger": "de",
    "fra": "fr",
    "fre": "fr",
    "spa": "es",
    "ita": "it",
    "por": "pt",
    "nld": "nl",
    "dut": "nl",
    "pol": "pl",
    "rus": "ru",
    "ukr": "uk",
    "ces": "cs",
    "cze": "cs",
    "slk": "sk",
    "jpn": "ja",
    "kor": "ko",
    "cmn": "zh",
    "zho": "zh",
    "chi": "zh",
    "ara": "ar",
    "heb": "he",
    "tur": "tr",
    "swe": "sv",
    "dan": "da",
    "nob": "nb",
    "fin": "fi",
    "ell": "el",
    "hun": "hu",
    "ron": "ro",
    "bul": "bg",
    "hrv": "hr",
    "srp": "sr",
    "slv": "sl",
    "est": "et",
    "lav": "lv",
    "lit": "lt",
    "vie": "vi",
    "tha": "th",
    "ind": "id",
    "msa": "ms",
    "hin": "hi",
    "ben": "bn",
    "fas": "fa",
    "per": "fa",
    "urd": "ur",
    "cat": "ca",
}
_NAMES = {
    "ar": "Arabic",
    "az": "Azerbaijani",
    "be": "Belarusian",
    "bg": "Bulgarian",
    "bn": "Bengali",
    "bs": "Bosnian",
    "ca": "Catalan",
    "cs": "Czech",
    "cy": "Welsh",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "eo": "Esperanto",
    "es": "Spanish",
    "et": "Estonian",
    "eu": "Basque",
    "fa": "Persian",
    "fi": "Finnish",
    "fr": "French",
    "ga": "Irish",
    "gl": "Galician",
    "he": "Hebrew",
    "hi": "Hindi",
    "hr": "Croatian",
    "hu": "Hungarian",
    "hy": "Armenian",
    "id": "Indonesian",
    "is": "Icelandic",
    "it": "Italian",
    "ja": "Japanese",
    "ka": "Georgian",
    "kk": "Kazakh",
    "ko": "Korean",
    "la": "Latin",
    "lt": "Lithuanian",
    "lv": "Latvian",
    "mk": "Macedonian",
    "ml": "Malayalam",
    "mr": "Marathi",
    "ms": "Malay",
    "mt": "Maltese",
    "nb": "Norwegian Bokmål",
    "nl": "Dutch",
    "nn": "Norwegian Nynorsk",
    "pl": "Polish",
    "pt": "Portuguese",
    "pt-br": "Portuguese (Brazil)",
    "pt-pt": "Portuguese (Portugal)",
    "ro": "Romanian",
    "ru": "Russian",
    "sk": "Slovak",
    "sl": "Slovenian",
    "sq": "Albanian",
    "sr": "Serbian",
    "sv": "Swedish",
    "sw": "Swahili",
    "ta": "Tamil",
    "te": "Telugu",
    "th": "Thai",
    "tl": "Tagalog",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "ur": "Urdu",
    "uz": "Uzbek",
    "vi": "Vietnamese",
    "zh": "Chinese (simplified)",
    "zh-hant": "Chinese (traditional)",
}
_RIGHT_TO_LEFT = {"ar", "dv", "fa", "he", "ku-arab", "ps", "sd", "ug", "ur", "yi"}


def canonical(code: str) -> str:
    """How a code is known here: `EN` as en, `pb` as pt-br, `deu` as de; what is no code stays as it is."""
    lower = code.strip().lower().replace("_", "-")
    return _ALIASES.get(lower) or _FROM_THREE_LETTERS.get(lower, lower)


def is_code(text: str) -> bool:
    """Whether this is written as a language's code is."""
    return re.match(LANGUAGE_CODE, text) is not None


def written(code: str) -> str:
    """How a code is written in answers: the script and the region in the usual case."""
    return _WRITTEN.get(code, code)


def name_of(code: str) -> str:
    """The English name of a language; its code where none is known."""
    return _NAMES.get(code) or _NAMES.get(code.partition("-")[0], code)


def is_right_to_left(code: str) -> bool:
    """Whether a language is written from right to left."""
    return code in _RIGHT_TO_LEFT or code.partition("-")[0] in _RIGHT_TO_LEFT


def resolve(code: str, served: Iterable[str]) -> str | None:
    """The served language that a client means: the very one, else the one without its region or script.

    Args:
        code: as the client writes it.
        served: canonical codes.
    """
    known, wanted = set(served), canonical(code)
    if wanted in known:
        return wanted
    general = canonical(wanted.partition("-")[0])
    return general if general in known else None
