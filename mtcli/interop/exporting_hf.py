"""A model directory of mtcli's as a Marian model in Hugging Face's form.

Nothing of transformers is needed: its files are JSON, safetensors and SentencePiece.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from mtcli.data.listed import ListedTokenizer, Vocabulary
from mtcli.data.tokenizer import Tokenizer, Tokenizers
from mtcli.errors import ConfigError
from mtcli.interop import marian_names as names
from mtcli.interop import marian_settings, marian_tokenizer, marian_weights
from mtcli.interop.normaliser import self_normalising
from mtcli.model.transformer import Transformer
from mtcli.model_directory.loading import LoadedModel, load_model

_ACTIVATIONS = {"relu": "relu", "gelu": "gelu", "silu": "swish"}
_STOPS = {"full": True, "estimate": False, "certain": "never"}


def export_hf(model_dir: Path, out: Path) -> None:
    """Write config.json, generation_config.json, model.safetensors and the tokenizer's files into a directory.

    Args:
        out: an empty directory.

    Raises:
        CheckpointError: `model_dir` is no model, or damaged.
        ConfigError: transformers' Marian cannot compute what the model does; the message says why.
    """
    model = load_model(model_dir, torch.device("cpu"))
    _refuse_what_marian_lacks(model, model_dir)
    files = {
        marian_settings.CONFIG: _json(_config(model)),
        marian_settings.GENERATION: _json(_generation(model)),
        marian_weights.WEIGHTS: save(_weights(model.network), {"format": "pt"}),
        **_tokenizer_files(model),
    }
    for name, content in files.items():
        (out / name).write_bytes(content)


def _refuse_what_marian_lacks(model: LoadedModel, model_dir: Path) -> None:
    config, tokenizers = model.architecture.model, model.tokenizers
    reason = None
    if config.norm != "post":
        reason = f"has {config.norm}-norm layers, and transformers' Marian has post-norm layers alone"
    elif config.positions != "sinusoidal":
        reason = f"has {config.positions} positions, and transformers' Marian has sinusoidal ones alone"
    elif tokenizers.src.eos_id != tokenizers.tgt.eos_id:
        reason = (
            f"ends source sentences with id {tokenizers.src.eos_id} and target sentences with id "
            f"{tokenizers.tgt.eos_id}, and transformers has one id for both"
        )
    elif hidden := _hidden_from_target(tokenizers):
        reason = f"has a target piece {hidden!r} whose id is special on the source side, and transformers hides it"
    if reason:
        raise ConfigError(f"The model {model_dir} {reason}. Export it as ctranslate2, which can express it.")


def _hidden_from_target(tokenizers: Tokenizers) -> str | None:
    """A target piece that transformers would not write: it hides by the source's ids."""
    src, tgt = tokenizers.src, tokenizers.tgt
    if tokenizers.shared or isinstance(src, ListedTokenizer):
        return None
    hidden = [token for token in (src.unk_id, src.pad_id) if token is not None and token < tgt.vocab_size]
    written = [token for token in hidden if token not in {*tgt.never_generated, tgt.eos_id}]
    return tgt.pieces(written)[0] if written else None


def _json(content: Any) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode()


def _config(model: LoadedModel) -> dict[str, Any]:
    config, sizes, tgt = model.architecture.model, model.architecture.vocabulary, model.tokenizers.tgt
    decoder = config.of_decoder
    return {
        "architectures": ["MarianMTModel"],
        "model_type": "marian",
        "vocab_size": sizes.source,
        "decoder_vocab_size": sizes.target,
        "d_model": config.d_model,
        "encoder_layers": config.encoder_layers,
        "decoder_layers": config.decoder_layers,
        "encoder_attention_heads": config.heads,
        "decoder_attention_heads": decoder.heads,
        "encoder_ffn_dim": config.ffn_dim,
        "decoder_ffn_dim": decoder.ffn_dim,
        "activation_function": _ACTIVATIONS[config.activation],
        "dropout": config.dropout,
        "attention_dropout": config.attention_dropout,
        "activation_dropout": config.activation_dropout,
        "scale_embedding": config.scale_embeddings,
        "max_position_embeddings": model.network.max_positions,
        "share_encoder_decoder_embeddings": config.tied_embeddings == "all",
        "tie_word_embeddings": config.tied_embeddings != "none",
        "static_position_embeddings": True,
        "is_encoder_decoder": True,
        "use_cache": True,
        "dtype": "float32",
        **_special_ids(model),
        "bos_token_id": None,
        "decoder_start_token_id": tgt.start_id,
    }


def _special_ids(model: LoadedModel) -> dict[str, int | None]:
    src, tgt = model.tokenizers.src, model.tokenizers.tgt
    padding = src.pad_id
    if padding is None or padding >= tgt.vocab_size:  # a row of both embeddings is to have that id
        padding = tgt.eos_id
    return {
        "eos_token_id": tgt.eos_id,
        "forced_eos_token_id": tgt.eos_id if model.architecture.decoding.free_end else None,
        "pad_token_id": padding,
    }


def _generation(model: LoadedModel) -> dict[str, Any]:
    """Search as mtcli does; but transformers has one longest output for all lines."""
    decoding, tgt, positions = model.architecture.decoding, model.tokenizers.tgt, model.network.max_positions
    longest = 1 + (positions if decoding.max_length_ratio else min(positions, decoding.max_length_extra))
    return {
        "num_beams": decoding.beam_size,
        "length_penalty": decoding.length_penalty,
        "early_stopping": _STOPS[decoding.stop],
        "max_length": longest,  # the start token counts
        "min_new_tokens": 1,
        "renormalize_logits": decoding.renormalize,
        "bad_words_ids": [[token] for token in tgt.never_generated] or None,
        "decoder_start_token_id": tgt.start_id,
        **_special_ids(model),
    }


def _weights(network: Transformer) -> dict[str, Tensor]:
    config, ours = network.config, {name: tensor.detach() for name, tensor in network.named_parameters()}
    found = {theirs: ours[name] for theirs, name in names.layer_names(config.encoder_layers, config.decoder_layers)}
    if config.tied_embeddings == "all":
        found[names.SHARED] = ours[names.OUR_TARGET]
    else:
        found[names.SOURCE], found[names.TARGET] = ours[names.OUR_SOURCE], ours[names.OUR_TARGET]
    if config.tied_embeddings == "none":
        found[names.OUTPUT] = ours[names.OUR_OUTPUT]
    bias = ours.get(names.OUR_BIAS)
    found[names.OUTPUT_BIAS] = torch.zeros(1, network.vocabulary.target) if bias is None else bias[None]
    return {name: tensor.contiguous() for name, tensor in found.items()}


def _tokenizer_files(model: LoadedModel) -> dict[str, bytes]:
    src, tgt = model.tokenizers.src, model.tokenizers.tgt
    longest = model.architecture.model.max_length
    if isinstance(src, ListedTokenizer):
        vocabulary = src.vocabulary
        lists, config = (vocabulary.source, vocabulary.target), _config_of_lists(vocabulary)
        models = src.model, tgt.model
    else:
        sides = [tokenizer.pieces(range(tokenizer.vocab_size)) for tokenizer in (src, tgt)]
        lists = tuple(sides[0]), None if model.tokenizers.shared else tuple(sides[1])
        config = _config_of_sentencepiece(src)
        models = self_normalising(src), self_normalising(tgt)
    config |= {"tokenizer_class": "MarianTokenizer", "model_max_length": longest}
    files = {marian_tokenizer.SOURCE_MODEL: models[0], marian_tokenizer.TARGET_MODEL: models[1]}
    for name, pieces in zip((marian_tokenizer.VOCABULARY, marian_tokenizer.TARGET_VOCABULARY), lists, strict=True):
        if pieces is not None:
            files[name] = _json({piece: token for token, piece in enumerate(pieces)})
    return {**files, marian_tokenizer.CONFIG: _json(config | {"separate_vocabs": lists[1] is not None})}


def _config_of_lists(vocabulary: Vocabulary) -> dict[str, Any]:
    named = {"unk_token": vocabulary.unknown, "eos_token": vocabulary.end, "pad_token": vocabulary.padding}
    known = set(named.values())
    added = {vocabulary.source.index(piece): piece for piece in (*vocabulary.cut, *vocabulary.hidden)}
    flags = dict.fromkeys(("lstrip", "rstrip", "single_word", "normalized"), False)
    return {
        **{name: piece for name, piece in named.items() if piece},
        "source_lang": vocabulary.languages[0] or None,
        "target_lang": vocabulary.languages[1] or None,
        "clean_up_tokenization_spaces": vocabulary.tidy,
        "split_special_tokens": bool(vocabulary.hidden) and not vocabulary.cut,
        "extra_special_tokens": [piece for piece in vocabulary.hidden if piece not in known],
        "added_tokens_decoder": {
            str(token): {"content": piece, "special": piece in vocabulary.hidden, **flags}
            for token, piece in sorted(added.items())
        },
    }


def _config_of_sentencepiece(src: Tokenizer) -> dict[str, Any]:
    ids = (src.unk_id, src.eos_id, src.pad_id)
    unknown, end, padding = src.pieces([src.eos_id if token is None else token for token in ids])
    return {
        "unk_token": unknown,
        "eos_token": end,
        "pad_token": padding,
        "source_lang": None,
        "target_lang": None,
        "clean_up_tokenization_spaces": False,
        "split_special_tokens": True,  # special pieces that are spelt in a line are text
    }
