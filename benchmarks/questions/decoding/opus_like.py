"""A Marian model as those of OPUS-MT are, but with random weights: what `mtcli import` can be measured on anywhere.

Shape and settings are those that Helsinki-NLP/opus-mt-en-de publishes: 6+6 layers of width 512, 58,101 pieces, swish,
scaled and shared embeddings, fixed positions. The pieces that its small tokenizers lack are made up.
"""

import io
import json
from dataclasses import dataclass
from pathlib import Path

import sentencepiece as spm
import torch

from mtcli.demo.grammar import generate

END, UNKNOWN, PADDING = "</s>", "<unk>", "<pad>"
SENTENCES = 2_000  # of the demo's grammar, for the tokenizers
TOKENIZER_PIECES = 500
BEAM = 4


@dataclass(frozen=True, kw_only=True)
class OpusLike:
    """The sizes that may differ.

    Attributes:
        pieces: of the vocabulary, special ones included.
        layers: of encoder and decoder each.
        d_model, ffn_dim, heads: as elsewhere.
    """

    pieces: int = 58_101
    layers: int = 6
    d_model: int = 512
    ffn_dim: int = 2_048
    heads: int = 8


def write_opus_like(folder: Path, size: OpusLike, seed: int) -> Path:
    """The model in `folder`, in Hugging Face's form, made by transformers."""
    from transformers import GenerationConfig, MarianConfig, MarianMTModel
    from transformers.utils import logging

    folder.mkdir(parents=True, exist_ok=True)
    padding = _write_tokenizer(folder, size.pieces)
    torch.manual_seed(seed)
    network = MarianMTModel(
        MarianConfig(
            vocab_size=size.pieces,
            d_model=size.d_model,
            encoder_layers=size.layers,
            decoder_layers=size.layers,
            encoder_attention_heads=size.heads,
            decoder_attention_heads=size.heads,
            encoder_ffn_dim=size.ffn_dim,
            decoder_ffn_dim=size.ffn_dim,
            max_position_embeddings=512,
            activation_function="swish",
            scale_embedding=True,
            pad_token_id=padding,
            eos_token_id=0,
            decoder_start_token_id=padding,
            share_encoder_decoder_embeddings=True,
        )
    ).eval()
    network.generation_config = GenerationConfig(
        max_length=512,
        num_beams=BEAM,
        bad_words_ids=[[padding]],
        pad_token_id=padding,
        eos_token_id=0,
        forced_eos_token_id=0,
        decoder_start_token_id=padding,
    )
    logging.disable_progress_bar()
    network.save_pretrained(folder)
    return folder


def _write_tokenizer(folder: Path, pieces: int) -> int:
    """Both SentencePiece models and the list of pieces; returns the padding's place in it."""
    english = _spm_model([pair.english for pair in generate(num_train=SENTENCES).train])
    for name in ("source.spm", "target.spm"):
        (folder / name).write_bytes(english)
    processor = spm.SentencePieceProcessor(model_proto=english)
    known = [processor.id_to_piece(i) for i in range(processor.vocab_size()) if not processor.is_control(i)]
    real = [piece for piece in known if not processor.is_unknown(processor.piece_to_id(piece))]
    listed = [END, UNKNOWN, *real]
    listed += [f"▁piece{number}" for number in range(pieces - len(listed) - 1)] + [PADDING]
    (folder / "vocab.json").write_text(json.dumps({piece: i for i, piece in enumerate(listed)}), encoding="utf-8")
    settings = {"source_lang": "en", "target_lang": "de", "tokenizer_class": "MarianTokenizer", "model_max_length": 512}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return pieces - 1


def _spm_model(lines: list[str]) -> bytes:
    model = io.BytesIO()
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=model,
        vocab_size=TOKENIZER_PIECES,
        hard_vocab_limit=False,
        minloglevel=2,
        num_threads=1,
    )
    return model.getvalue()
