"""A model's file read without its library: what it says is what the library says."""

import io

import pytest
import sentencepiece as spm
from support.sentences import sentences, small_tokenizer

from mtcli.data.pieces import Kind, Pieces
from mtcli.errors import DataError


@pytest.mark.parametrize("model_type", ["unigram", "bpe"])
def test_the_library_reads_the_same(model_type: str) -> None:
    model = io.BytesIO()
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences(300, seed=2)),
        model_writer=model,
        vocab_size=350,
        model_type=model_type,
        hard_vocab_limit=False,
        byte_fallback=True,
        user_defined_symbols=["<x>", "y" * 120, "z" * 300],
        minloglevel=2,
    )
    found = Pieces.of(model.getvalue())
    library = spm.SentencePieceProcessor(model_proto=model.getvalue())
    assert found.is_bpe == (model_type == "bpe")
    assert [piece.text for piece in found.pieces] == library.id_to_piece(list(range(library.vocab_size())))
    for token, piece in enumerate(found.pieces):
        assert piece.score == library.get_score(token)
        assert (piece.kind == Kind.UNKNOWN) == library.is_unknown(token)
        assert (piece.kind == Kind.CONTROL) == library.is_control(token)
        assert (piece.kind == Kind.BYTE) == library.is_byte(token)
    assert [piece.text for piece in found.pieces if piece.kind == Kind.USER_DEFINED] == [
        "<x>",
        "y" * 120,
        "z" * 300,
    ]


def test_what_is_no_model_is_refused() -> None:
    for data in (small_tokenizer().model[3:], b"\x0b", b"\x08\x96", b"\x0a\x05ab", small_tokenizer().model[:-1]):
        with pytest.raises(DataError, match=r"not in the format.*spm_train"):
            Pieces.of(data)
