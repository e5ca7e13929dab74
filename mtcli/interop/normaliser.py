"""A SentencePiece model that does by itself what mtcli does to text before SentencePiece (mtcli/data/normalisation.py).

Other systems give SentencePiece text as it is. Its models can hold rules that rewrite text, the longest match first;
here they are made from Unicode's tables. Three things rules cannot say, and do not: NFC's order of marks where no
composed character takes them in, whether a joiner, a variation selector or a tag is needed where it stands (they stay),
and anything of NUL.
"""

import re
import sys
import tempfile
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import permutations
from pathlib import Path

import sentencepiece as spm

from mtcli.data.normalisation import is_invisible_anywhere, without_invisible
from mtcli.data.pieces import fields_of, message_of
from mtcli.data.tokenizer import Tokenizer

_NORMALISER = 3  # field of ModelProto
_NAME, _RULES = 1, 2  # fields of NormalizerSpec
_MOST_MARKS = 3


def self_normalising(tokenizer: Tokenizer) -> bytes:
    """The tokenizer's model with these rules, where it has none of its own; the rest of it stays as it is."""
    model = tokenizer.model
    content = list(fields_of(model))
    own = dict(next((fields_of(value) for number, value in content if number == _NORMALISER), ()))
    if own.get(_RULES):
        return model
    kept = [(number, value) for number, value in own.items() if number not in (_NAME, _RULES)]
    spec = message_of([(_NAME, b"nfc"), (_RULES, _compiled_rules(tokenizer.known)), *kept])
    return message_of([*((number, value) for number, value in content if number != _NORMALISER), (_NORMALISER, spec)])


@cache
def _compiled_rules(known: frozenset[str]) -> bytes:
    if hasattr(spm, "set_min_log_level"):
        spm.set_min_log_level(2)  # it tells of its progress otherwise, on stderr
    with tempfile.TemporaryDirectory() as directory:
        table = Path(directory) / "rules.tsv"
        lines = (f"{_codes(text)}\t{_codes(composed)}\n" for text, composed in sorted(dict(_rules(known)).items()))
        table.write_text("".join(lines), encoding="ascii")
        made = spm.SentencePieceNormalizer(rule_tsv=str(table)).serialized_model_proto()
    spec = dict(fields_of(dict(fields_of(made))[_NORMALISER]))
    rules: bytes = spec[_RULES]
    return rules


def _codes(text: str) -> str:
    return " ".join(f"{ord(char):04X}" for char in text)


def _rules(known: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Texts and what they become."""
    for char in map(chr, range(1, sys.maxunicode + 1)):
        if re.match(r"\s", char) and char != " ":
            yield char, " "
        elif char not in known and is_invisible_anywhere(char):
            yield char, without_invisible(char)
        elif "\ud800" <= char <= "\udfff":
            continue
        elif (decomposed := unicodedata.normalize("NFD", char)) != char:
            composed = unicodedata.normalize("NFC", char)
            for text in {char, *_spellings(decomposed)}:
                if text != composed and unicodedata.normalize("NFC", text) == composed:
                    yield text, composed


def _spellings(decomposed: str) -> Iterator[str]:
    """The ways to spell a character: its marks in any order, the first of them composed or not."""
    base, marks = decomposed[0], decomposed[1:]
    if len(marks) > _MOST_MARKS:
        yield decomposed
        return
    for order in map("".join, permutations(marks)):
        for count in range(len(order) + 1):
            yield unicodedata.normalize("NFC", base + order[:count]) + order[count:]
