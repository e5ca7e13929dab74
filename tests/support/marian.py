"""Marian models in Hugging Face's form, made here: random weights, real tokenizers."""

import io
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import sentencepiece as spm
import torch

END, UNKNOWN, PADDING = "</s>", "<unk>", "<pad>"
ENGLISH = (
    "the dog sees a small house near the river and the old men sing",
    "two children play with a red ball in the garden, and one laughs",
    "where is the station? it is not far: 300 metres from here!",
    "she doesn't read the book that we've bought on Monday",
)
GERMAN = (
    "der Hund sieht ein kleines Haus am Fluß und die alten Männer singen",
    "zwei Kinder spielen im Garten mit einem roten Ball, und eines lacht",
    "wo ist der Bahnhof? er ist nicht weit: 300 Meter von hier!",
    "sie liest das Buch nicht, das wir am Montag gekauft haben",
)
NASTY = (
    "",
    "the dog sees a small house",
    "  two   children\tplay \u00a0 with  a ball ",
    "The DOG sees über Straße naïve café cafe\u0301 ﬁne №½ ２３",
    "zero\u200bwidth soft\u00adhyphen bom\ufeff line\u2028sep nel\u0085 x",
    "</s> ends <unk> here<pad>there </s></s>",
    ">>de<< the dog",
    ">>xx<<the dog",
    ">> the << dog >>de<<",
    "漢字 かな 한글 🙂👩‍👩‍👧 \U0001f1e9\U0001f1ea",
    "a.b , c ! d ? it's don't we 've \"q\" «q» “q” …",
    "▁the▁dog ▁ _ house",
    "<0x41> &amp; <b>bold</b>",
    "house" * 20,
)


@cache
def spm_model(lines: tuple[str, ...], size: int, kind: str = "unigram", **settings: Any) -> bytes:
    """A SentencePiece model as those of OPUS-MT are: without byte fallback, normalised by nmt_nfkc."""
    model = io.BytesIO()
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(lines * 3),
        model_writer=model,
        vocab_size=size,
        model_type=kind,
        hard_vocab_limit=False,
        character_coverage=1.0,
        minloglevel=2,
        num_threads=1,
        **settings,
    )
    return model.getvalue()


def pieces_of(model: bytes) -> list[str]:
    """Its pieces, but for the special ones."""
    processor = spm.SentencePieceProcessor()
    processor.LoadFromSerializedProto(model)
    return [processor.id_to_piece(i) for i in range(processor.vocab_size()) if not processor.is_control(i)][1:]


def write_tokenizer(
    directory: Path,
    *,
    separate: bool = False,
    languages: Sequence[str] = (),
    left_out: int = 3,
    equal: bool = False,
    kind: str = "unigram",
    **config: Any,
) -> tuple[int, int]:
    """source.spm, target.spm, vocab.json and tokenizer_config.json; returns the sizes of both lists.

    Args:
        left_out: pieces of each SentencePiece model that the lists lack.
        equal: cut the longer list of two to the length of the other.
    """
    models = spm_model(ENGLISH, 70, kind), spm_model(GERMAN, 80, kind)
    for name, model in zip(("source.spm", "target.spm"), models, strict=True):
        (directory / name).write_bytes(model)
    sides = [pieces_of(model)[left_out:] for model in models]
    if equal:
        sides = [side[: min(map(len, sides))] for side in sides]
    if separate:
        lists = [[END, UNKNOWN, *side, PADDING] for side in sides]
    else:
        joint = sorted(dict.fromkeys([*sides[0], *sides[1]]), key=lambda piece: (len(piece), piece))
        lists = [[END, UNKNOWN, *languages, *joint, PADDING]] * 2
    for name, pieces in zip(("vocab.json", "target_vocab.json"), lists, strict=True):
        if separate or name == "vocab.json":
            (directory / name).write_text(json.dumps({piece: i for i, piece in enumerate(pieces)}), encoding="utf-8")
    content = {"source_lang": "en", "target_lang": "de", "tokenizer_class": "MarianTokenizer", "model_max_length": 64}
    content |= ({"separate_vocabs": True} if separate else {}) | config
    (directory / "tokenizer_config.json").write_text(json.dumps(content), encoding="utf-8")
    return len(lists[0]), len(lists[1])


def make_marian(
    directory: Path,
    *,
    separate: bool = False,
    seed: int = 1,
    bias: float = 0.0,
    end_bias: float = 0.0,
    tokenizer: dict[str, Any] | None = None,
    generation: dict[str, Any] | None = None,
    sharpness: float = 1.0,
    boldness: float = 3.0,
    **settings: Any,
) -> Path:
    """Write a model with random weights; `settings` are MarianConfig's.

    Args:
        bias: standard deviation of final_logits_bias.
        end_bias: what the end token's logit has more.
        sharpness, boldness: what the embeddings and the layers' matrices are multiplied by: the larger the one, the
            surer the network is of the next token; the larger the other, the less it repeats the last one.
    """
    from transformers import GenerationConfig, MarianConfig, MarianMTModel
    from transformers.utils import logging

    directory.mkdir(parents=True, exist_ok=True)
    source, target = write_tokenizer(directory, separate=separate, **(tokenizer or {}))
    share = settings.pop("share_encoder_decoder_embeddings", not separate)
    config = MarianConfig(
        **{
            "vocab_size": source,
            "decoder_vocab_size": target,
            "d_model": 24,
            "encoder_layers": 2,
            "decoder_layers": 2,
            "encoder_attention_heads": 3,
            "decoder_attention_heads": 3,
            "encoder_ffn_dim": 40,
            "decoder_ffn_dim": 40,
            "max_position_embeddings": 64,
            "activation_function": "swish",
            "scale_embedding": True,
            "pad_token_id": target - 1,
            "decoder_start_token_id": target - 1,
            "share_encoder_decoder_embeddings": share,
            **settings,
        }
    )
    torch.manual_seed(seed)
    network = MarianMTModel(config).eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "embed_positions" in name:
                continue
            if parameter.dim() == 2:
                is_embedding = "embed" in name or "shared" in name or "lm_head" in name
                parameter.normal_(std=(sharpness if is_embedding else boldness) * parameter.shape[1] ** -0.5)
            elif "norm" in name and name.endswith("weight"):
                parameter.normal_(mean=1.0, std=0.1)
            else:
                parameter.normal_(std=0.1)
        network.final_logits_bias.normal_(std=bias or 1.0).mul_(bool(bias))
        network.final_logits_bias[0, 0] += end_bias
    chosen = {"max_length": 24, "num_beams": 4, "bad_words_ids": [[target - 1]]} | (generation or {})
    network.generation_config = GenerationConfig(
        eos_token_id=0,
        forced_eos_token_id=0,
        pad_token_id=target - 1,
        decoder_start_token_id=config.decoder_start_token_id,
        **{name: value for name, value in chosen.items() if value is not None},
    )
    logging.disable_progress_bar()
    network.save_pretrained(directory)
    return directory
