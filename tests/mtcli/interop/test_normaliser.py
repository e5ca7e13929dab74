"""Exported SentencePiece models cut raw text as mtcli cuts it."""

import unicodedata

import pytest
import sentencepiece as spm
from hypothesis import example, given
from hypothesis import strategies as st
from support.marian import ENGLISH, GERMAN, NASTY, spm_model

from mtcli.data.normalisation import is_invisible_anywhere, without_invisible
from mtcli.data.tokenizer import Tokenizer, train_tokenizer
from mtcli.interop.normaliser import self_normalising


@pytest.fixture(scope="module")
def both() -> tuple[Tokenizer, spm.SentencePieceProcessor]:
    tokenizer, _ = train_tokenizer([*ENGLISH, *GERMAN] * 5, vocab_size=340)
    exported = spm.SentencePieceProcessor()
    exported.LoadFromSerializedProto(self_normalising(tokenizer))
    return tokenizer, exported


def _is_plain(text: str) -> bool:
    """Without what rules cannot mend: marks that no composed character takes in, and what needs its neighbours."""
    depends = any(without_invisible(char) != char and not is_invisible_anywhere(char) for char in text)
    return not depends and not any(unicodedata.combining(char) for char in unicodedata.normalize("NFC", text))


@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30).filter(_is_plain))
@example(" \u00a0 two \t\u2028 \u3000")
@example("the\u200e d\u00ad\u200bog \u2067 \ufeff\u3164x\x07")
@example("e\u0301a\u0302\u0303 a\u0323\u0302 a\u0302\u0323 \u212b \uac00 \u1100\u1161\u11a8")
def test_raw_text_is_cut_alike(both: tuple[Tokenizer, spm.SentencePieceProcessor], text: str) -> None:
    tokenizer, exported = both
    for spelling in (text, unicodedata.normalize("NFD", text)):
        assert exported.encode(spelling) == tokenizer.encode(spelling)


def test_pieces_and_ids_stay(both: tuple[Tokenizer, spm.SentencePieceProcessor]) -> None:
    tokenizer, exported = both
    assert [exported.id_to_piece(i) for i in range(exported.vocab_size())] == tokenizer.pieces(
        range(tokenizer.vocab_size)
    )
    for line in (*ENGLISH, *NASTY):
        tokens = tokenizer.encode(line)
        assert exported.decode(tokens) == tokenizer.decode(tokens)


def test_a_model_with_rules_of_its_own_keeps_them() -> None:
    tokenizer = Tokenizer(spm_model(ENGLISH, 70))
    assert self_normalising(tokenizer) is tokenizer.model
