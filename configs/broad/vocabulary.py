"""Pieces of both languages for a recipe: SentencePiece in mtcli's manner, with each digit a piece of its own."""

import io
from collections.abc import Iterable

import sentencepiece as spm

from mtcli.data.tokenizer import BOS_ID, EOS_ID, PAD_ID, UNK_ID
from mtcli.errors import ConfigError
from mtcli.processors import available_cpus

# Marks that are rare in the text, but that people type.
_REQUIRED = "\"'“”„‚‘’«»‹›–—…-()[]{}<>|\\/~^*+=&%$€£#@_`°§ÄÖÜäöüßẞéèàçñ0123456789"


def train_pieces(lines: Iterable[str], size: int) -> bytes:
    """Learn a unigram model of `size` pieces with byte fallback, and serialise it.

    Digits are apart, as a number is copied digit by digit or wrongly.

    Raises:
        ConfigError: SentencePiece cannot make so many pieces, or so few, of this text.
    """
    try:
        return _train(lines, size)
    except RuntimeError as error:
        raise ConfigError(
            f"SentencePiece cannot make {size} pieces of this text: {str(error).strip()} Set another data.vocab_size."
        ) from None


def _train(lines: Iterable[str], size: int) -> bytes:
    model = io.BytesIO()
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=model,
        vocab_size=size,
        model_type="unigram",
        character_coverage=0.9998,
        required_chars=_REQUIRED,
        split_digits=True,
        byte_fallback=True,
        normalization_rule_name="identity",
        unk_id=UNK_ID,
        bos_id=BOS_ID,
        eos_id=EOS_ID,
        pad_id=PAD_ID,
        max_sentence_length=16_384,
        num_threads=available_cpus(),
        minloglevel=2,
    )
    return model.getvalue()
