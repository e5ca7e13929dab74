"""What the commands that run a model share: options, loading, decoding settings."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mtcli.errors import UsageError
from mtcli.model_directory.box import DIRECTION

if TYPE_CHECKING:
    from mtcli.config import DecodingConfig
    from mtcli.model_directory.loading import LoadedModel

ModelOption = Annotated[Path, typer.Option("-m", "--model", help="A model directory, as mtcli train makes it.")]
OptionalModelOption = Annotated[
    Path | None,
    typer.Option(
        "-m", "--model", help=f"A model directory, as mtcli train makes it; else the one in the box, {DIRECTION}."
    ),
]
BeamOption = Annotated[int | None, typer.Option("-b", "--beam-size", min=1, help="Live hypotheses a sentence.")]
GreedyOption = Annotated[bool, typer.Option("--greedy", help="The same as --beam-size 1.")]
LengthPenaltyOption = Annotated[
    float | None,
    typer.Option("--length-penalty", min=0.0, help="A in score = log-probability / tokens**A, the end token counted."),
]
BatchTokensOption = Annotated[
    str | None,
    typer.Option(
        "--batch-tokens", help="Source tokens decoded at once, padding included, or auto: the model's own default."
    ),
]


def known_device(name: str | None) -> str | None:
    """Check how a device is written, not whether it is there."""
    if name is not None and not re.fullmatch(r"auto|cpu|cuda(:[0-9]+)?", name):
        raise typer.BadParameter(f"{name}: expected auto, cpu, cuda or cuda:N.")
    return name


DeviceOption = Annotated[str, typer.Option("--device", callback=known_device, help="auto, cpu, cuda or cuda:N.")]
DtypeOption = Annotated[
    Literal["auto", "float32", "bfloat16", "float16"], typer.Option("--dtype", help="Number type of the arithmetic.")
]
AttentionOption = Annotated[
    Literal["auto", "triton", "sdpa", "padded", "reference"],
    typer.Option("--attention", help="Form of the attention operations; auto takes the fastest that can run."),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="decoding.KEY=VALUE", help="One decoding setting, such as max_length_ratio."),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite an existing output.")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="Say nothing but errors.")]


def one_of(option: str, value: str, choices: Sequence[str]) -> None:
    """Check an option that has a few values.

    Raises:
        UsageError: the value is none of them.
    """
    if value not in choices:
        raise UsageError(f"{option} {value}: expected one of {', '.join(choices)}.")


def beam_size(beam: int | None, greedy: bool) -> int | None:
    """The beam asked for, or None for the model's default.

    Raises:
        UsageError: both were asked for.
    """
    if greedy and beam not in (None, 1):
        raise UsageError(f"--greedy and --beam-size {beam} contradict each other: greedy is a beam of 1.")
    return 1 if greedy else beam


def load(directory: Path, device: str, dtype: str, attention: str = "auto") -> "LoadedModel":
    """Load a model where the options ask for it, with the form of attention that they ask for.

    Raises:
        CheckpointError, BackendUnavailableError: as `load_model`, `resolve_device` and `Implementations.resolve` do.
    """
    from mtcli.devices import decoding_dtype, prepare_cpu, resolve_device
    from mtcli.model_directory.loading import load_model

    prepare_cpu()
    where = resolve_device(device)
    model = load_model(directory, where, decoding_dtype(dtype, where))
    model.network.attention = attention
    model.implementations()
    return model


def decoding_options(
    model: "LoadedModel",
    *,
    beam: int | None = None,
    length_penalty: float | None = None,
    batch_tokens: str | None = None,
    assignments: list[str] | None = None,
) -> "DecodingConfig":
    """The model's decoding defaults, then `--set decoding.key=value`, then the options of their own.

    Raises:
        UsageError: --batch-tokens is neither a number nor auto.
        ConfigError: an assignment is unknown or does not fit.
    """
    from mtcli.config import load_config, merge, parse_assignment

    options: dict[str, object] = {"beam_size": beam, "length_penalty": length_penalty}
    if batch_tokens is not None and batch_tokens != "auto":
        if not batch_tokens.isdecimal() or int(batch_tokens) < 1:
            raise UsageError(f"--batch-tokens {batch_tokens}: expected a number of tokens, 1 or more, or auto.")
        options["batch_tokens"] = int(batch_tokens)
    given = {name: value for name, value in options.items() if value is not None}
    set_by_name = [parse_assignment(assignment) for assignment in assignments or ()]
    if foreign := [section for settings in set_by_name for section in settings if section != "decoding"]:
        raise UsageError(f"--set {foreign[0]}.…: a finished model takes decoding settings alone.")
    defaults = {"decoding": model.architecture.decoding.model_dump()}
    return load_config(options=merge(defaults, *set_by_name, {"decoding": given})).decoding


def say(sentence: str, quiet: bool) -> None:
    """Tell the user something on stderr."""
    if not quiet:
        print(sentence, file=sys.stderr)
