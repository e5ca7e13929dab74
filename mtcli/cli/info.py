"""`mtcli info`."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from mtcli.cli.errors import TracebackOption, reports_errors
from mtcli.cli.options import AttentionOption, DeviceOption, DtypeOption
from mtcli.model_directory.box import DIRECTION, IN_THE_BOX

NAME = "info"
EXAMPLE = """\b
Examples:
  mtcli info
  mtcli info en-de
  mtcli info opus-en-de --check"""


@reports_errors
def command(
    model: Annotated[
        Path | None, typer.Argument(help=f"A model directory; else the model in the box, {DIRECTION}.")
    ] = None,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    attention: AttentionOption = "auto",
    check: Annotated[
        bool, typer.Option("--check", help="Compute what was stored with an imported model again, in float32; compare.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    traceback: TracebackOption = False,
) -> None:
    """Tell what a model is, what it was trained on, its size and its scores, and how it would run here."""
    from mtcli.model_directory.facts import facts_of

    model = IN_THE_BOX if model is None else model
    facts = facts_of(model) | _here(model, device, dtype, attention)
    if check:
        facts["check"] = _check(model, device, attention)
    if as_json:
        print(json.dumps(facts, ensure_ascii=False))
        return
    width = max(map(len, facts))
    for name, value in facts.items():
        print(f"{name:<{width}}  {_show(value)}")


def _here(directory: Path, device: str, dtype: str, attention: str) -> dict[str, Any]:
    """How the model would run on this machine."""
    from mtcli.devices import decoding_dtype, describe, prepare_cpu, resolve_device
    from mtcli.model.implementations import Implementations
    from mtcli.model_directory.description import load_architecture

    prepare_cpu()
    architecture, where = load_architecture(directory), resolve_device(device)
    number_type = decoding_dtype(dtype, where)
    chosen = Implementations.resolve(
        attention,
        where,
        number_type,
        head_dim=architecture.model.largest_head_dim,
        beam=architecture.decoding.beam_size,
    )
    return {"runs here on": describe(where, number_type), "attention": chosen.sentence()}


def _check(directory: Path, device: str, attention: str) -> str:
    """Compare what the model computes here with what is stored with it.

    Raises:
        CheckpointError: nothing is stored, or it differs.
    """
    from mtcli.decoding.loading import load_for
    from mtcli.decoding.options import ComputeOptions
    from mtcli.interop.reference import Ours, largest_difference, stored

    model = load_for(directory, ComputeOptions(device=device, dtype="float32", attention=attention))
    reference = stored(directory, model.architecture.checksums)
    difference = largest_difference(reference, Ours(model, attention))
    return (
        f"{len(reference.sentences)} sentences as {reference.made_by} computed them: the same ids, and "
        f"log-probabilities within {difference:.1g}"
    )


def _show(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)
