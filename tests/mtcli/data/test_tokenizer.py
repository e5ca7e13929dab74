"""The tokenizer: no character is lost, vocabularies fit their corpus, other people's models are checked."""

import io
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest
import sentencepiece as spm
from hypothesis import given
from hypothesis import strategies as st
from support.sentences import sentences, small_tokenizer

from mtcli.data.normalisation import normalise
from mtcli.data.tokenizer import BOS_ID, EOS_ID, PAD_ID, UNK_ID, Tokenizer, train_tokenizer
from mtcli.errors import ConfigError, DataError

# U+2581 is SentencePiece's own mark for a space and comes out as one.
texts = st.text(st.characters(codec="utf-8", exclude_characters="\u2581"), max_size=40)


def foreign_model(**options: Any) -> bytes:
    """A SentencePiece model trained elsewhere, with its own ideas of special pieces."""
    model = io.BytesIO()
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences(300, seed=2)), model_writer=model, vocab_size=100, minloglevel=2, **options
    )
    return model.getvalue()


@given(texts)
def test_no_character_is_lost(text: str) -> None:
    tokenizer = small_tokenizer()
    assert tokenizer.decode(tokenizer.encode(text)) == normalise(text)


@pytest.mark.parametrize("model_type", ["unigram", "bpe"])
@pytest.mark.parametrize("text", ["나는 집에 간다 😀", "</s> <unk> <0x41>", "می\u200cخواهم", "e\u0301"])
def test_unseen_characters_become_bytes(model_type: str, text: str) -> None:
    tokenizer, _ = train_tokenizer(sentences(100, seed=1), vocab_size=320, model_type=model_type)
    tokens = tokenizer.encode(text)
    assert UNK_ID not in tokens
    assert EOS_ID not in tokens
    assert tokenizer.decode(tokens) == unicodedata.normalize("NFC", text)


def test_rare_characters_left_out_of_the_vocabulary_are_not_lost() -> None:
    lines = sentences(400, seed=1)
    lines[7] += " ж"
    tokenizer, _ = train_tokenizer(lines, vocab_size=320, character_coverage=0.99)
    assert "ж" not in "".join(tokenizer.pieces(range(tokenizer.vocab_size)))
    assert tokenizer.decode(tokenizer.encode("ж")) == "ж"


@pytest.mark.parametrize("text", ["", " ", "\t\u3000\u2028\u0085\x0c"])
def test_a_blank_line_has_no_tokens(text: str) -> None:
    assert small_tokenizer().encode(text) == []


def test_white_space_and_composition_make_no_difference() -> None:
    tokenizer = small_tokenizer()
    assert tokenizer.encode(" the\t\tcafe\u0301\u2028dog\x0c") == tokenizer.encode("the café dog")


@given(st.lists(texts, max_size=5))
def test_a_batch_is_encoded_as_its_lines_are(lines: list[str]) -> None:
    tokenizer = small_tokenizer()
    assert tokenizer.encode_batch(lines, num_threads=2) == [tokenizer.encode(line) for line in lines]


def test_lines_normalized_before_are_encoded_alike() -> None:
    lines = ["the  dog\u00a0", " e\u0301"]
    tokenizer = small_tokenizer()
    assert tokenizer.encode_clean(list(map(normalise, lines))) == tokenizer.encode_batch(lines)


def test_pieces_spell_the_surface() -> None:
    tokenizer = small_tokenizer()
    text = " the  dog "
    assert tokenizer.surface(text) == "".join(tokenizer.pieces(tokenizer.encode(text))) == "▁the▁dog"
    assert tokenizer.surface(" ") == ""


def test_an_end_token_stands_for_no_text() -> None:
    tokenizer = small_tokenizer()
    assert tokenizer.decode([*tokenizer.encode("the dog"), tokenizer.eos_id]) == "the dog"
    assert tokenizer.decode([tokenizer.eos_id]) == ""


def test_pieces_mark_the_start_of_words() -> None:
    tokenizer = small_tokenizer()
    assert "".join(tokenizer.pieces(tokenizer.encode("the dog"))) == "▁the▁dog"


def test_special_ids_are_ours() -> None:
    tokenizer = small_tokenizer()
    assert (tokenizer.start_id, tokenizer.eos_id) == (BOS_ID, EOS_ID)
    assert tokenizer.never_generated == [UNK_ID, BOS_ID, PAD_ID]


@pytest.mark.parametrize("model_type", ["unigram", "bpe"])
def test_a_corpus_large_enough_gets_the_vocabulary_asked_for(model_type: str) -> None:
    tokenizer, warning = train_tokenizer(sentences(300, seed=1), vocab_size=320, model_type=model_type)
    assert (tokenizer.vocab_size, warning) == (320, None)


@pytest.mark.parametrize("model_type", ["unigram", "bpe"])
def test_a_small_corpus_gets_a_lower_vocabulary_and_a_warning(model_type: str) -> None:
    tokenizer, warning = train_tokenizer(sentences(100, seed=1), vocab_size=32000, model_type=model_type)
    assert 256 < tokenizer.vocab_size < 32000
    assert warning is not None
    assert f"too small for 32000 pieces: the vocabulary has {tokenizer.vocab_size}" in warning


@pytest.mark.parametrize("model_type", ["unigram", "bpe"])
def test_a_vocabulary_too_small_names_the_number_that_is_needed(model_type: str) -> None:
    lines = sentences(100, seed=1)
    with pytest.raises(ConfigError, match=r"data\.vocab_size = 100 is too small.*--set data\.vocab_size=N") as caught:
        train_tokenizer(lines, vocab_size=100, model_type=model_type)
    found = re.search(r"at least (\d+) pieces", str(caught.value))
    assert found is not None
    needed = int(found.group(1))
    tokenizer, _ = train_tokenizer(lines, vocab_size=needed, model_type=model_type)
    assert tokenizer.vocab_size == needed
    with pytest.raises(ConfigError, match=f"at least {needed} pieces"):
        train_tokenizer(lines, vocab_size=needed - 1, model_type=model_type)


@pytest.mark.parametrize("lines", [[], ["", "  ", "\u3000"]])
def test_a_tokenizer_needs_text(lines: list[str]) -> None:
    with pytest.raises(DataError, match="no text to train a tokenizer on"):
        train_tokenizer(lines, vocab_size=320)


def test_odd_lines_do_not_stop_the_training() -> None:
    lines = [*sentences(100, seed=1), "", "a\x00b", "x\u2581y", "\t", "word " * 10_000, "\u2028"]
    tokenizer, _ = train_tokenizer(lines, vocab_size=320)
    assert tokenizer.decode(tokenizer.encode("a\x00b x")) == "ab x"


def test_the_same_text_trains_the_same_tokenizer() -> None:
    first, second = (train_tokenizer(sentences(100, seed=1), vocab_size=320)[0] for _ in range(2))
    assert first.model == second.model


def test_a_tokenizer_is_loaded_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.model"
    path.write_bytes(small_tokenizer().model)
    loaded = Tokenizer.from_file(path)
    assert loaded.vocab_size == 340
    assert loaded.encode("the dog 😀") == small_tokenizer().encode("the dog 😀")


@pytest.mark.parametrize("content", [b"", b"plain text", bytes(range(256)) * 10, b"\x00" * 100])
def test_a_file_that_is_no_model_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tokenizer.model"
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"{path} is damaged or not a SentencePiece model"):
        Tokenizer.from_file(path)


def test_a_missing_tokenizer_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"The tokenizer {tmp_path}/no.model does not exist"):
        Tokenizer.from_file(tmp_path / "no.model")
    with pytest.raises(DataError, match="is a directory"):
        Tokenizer.from_file(tmp_path)


def test_a_given_model_without_an_end_piece_is_refused() -> None:
    with pytest.raises(DataError, match="theirs has no end-of-sentence piece"):
        Tokenizer(foreign_model(eos_id=-1), "theirs")


def test_a_given_model_without_a_start_piece_starts_with_its_end() -> None:
    tokenizer = Tokenizer(foreign_model(bos_id=-1, eos_id=0, unk_id=1))
    assert tokenizer.start_id == tokenizer.eos_id == 0
    assert tokenizer.never_generated == [1]


@pytest.mark.parametrize(
    ("bytes_", "text"),
    [
        ("é".encode(), "é"),
        ("é".encode()[:1], ""),
        ("€".encode()[:2] + "é".encode(), "é"),
        ("😀".encode() + "😀".encode()[1:], "😀"),
        ("\ufffd".encode(), "\ufffd"),
        (b"\xff\x80", ""),
    ],
)
def test_bytes_that_make_no_character_are_no_text(bytes_: bytes, text: str) -> None:
    tokenizer = small_tokenizer()
    ids = [tokenizer._processor.piece_to_id(f"<0x{byte:02X}>") for byte in bytes_]
    assert tokenizer.decode(ids) == text
    words = tokenizer.encode("the cat")
    assert tokenizer.line([*words, *ids, *words]).replace(" ", "") == f"thecat{text}thecat"
