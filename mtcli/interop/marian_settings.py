"""config.json and generation_config.json of a Marian model, as transformers writes and reads them.

What a key means, and what holds where it is missing, is MarianConfig's and GenerationConfig's word; what mtcli cannot
do as they say is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from mtcli.config import DecodingConfig, ModelConfig
from mtcli.errors import CheckpointError
from mtcli.interop.reading import read_json, read_json_if_there

Kind = TypeVar("Kind", bound=BaseModel)
CONFIG, GENERATION = "config.json", "generation_config.json"
_ACTIVATIONS = {"relu": "relu", "gelu": "gelu", "swish": "silu", "silu": "silu"}
_STOPS = {True: "full", False: "estimate", "never": "certain"}
_SHORTEST = 8  # ModelConfig.max_length

# What keys that MarianMTModel itself does not look at say of the network, if they are there: those of other models.
_ARCHITECTURE = {
    "normalize_before": False,
    "normalize_embedding": False,
    "add_final_layer_norm": False,
    "static_position_embeddings": True,
}
# Of generation: keys that change what is found, and the values at which they do not.
_PLAIN: Mapping[str, tuple[object, ...]] = {
    "do_sample": (False,),
    "repetition_penalty": (1,),
    "encoder_repetition_penalty": (1,),
    "no_repeat_ngram_size": (0,),
    "encoder_no_repeat_ngram_size": (0,),
    "num_beam_groups": (1,),
    "diversity_penalty": (0,),
    "penalty_alpha": (0,),
    "min_length": (0, 1, 2),  # the start token counts: no end token at once, as ours
    "min_new_tokens": (0, 1),
    "forced_bos_token_id": (),
    "forced_decoder_ids": (),
    "begin_suppress_tokens": ((), []),
    "sequence_bias": (),
    "constraints": (),
    "force_words_ids": (),
    "exponential_decay_length_penalty": (),
    "guidance_scale": (1,),
    "watermarking_config": (),
    "stop_strings": (),
    "max_time": (),
}


class _Marian(BaseModel):
    """MarianConfig's keys that say how the network computes, with its defaults."""

    model_config = ConfigDict(extra="ignore", strict=True)

    vocab_size: int = 58101
    decoder_vocab_size: int | None = None
    max_position_embeddings: int = 1024
    encoder_layers: int = 12
    encoder_ffn_dim: int = 4096
    encoder_attention_heads: int = 16
    decoder_layers: int = 12
    decoder_ffn_dim: int = 4096
    decoder_attention_heads: int = 16
    d_model: int = 1024
    activation_function: str = "gelu"
    dropout: float = 0.1
    attention_dropout: float = 0.0
    activation_dropout: float = 0.0
    scale_embedding: bool = False
    share_encoder_decoder_embeddings: bool = True
    tie_word_embeddings: bool = True
    decoder_start_token_id: int = 58100
    pad_token_id: int | None = 58100
    eos_token_id: int | list[int] | None = 0
    forced_eos_token_id: int | list[int] | None = 0


class _Generation(BaseModel):
    """GenerationConfig's keys that mtcli can follow; None where they say nothing."""

    model_config = ConfigDict(extra="ignore", strict=True)

    num_beams: int | None = None
    length_penalty: float | None = None
    early_stopping: bool | str | None = None
    max_length: int | None = None
    max_new_tokens: int | None = None
    bad_words_ids: list[list[int]] | None = None
    suppress_tokens: list[int] | None = None
    decoder_start_token_id: int | None = None
    eos_token_id: int | list[int] | None = None
    forced_eos_token_id: int | list[int] | None = None
    renormalize_logits: bool | None = None


@dataclass(frozen=True, kw_only=True)
class MarianSettings:
    """A Marian model's settings as mtcli has them.

    Attributes:
        model: without what the weights decide: whether there is an output bias.
        source_size, target_size: rows of the embeddings.
        start, end: ids of the decoder's first input, and of what ends a sentence.
        never: ids that are never generated.
        padding: id of what fills up batches, if there is one.
        one_matrix: whether both embeddings and the output are one, also where mtcli keeps them apart.
    """

    model: ModelConfig
    decoding: DecodingConfig
    source_size: int
    target_size: int
    start: int
    end: int
    never: tuple[int, ...]
    padding: int | None
    one_matrix: bool


def read_settings(directory: Path, longest: int | None, *, separate: bool) -> MarianSettings:
    """Read both files.

    Args:
        longest: tokens of a line, as the tokenizer's files say, if they do.
        separate: whether each side has a vocabulary of its own.

    Raises:
        CheckpointError: one is damaged, the model is of another kind, or asks for what mtcli does not have.
    """
    path = directory / CONFIG
    content = read_json(path)
    _refuse_other_models(path, content)
    config = _validated(_Marian, content, path)
    has_own = (directory / GENERATION).exists()
    generation_path = directory / GENERATION if has_own else path
    generation_content = read_json_if_there(directory / GENERATION) if has_own else content
    generation = _validated(_Generation, generation_content, generation_path)
    _refuse_other_searches(generation_path, generation_content)
    end = _one_end(generation.eos_token_id if generation.eos_token_id is not None else config.eos_token_id, path)
    forced = generation_content.get("forced_eos_token_id", None if has_own else config.forced_eos_token_id)
    if forced not in (None, end, [end]):
        raise CheckpointError(
            f"{generation_path}: forced_eos_token_id = {forced!r} is not eos_token_id = {end}. mtcli ends the longest "
            "outputs with the token that ends all others. Set them to the same."
        )
    start = generation.decoder_start_token_id
    return MarianSettings(
        model=_model(config, path, longest, separate),
        decoding=_decoding(generation, generation_path, free_end=forced is not None),
        source_size=config.vocab_size,
        target_size=config.decoder_vocab_size or config.vocab_size,
        start=config.decoder_start_token_id if start is None else start,
        end=end,
        never=_never(generation, generation_path),
        padding=config.pad_token_id,
        one_matrix=config.share_encoder_decoder_embeddings and config.tie_word_embeddings,
    )


def _validated(kind: type[Kind], content: Mapping[str, Any], path: Path) -> Kind:
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        issue = error.errors()[0]
        name = ".".join(map(str, issue["loc"]))
        raise CheckpointError(
            f"{path}: {name} = {issue['input']!r} does not fit: {issue['msg'].lower()}. Download the model again."
        ) from None


def _refuse_other_models(path: Path, content: Mapping[str, Any]) -> None:
    kind = content.get("model_type")
    if kind != "marian":
        found = f"model_type {kind!r}" if kind is not None else "no model_type"
        if "format_version" in content:
            found += " (it is mtcli's own: translate with it as it is)"
        raise CheckpointError(f'{path} has {found}. mtcli imports Marian models, whose model_type is "marian".')
    for name, expected in _ARCHITECTURE.items():
        if content.get(name, expected) != expected:
            raise CheckpointError(
                f"{path}: {name} = {content[name]!r}, and transformers' Marian computes as if it were {expected!r}. "
                "mtcli does not import a model whose settings say something else than what it computes."
            )
    if content.get("quantization_config"):
        raise CheckpointError(f"{path}: the weights are quantized. Import the model that they were made from.")


def _refuse_other_searches(path: Path, content: Mapping[str, Any]) -> None:
    for name, plain in _PLAIN.items():
        value = content.get(name)
        if value is not None and value not in plain:
            raise CheckpointError(
                f"{path}: {name} = {value!r} asks for a search that mtcli does not have. Take the key out of the file "
                "to import the model without it."
            )


def _one_end(value: int | list[int] | None, path: Path) -> int:
    ends = value if isinstance(value, list) else [value]
    if len(ends) != 1 or ends[0] is None:
        raise CheckpointError(f"{path}: eos_token_id = {value!r}; mtcli needs exactly one token that ends sentences.")
    return ends[0]


def _model(config: _Marian, path: Path, longest: int | None, separate: bool) -> ModelConfig:
    activation = _ACTIVATIONS.get(config.activation_function)
    if activation is None:
        raise CheckpointError(
            f"{path}: activation_function = {config.activation_function!r}; mtcli has {', '.join(_ACTIVATIONS)}."
        )
    share, tie = config.share_encoder_decoder_embeddings, config.tie_word_embeddings
    source_size, target_size = config.vocab_size, config.decoder_vocab_size or config.vocab_size
    if share and tie and source_size != target_size:
        raise CheckpointError(
            f"{path}: the sides share their embeddings, but vocab_size = {source_size} and decoder_vocab_size = "
            f"{target_size}. Download the model again."
        )
    positions = config.max_position_embeddings
    settings = {
        "encoder_layers": config.encoder_layers,
        "decoder_layers": config.decoder_layers,
        "d_model": config.d_model,
        "ffn_dim": config.encoder_ffn_dim,
        "heads": config.encoder_attention_heads,
        "decoder_heads": _if_other(config.decoder_attention_heads, config.encoder_attention_heads),
        "decoder_ffn_dim": _if_other(config.decoder_ffn_dim, config.encoder_ffn_dim),
        "activation": activation,
        # Equal embeddings of two lists of pieces are kept twice: mtcli shares them where ids mean the same
        "tied_embeddings": ("none" if separate else "all") if share and tie else "target" if tie else "none",
        "scale_embeddings": config.scale_embedding,
        "max_length": positions if longest is None else max(_SHORTEST, min(positions, longest)),
        "dropout": config.dropout,
        "attention_dropout": config.attention_dropout,
        "activation_dropout": config.activation_dropout,
    }
    return _ours(ModelConfig, settings, path)


def _if_other(value: int, than: int) -> int | None:
    return value if value != than else None


def _decoding(generation: _Generation, path: Path, *, free_end: bool) -> DecodingConfig:
    settings: dict[str, Any] = {
        "free_end": free_end,
        "renormalize": bool(generation.renormalize_logits),
        "stop": _STOPS.get(generation.early_stopping or False),
    }
    if settings["stop"] is None:
        raise CheckpointError(
            f'{path}: early_stopping = {generation.early_stopping!r}; true, false or "never" was expected.'
        )
    if generation.num_beams is not None:
        settings["beam_size"] = generation.num_beams
    if generation.length_penalty is not None:
        settings["length_penalty"] = generation.length_penalty
    longest = generation.max_new_tokens
    if longest is None and generation.max_length is not None:
        longest = generation.max_length - 1  # the start token counts there
    if longest is not None:
        settings |= {"max_length_ratio": 0.0, "max_length_extra": longest}
    return _ours(DecodingConfig, settings, path)


def _ours(kind: type[Kind], settings: Mapping[str, Any], path: Path) -> Kind:
    try:
        return kind.model_validate(settings)
    except ValidationError as error:
        issue = error.errors()[0]
        problem = (
            issue["ctx"]["error"]
            if issue["type"] == "value_error"
            else (f"{issue['loc'][0]} = {issue['input']!r}: {issue['msg'].lower()}")
        )
        raise CheckpointError(f"{path} describes what mtcli cannot compute: {problem}.") from None


def _never(generation: _Generation, path: Path) -> tuple[int, ...]:
    words = generation.bad_words_ids or []
    if longer := [word for word in words if len(word) != 1]:
        raise CheckpointError(
            f"{path}: bad_words_ids has {longer[0]}, and mtcli forbids single tokens alone. Take it out of the file to "
            "import the model without it."
        )
    return tuple(sorted({word[0] for word in words} | set(generation.suppress_tokens or [])))
