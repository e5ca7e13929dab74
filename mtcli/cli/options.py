"""The options that several commands share, and what their words mean."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from mtcli.errors import UsageError
from mtcli.model_directory.box import DIRECTION

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
EngineOption = Annotated[
    Literal["auto", "native", "torch"],
    typer.Option(
        "--engine",
        help="What decodes: native, compiled for CPUs, or torch, PyTorch; auto: native on a CPU, where it can run.",
    ),
]
DtypeOption = Annotated[
    Literal["auto", "float32", "bfloat16", "float16", "int8"],
    typer.Option(
        "--dtype",
        help="Number type of the arithmetic; auto, on a CPU: int8 where that was checked, else float32.",
    ),
]
AttentionOption = Annotated[
    Literal["auto", "triton", "sdpa", "padded", "reference"],
    typer.Option("--attention", help="Form of the attention operations; auto takes the fastest that can run."),
]
SentencesOption = Annotated[
    Literal["auto", "split", "keep"] | None,
    typer.Option(
        "--sentences",
        help="split: translate a line sentence by sentence; keep: as a whole; auto: as the model learnt.",
    ),
]
NoRepairOption = Annotated[
    bool, typer.Option("--no-repair", help="Take the model's first translation, whatever is wrong with it.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="decoding.KEY=VALUE", help="One decoding setting, such as max_length_ratio."),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite an existing output.")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="Say nothing but errors.")]


def beam_size(beam: int | None, greedy: bool) -> int | None:
    """Read --beam-size and --greedy; None is the model's default.

    Raises:
        UsageError: both were asked for.
    """
    if greedy and beam not in (None, 1):
        raise UsageError(f"--greedy and --beam-size {beam} contradict each other: greedy is a beam of 1.")
    return 1 if greedy else beam


def token_budget(batch_tokens: str | None) -> int | None:
    """Read --batch-tokens; None is the model's default.

    Raises:
        UsageError: it is neither a number nor auto.
    """
    if batch_tokens is None or batch_tokens == "auto":
        return None
    if not batch_tokens.isdecimal() or int(batch_tokens) < 1:
        raise UsageError(f"--batch-tokens {batch_tokens}: expected a number of tokens, 1 or more, or auto.")
    return int(batch_tokens)


def decoding_settings(assignments: Sequence[str] | None) -> dict[str, Any]:
    """Read `--set decoding.key=value`, given once or more.

    Raises:
        UsageError: it is a setting of something else.
        ConfigError: it has another form.
    """
    from mtcli.config import merge, parse_assignment

    settings = merge(*map(parse_assignment, assignments or ()))
    if foreign := [section for section in settings if section != "decoding"]:
        raise UsageError(f"--set {foreign[0]}.…: a finished model takes decoding settings alone.")
    return settings.get("decoding", {})  # type: ignore[no-any-return]
