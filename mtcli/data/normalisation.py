"""The one normalisation of text: what a model reads of a line, in training, validation, scoring and translation alike.

Unicode's composition (NFC); every run of white space is one space, that which does not break a line or has no width of
a word among it; and characters that cannot be seen are left out. These are controls, format characters and others that
only tell a program how to lay text out. Some of them change words in some scripts, and stay there:

- the joiners U+200C and U+200D in and behind letters of scripts whose letters join (Arabic, Indic and others), and
  U+200D between emoji;
- variation selectors behind emoji, other symbols, and the letters that have variants;
- tags that make a flag of U+1F3F4.

Visible format characters, such as the Arabic sign of a number, are text as any other.

Models are of one of two versions, which config.json records:

1. They learnt before there was this rule: of text whose white space and composition alone were normalised. They read
   by the rule all the same, but for invisible characters that their vocabulary has pieces for: those were part of the
   text they learnt from, and reach them as they always did. Imported models are of this version.
2. They learnt by the rule.

A line without invisible characters is the same text in both. The ranges are spelt out, as Python's own tables differ
between its versions.
"""

import re
import unicodedata
from collections.abc import Iterable

FIRST, CURRENT = 1, 2
VERSIONS = (FIRST, CURRENT)
BIDI_MARKS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # as a range of a regular expression

_CONTROLS = "\0-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"  # the others are white space
_FORMATS = (
    f"\u00ad\u180e\u200b{BIDI_MARKS}\u2060-\u2065\u206a-\u206f\ufeff\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
)
_MARKS = "\u034f\u17b4\u17b5"  # invisible, and no format characters by their category
_TAGS = "\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
_BLANKS = "\u2800\u3164\uffa0"  # letters and symbols by their category, white space to the eye
_JOINERS = "\u200c\u200d"
_SELECTORS = "\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"

_EMOJI = "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
_JOINING = (  # scripts from Arabic to Sinhala, of South East Asia, Mongolian, and those of the supplementary planes
    "\u0600-\u0dff\u1000-\u109f\u1780-\u18af\u1900-\u1cff\ua800-\uabff\ufb50-\ufdff\ufe70-\ufefe"
    "\U00010a00-\U00010fff\U00011000-\U00011fff\U0001e900-\U0001e95f"
)
_VARYING = (  # Myanmar, Mongolian, Phags-pa, Manichaean, Egyptian, Han
    "\u1000-\u109f\u1800-\u18af\ua840-\ua87f\U00010ac0-\U00010aff\U00013000-\U0001345f"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_ALWAYS = f"{_CONTROLS}{_FORMATS}{_MARKS}{_TAGS}"
_ANY = re.compile(f"[{_ALWAYS}{_BLANKS}{_JOINERS}{_SELECTORS}]")
# Each step looks at what the one before it left. What the first group holds stays.
_STEPS = (
    re.compile(f"(\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f)|[{_ALWAYS}]"),
    re.compile(f"((?<=[{_EMOJI}{_VARYING}])[{_SELECTORS}]|(?<=[0-9#*])\ufe0f(?=\u20e3))|[{_SELECTORS}]"),
    re.compile(
        f"((?<=[{_JOINING}])\u200d|(?<=[{_EMOJI}\ufe0f])\u200d(?=[{_EMOJI}])"
        f"|(?<=[{_JOINING}])\u200c(?=[{_JOINERS}]*[{_JOINING}]))|[{_JOINERS}]"
    ),
)
_BLANK = re.compile(f"[{_BLANKS}]")
_BY_ITSELF = re.compile(f"[{_CONTROLS}{_FORMATS}{_MARKS}{_BLANKS}]")


def normalise(text: str, known: frozenset[str] = frozenset()) -> str:
    """The text as a model reads it; the rule is above. Done twice, it changes nothing.

    Args:
        known: invisible characters that stay.
    """
    text = _spaced(text)
    if not _ANY.search(text):
        return text
    while (visible := _spaced(without_invisible(text, known))) != text:
        text = visible
    return text


def _spaced(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def without_invisible(text: str, known: frozenset[str] = frozenset()) -> str:
    """The text without invisible characters but those `known`; blank ones are spaces; all else as it is."""
    if not _ANY.search(text):
        return text

    def kept(match: re.Match[str]) -> str:
        return match[1] or (match[0] if match[0] in known else "")

    for step in _STEPS:
        text = step.sub(kept, text)
    return _BLANK.sub(lambda match: match[0] if match[0] in known else " ", text)


def is_invisible_anywhere(char: str) -> bool:
    """Whether a character is never read, whatever stands beside it."""
    return bool(_BY_ITSELF.match(char))


def invisible_among(pieces: Iterable[str]) -> frozenset[str]:
    """The invisible characters that a vocabulary's pieces hold, but for U+FEFF, which is never text."""
    return frozenset(_ANY.findall("".join(pieces))) - {"\ufeff"}
