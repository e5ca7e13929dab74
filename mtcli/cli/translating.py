"""What the commands that run a model share: options, loading, decoding settings."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtcli.errors import UsageError

if TYPE_CHECKING:
    from mtcli.config import DecodingConfig
    from mtcli.model.store import LoadedModel

ModelOption = Annotated[Path, typer.Option("-m", "--model", help="A model directory, as mtcli train makes it.")]
BeamOption = Annotated[int | None, typer.Option("-b", "--beam-size", min=1, help="Live hypotheses a sentence.")]
GreedyOption = Annotated[bool, typer.Option("--greedy", help="The same as --beam-size 1.")]
LengthPenaltyOption = Annotated[
    float | None,
    typer.Option("--length-penalty", min=0.0, help="A in score = log-probability / tokens**A, the end token counted."),
]
BatchTokensOption = Annotated[
    str | None,
    typer.Option("--batch-tokens", help="Source tokens decoded at once, or auto: the model's own default."),
]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:N.")]
DtypeOption = Annotated[str, typer.Option("--dtype", help="auto, float32, bfloat16 or float16.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite an existing output.")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="Say nothing but errors.")]


def beam_size(beam: int | None, greedy: bool) -> int | None:
    """The beam asked for, or None for the model's default.

    Raises:
        UsageError: both were asked for.
    """
    if greedy and beam not in (None, 1):
        raise UsageError(f"--greedy and --beam-size {beam} contradict each other: greedy is a beam of 1.")
    return 1 if greedy else beam


def load(directory: Path, device: str, dtype: str) -> "LoadedModel":
    """Load a model where the options ask for it.

    Raises:
        CheckpointError, BackendUnavailableError: as `load_model` and `resolve_device` do.
    """
    from mtcli.devices import prepare_cpu, resolve_device, resolve_dtype
    from mtcli.model.store import load_model

    prepare_cpu()
    where = resolve_device(device)
    return load_model(directory, where, resolve_dtype(dtype, where))


def decoding_options(
    model: "LoadedModel", beam: int | None, length_penalty: float | None, batch_tokens: str | None = None
) -> "DecodingConfig":
    """The model's decoding defaults, with the options given laid over.

    Raises:
        UsageError: --batch-tokens is neither a number nor auto.
    """
    changes: dict[str, object] = {"beam_size": beam, "length_penalty": length_penalty}
    if batch_tokens not in (None, "auto"):
        if not (batch_tokens or "").isdecimal() or int(batch_tokens or 0) < 1:
            raise UsageError(f"--batch-tokens {batch_tokens}: expected a number of tokens, 1 or more, or auto.")
        changes["batch_tokens"] = int(batch_tokens or 0)
    given = {name: value for name, value in changes.items() if value is not None}
    return model.architecture.decoding.model_copy(update=given)


def say(sentence: str, quiet: bool) -> None:
    """Tell the user something on stderr."""
    if not quiet:
        print(sentence, file=sys.stderr)
