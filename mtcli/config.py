"""The settings of a run: typed, frozen, checked where they are built, with one loader.

A later source wins over an earlier one: defaults, the preset, `--config FILE.toml`, then the options
and `--set section.key=value` of the command line. `[model]`, `[data]`, `[training]`, `[decoding]` and `[card]`
are the sections, in files and in `--set` alike.
"""

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from mtcli.errors import ConfigError
from mtcli.files import STDIN, file_error, missing_file, open_binary

LANGUAGE_CODE = r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$"
"""How the code of a language is written: BCP 47's language, and script or region where they matter."""


class Section(BaseModel):
    """One group of settings.

    Attributes:
        later: settings that model directories of format_version 1 do not know. They are written where they differ from
            their defaults alone, so that what needs none of them stays as it was.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    later: ClassVar[frozenset[str]] = frozenset()

    @model_serializer(mode="wrap")
    def _without_later_defaults(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        defaults = type(self).model_fields
        content: dict[str, Any] = serialise(self)
        return {
            name: value
            for name, value in content.items()
            if name not in self.later or getattr(self, name) != defaults[name].default
        }

    @property
    def is_of_format_1(self) -> bool:
        """Whether all later settings have their defaults."""
        return not self.later & self.model_dump().keys()


class ModelConfig(Section):
    """The Transformer's shape (Vaswani et al. 2017) and its options."""

    later = frozenset({"decoder_heads", "decoder_ffn_dim", "scale_embeddings", "output_bias"})

    encoder_layers: int = Field(default=6, ge=1, le=1000, description="layers that read the source")
    decoder_layers: int = Field(default=6, ge=1, le=1000, description="layers that write the target")
    d_model: int = Field(default=512, ge=8, le=65_536, description="width of every layer")
    ffn_dim: int = Field(default=2048, ge=1, le=1_000_000, description="inner width of the feed-forward layers")
    heads: int = Field(default=8, ge=1, description="attention heads; must divide d_model")
    decoder_heads: int | None = Field(default=None, ge=1, description="the decoder's, where they are not as many")
    decoder_ffn_dim: int | None = Field(default=None, ge=1, le=1_000_000, description="the decoder's, where it differs")
    norm: Literal["post", "pre"] = Field(
        default="post", description="layer normalisation behind each sublayer and its residual, as published, or before"
    )
    activation: Literal["relu", "gelu", "silu"] = Field(default="relu", description="inside the feed-forward layers")
    positions: Literal["sinusoidal", "learned"] = Field(default="sinusoidal", description="what tells places apart")
    tied_embeddings: Literal["all", "target", "none"] = Field(
        default="all",
        description="all: source, target and output share one matrix; target: target and output do",
    )
    scale_embeddings: bool = Field(default=True, description="multiply token vectors by the root of d_model")
    output_bias: bool = Field(default=False, description="add a number to each piece's logit; for imported models")
    max_length: int = Field(
        default=256, ge=8, le=100_000, description="tokens a side: longer training pairs are skipped"
    )
    dropout: float = Field(default=0.1, ge=0, lt=1, description="of each sublayer's output and of the embeddings")
    attention_dropout: float = Field(default=0.0, ge=0, lt=1, description="of attention weights")
    activation_dropout: float = Field(default=0.0, ge=0, lt=1, description="inside the feed-forward layers")

    @model_validator(mode="after")
    def _heads_divide_the_width(self) -> Self:
        for name, heads in (("heads", self.heads), ("decoder_heads", self.decoder_heads or self.heads)):
            if self.d_model % heads:
                raise ValueError(f"{name} = {heads} does not divide d_model = {self.d_model}")
        if self.d_model % 2:
            raise ValueError(f"d_model = {self.d_model} must be even")
        return self

    @property
    def head_dim(self) -> int:
        return self.d_model // self.heads

    @property
    def num_positions(self) -> int:
        """Tokens a side that positions exist for.

        Sinusoids go on past the training length, so that an output may be longer than any seen.
        """
        return self.max_length if self.positions == "learned" else 2 * self.max_length + 64

    @property
    def largest_head_dim(self) -> int:
        """Of the encoder's heads and the decoder's."""
        return max(self.head_dim, self.of_decoder.head_dim)

    @property
    def of_decoder(self) -> "ModelConfig":
        """The same with the decoder's heads and feed-forward width for both sides."""
        if self.decoder_heads is None and self.decoder_ffn_dim is None:
            return self
        sizes = {"heads": self.decoder_heads or self.heads, "ffn_dim": self.decoder_ffn_dim or self.ffn_dim}
        return self.model_copy(update={**sizes, "decoder_heads": None, "decoder_ffn_dim": None})


class CorpusConfig(Section):
    """One of several corpora, `[[data.corpora]]` in a file: src and tgt, or tsv, or both."""

    src: tuple[Path, ...] = Field(default=(), description="files of source text")
    tgt: tuple[Path, ...] = Field(default=(), description="files of target text, line by line")
    tsv: tuple[Path, ...] = Field(default=(), description="files with source, tab, target on each line")
    weight: float = Field(
        default=1.0, gt=0, le=1000, description="times each of its pairs comes up in an epoch, on average"
    )

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        if unknown := sorted(set(given) - set(cls.model_fields)):
            raise ValueError(f"there is no setting {unknown[0]}; valid here: {', '.join(cls.model_fields)}")
        return {key: (value,) if isinstance(value, str | Path) else value for key, value in given.items()}

    @model_validator(mode="after")
    def _sides_fit(self) -> Self:
        _check_sides(self.src, self.tgt, "src")
        if not (self.src or self.tsv):
            raise ValueError("a corpus needs src and tgt, or tsv")
        return self


def _check_sides(src: tuple[Path, ...], tgt: tuple[Path, ...], name: str) -> None:
    if len(src) != len(tgt):
        other = name.replace("src", "tgt")
        raise ValueError(f"{name} names {len(src)} file(s) and {other} {len(tgt)}: give as many of each")


class DataConfig(Section):
    """The corpus and how it becomes tokens."""

    src: tuple[Path, ...] = Field(default=(), description="files of source text, a sentence a line")
    tgt: tuple[Path, ...] = Field(default=(), description="files of target text, line by line")
    tsv: tuple[Path, ...] = Field(default=(), description="files with source, tab, target on each line")
    corpora: tuple[CorpusConfig, ...] = Field(default=(), description="further corpora, each with a weight")
    valid_src: tuple[Path, ...] = Field(default=(), description="source text that is validated on, never learnt from")
    valid_tgt: tuple[Path, ...] = Field(default=(), description="its translation")
    valid_size: int = Field(default=1000, ge=1, description="source sentences held out when no validation set is given")
    tokenizer: Path | None = Field(default=None, description="an existing SentencePiece model for both sides")
    src_tokenizer: Path | None = Field(default=None, description="an existing SentencePiece model of the source side")
    tgt_tokenizer: Path | None = Field(default=None, description="and of the target side; both or neither")
    tokenizer_type: Literal["unigram", "bpe"] = Field(default="unigram", description="how SentencePiece learns pieces")
    joint: bool = Field(default=True, description="one vocabulary for both sides")
    vocab_size: int = Field(default=32000, ge=16, description="pieces, of each vocabulary where there are two")
    character_coverage: float = Field(
        default=0.9999, gt=0.9, le=1.0, description="part of the text whose characters become pieces; others are bytes"
    )
    tokenizer_lines: int = Field(
        default=500_000, ge=1, description="lines a side, of 45 characters, that train the tokenizer"
    )
    sampling: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="cut training text into pieces at random; BPE: part of the merges left out; unigram: smoothing",
    )

    @model_validator(mode="after")
    def _sides_fit(self) -> Self:
        _check_sides(self.src, self.tgt, "src")
        _check_sides(self.valid_src, self.valid_tgt, "valid_src")
        if bool(self.src_tokenizer) != bool(self.tgt_tokenizer):
            raise ValueError("give both src_tokenizer and tgt_tokenizer, or neither")
        if self.tokenizer and self.src_tokenizer:
            raise ValueError("give tokenizer (shared), or src_tokenizer and tgt_tokenizer, not both")
        return self

    @property
    def weights(self) -> tuple[float, ...]:
        """Of the corpora in reading order: 1 for that of src, tgt and tsv, where there is one, then `corpora`'s."""
        unnamed = (1.0,) if self.src or self.tsv else ()
        return unnamed + tuple(corpus.weight for corpus in self.corpora)

    @property
    def shared_vocabulary(self) -> bool:
        """Whether both sides use one vocabulary, trained or given."""
        return bool(self.tokenizer) or (self.joint and not self.src_tokenizer)


class TrainingConfig(Section):
    """How the weights are learnt."""

    batch_tokens: int = Field(default=4096, ge=16, description="tokens of a batch, on its longer side")
    accumulate: int = Field(default=1, ge=1, description="batches whose gradients are added for one step")
    learning_rate: float = Field(default=7e-4, gt=0, description="peak, at the end of warm-up")
    warmup_steps: int = Field(default=4000, ge=0, description="steps in which the rate rises linearly from zero")
    cooldown: float = Field(
        default=0.3, ge=0, le=1, description="last part of the run in which the rate falls linearly to zero"
    )
    weight_decay: float = Field(default=0.0, ge=0, description="AdamW's")
    beta1: float = Field(default=0.9, ge=0, lt=1, description="AdamW's, of the gradient's running mean")
    beta2: float = Field(default=0.98, ge=0, lt=1, description="AdamW's, of its square's")
    epsilon: float = Field(default=1e-9, gt=0, description="AdamW's")
    clip_norm: float = Field(default=1.0, ge=0, description="largest gradient norm; 0 does not clip")
    label_smoothing: float = Field(
        default=0.1, ge=0, lt=1, description="part of the probability that is spread over all pieces"
    )
    r_drop: float = Field(
        default=0.0, ge=0, description="read each pair twice, and how much both predictions are to agree; 0 is off"
    )
    max_steps: int | None = Field(default=None, ge=1, description="limit in updates of the weights")
    max_epochs: int | None = Field(default=None, ge=1, description="limit in passes over the corpus")
    max_minutes: float | None = Field(default=None, gt=0, description="limit in training time, preparation excluded")
    valid_every: int = Field(default=1000, ge=1, description="steps between validations")
    save_every: int = Field(default=1000, ge=1, description="steps between checkpoints")
    log_every: int = Field(default=100, ge=1, description="steps between log lines")
    keep: int = Field(default=2, ge=1, description="newest checkpoints kept")
    average: float = Field(
        default=0.05, ge=0, lt=0.28, description="width of the weight average, as a part of the run; 0 is off"
    )
    stop_metric: Literal["bleu", "loss"] = Field(default="bleu", description="what says which validation is the best")
    bleu_tokenizer: Literal[
        "auto", "13a", "none", "intl", "char", "zh", "ja-mecab", "ko-mecab", "flores101", "flores200"
    ] = Field(default="auto", description="sacreBLEU's, of the BLEU in validation; auto suits the target's script")
    patience: int = Field(default=10, ge=0, description="validations without a better score; 0 never stops early")
    valid_beam_size: int = Field(default=1, ge=1, description="beam of the translations whose BLEU is validated")
    int8_lines: int = Field(
        default=1000, ge=0, description="validation lines that int8 is checked with at the end, on a CPU; 0 does not"
    )
    seed: int = Field(default=1, ge=0, lt=2**63, description="fixes all randomness")
    device: str = Field(default="auto", description="auto, cpu, cuda or cuda:N")
    dtype: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto", description="of matrix products; auto is bfloat16 where the hardware multiplies it faster"
    )
    fine_tune: Path | None = Field(default=None, description="a model directory to begin with, instead of chance")
    attention: Literal["auto", "triton", "sdpa", "padded", "reference"] = Field(
        default="auto", description="which form of the attention operations runs; auto takes the fastest that can"
    )


@dataclass(frozen=True, kw_only=True)
class VocabularySizes:
    """Pieces on either side, and whether both sides are one vocabulary."""

    source: int
    target: int
    shared: bool


class DecodingConfig(Section):
    """The defaults of translation, stored with the model."""

    later = frozenset({"stop", "free_end", "renormalize", "sentences"})

    beam_size: int = Field(default=4, ge=1, description="hypotheses a sentence; 1 is greedy")
    length_penalty: float = Field(default=1.0, ge=0, description="score = log-probability / length^A")
    max_length_ratio: float = Field(default=2.0, ge=0, description="see max_length_extra")
    max_length_extra: int = Field(default=50, ge=0, description="longest output = ratio x source tokens + extra")
    batch_tokens: Literal["auto"] | Annotated[int, Field(ge=1)] = Field(
        default="auto", description="source tokens decoded at once in each thread, padding included"
    )
    stop: Literal["full", "estimate", "certain"] = Field(
        default="full",
        description="when a beam search ends: as many have finished as the beam holds; or also none that lives would "
        "pass them at its present length; or none could at the longest",
    )
    free_end: bool = Field(default=False, description="an end forced at the longest output costs nothing")
    renormalize: bool = Field(default=False, description="what is never generated has no share of the probability")
    sentences: Literal["auto", "split", "keep"] = Field(
        default="auto",
        description="whether lines are translated sentence by sentence; auto: unless a quarter of the lines that the "
        "model learnt from hold several",
    )

    def longest_output(self, source_length: int, num_positions: int) -> int:
        """Tokens of the longest output of a source of so many, end tokens included, where so many positions exist."""
        return max(2, min(num_positions, int(self.max_length_ratio * source_length) + self.max_length_extra))


class CardConfig(Section):
    """What nobody but you can say of a model: for its README.md and for `mtcli info`. Nothing is learnt from it."""

    title: str | None = Field(default=None, description="heading of the README.md")
    src_language: str | None = Field(default=None, description="what it reads, such as English")
    tgt_language: str | None = Field(default=None, description="what it writes, such as German")
    src_code: str | None = Field(
        default=None, pattern=LANGUAGE_CODE, description="code of what it reads, such as en: programs choose it by this"
    )
    tgt_code: str | None = Field(
        default=None, pattern=LANGUAGE_CODE, description="code of what it writes, such as de or pt-BR"
    )
    license: str | None = Field(default=None, description="on what terms it may be handed on")
    credit: str | None = Field(default=None, description="whose text it learnt from, and where that is to be had")
    good_for: str | None = Field(default=None, description="text that it translates well")
    not_for: str | None = Field(default=None, description="text that it does not")

    @model_validator(mode="after")
    def _languages_come_together(self) -> Self:
        if (self.src_language is None) != (self.tgt_language is None):
            raise ValueError("give both src_language and tgt_language, or neither")
        if (self.src_code is None) != (self.tgt_code is None):
            raise ValueError("give both src_code and tgt_code, or neither")
        return self

    @property
    def direction(self) -> str | None:
        """Such as "English to German"; where there are no names, "en to de"."""
        src, tgt = self.src_language or self.src_code, self.tgt_language or self.tgt_code
        return f"{src} to {tgt}" if src else None


class Config(Section):
    """All settings of a training run."""

    preset: str | None = None
    model: ModelConfig = ModelConfig()
    data: DataConfig = DataConfig()
    training: TrainingConfig = TrainingConfig()
    decoding: DecodingConfig = DecodingConfig()
    card: CardConfig = CardConfig()


Settings = dict[str, Any]

PRESETS: Mapping[str, Settings] = {
    # Wu et al. 2021 (arXiv:2105.14462), Transformer-Tiny; the step's size and rate are ours.
    "tiny": {
        "model": {
            "encoder_layers": 4,
            "decoder_layers": 4,
            "d_model": 128,
            "ffn_dim": 256,
            "heads": 4,
            "dropout": 0.3,
        },
        "data": {"vocab_size": 8000},
        "training": {"learning_rate": 3e-3, "warmup_steps": 1500},
    },
    "small": {
        "model": {"d_model": 512, "ffn_dim": 1024, "heads": 4, "dropout": 0.3},
        "data": {"vocab_size": 10000},
        "training": {"learning_rate": 5e-4},
    },
    "base": {},
    "big": {
        "model": {"d_model": 1024, "ffn_dim": 4096, "heads": 16, "dropout": 0.3},
        "training": {"learning_rate": 5e-4},
    },
    "deep": {"model": {"encoder_layers": 12, "decoder_layers": 2}},
}
SECTIONS: dict[str, type[Section]] = {
    "model": ModelConfig,
    "data": DataConfig,
    "training": TrainingConfig,
    "decoding": DecodingConfig,
    "card": CardConfig,
}


def merge(*layers: Mapping[str, Any]) -> Settings:
    """Lay settings over one another, section by section; the last one wins."""
    merged: Settings = {}
    for layer in layers:
        for key, value in layer.items():
            if isinstance(value, Mapping):
                below = merged.get(key)
                merged[key] = {**(below if isinstance(below, Mapping) else {}), **value}
            else:
                merged[key] = value
    return merged


def read_toml(path: Path) -> Settings:
    """Read a configuration file; paths inside it are relative to the file.

    Raises:
        ConfigError: the file is not TOML.
        DataError: the file is missing or unreadable.
    """
    try:
        settings = tomllib.loads(_read_text(path))
    except FileNotFoundError:
        raise missing_file(path, "The configuration file") from None
    except OSError as error:
        raise file_error(path, error, "read") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}.") from error
    data, training = settings.get("data"), settings.get("training")
    if isinstance(data, dict):
        _anchor_paths(data, path.parent)
    if isinstance(training, dict) and isinstance(training.get("fine_tune"), str):
        training["fine_tune"] = _anchored(training["fine_tune"], path.parent)
    return settings


def _read_text(path: Path) -> str:
    """The text of a file in any encoding that its byte order mark tells, without the mark."""
    if path == STDIN or path.is_file():
        with open_binary(path) as stream:
            return stream.read().decode("utf-8-sig")
    return path.read_text(encoding="utf-8-sig")


def _anchor_paths(data: Settings, directory: Path) -> None:
    for key in ("src", "tgt", "tsv", "valid_src", "valid_tgt", "tokenizer", "src_tokenizer", "tgt_tokenizer"):
        value = data.get(key)
        if isinstance(value, str):
            value = data[key] = _anchored(value, directory)
            if not key.endswith("tokenizer"):
                data[key] = [value]
        elif isinstance(value, list):
            data[key] = [_anchored(item, directory) if isinstance(item, str) else item for item in value]
    corpora = data.get("corpora")
    for corpus in corpora if isinstance(corpora, list) else ():
        if isinstance(corpus, dict):
            _anchor_paths(corpus, directory)


def _anchored(name: str, directory: Path) -> str:
    return name if Path(name) == STDIN else str(directory / name)


def parse_assignment(text: str) -> Settings:
    """Read one `section.key=value`; the value is TOML, or a bare word taken as a string.

    Raises:
        ConfigError: the text has another form.
    """
    name, equals, value = text.partition("=")
    section, dot, key = name.strip().partition(".")
    if not (equals and dot and section and key):
        raise ConfigError(f"--set {text}: expected section.key=value, for example --set model.dropout=0.2.")
    try:
        parsed = tomllib.loads(f"value = {value.strip()}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value.strip()
    return {section: {key: parsed}}


def load_config(
    preset: str | None = None,
    file: Path | None = None,
    assignments: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
) -> Config:
    """Build the configuration from a preset, a file, `--set` assignments and command-line options.

    Raises:
        ConfigError: an unknown preset, section or key, a wrong type or value, or a contradiction.
        DataError: the file is missing or unreadable.
    """
    from_file = read_toml(file) if file else {}
    overrides = merge(from_file, *map(parse_assignment, assignments), options or {})
    chosen = preset or overrides.get("preset")
    if chosen is not None and chosen not in list(PRESETS):
        raise ConfigError(f"There is no preset {chosen!r}. Presets: {', '.join(PRESETS)}.")
    settings = merge(PRESETS[chosen] if chosen else {}, overrides, {"preset": chosen})
    sources = ([str(file)] if file else []) + (["--set"] if assignments else [])
    return _validate(settings, " and ".join(sources) or "the configuration")


def _validate(settings: Settings, where: str) -> Config:
    try:
        return Config.model_validate(settings)
    except ValidationError as error:
        sentences = [_explain(issue) for issue in error.errors()]
        raise ConfigError(f"In {where}: " + " ".join(sentences)) from None


def _explain(issue: Any) -> str:
    location = [str(part) for part in issue["loc"]]
    name = ".".join(location)
    if issue["type"] == "extra_forbidden":
        return _unknown_key(location)
    if issue["type"] == "value_error":
        return f"[{name}] {issue['ctx']['error']}."
    return f"{name} = {issue['input']!r} does not fit: {issue['msg'].lower()}."


def _unknown_key(location: list[str]) -> str:
    *sections, key = location
    owner = SECTIONS[sections[0]] if sections else Config
    valid = sorted(owner.model_fields)
    near = difflib.get_close_matches(key, valid, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"there is no setting {'.'.join(location)}.{hint} Valid here: {', '.join(valid)}."
