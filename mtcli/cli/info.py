"""`mtcli info`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mtcli.cli.errors import TracebackOption, reports_errors
from mtcli.cli.options import AttentionOption, DeviceOption, DtypeOption, EngineOption
from mtcli.model_directory.box import DIRECTION, IN_THE_BOX

if TYPE_CHECKING:
    from mtcli.decoding.engines.choice import EngineChoice

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
    engine: EngineOption = "auto",
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
    facts = facts_of(model) | _here(model, engine, device, dtype, attention)
    if check:
        facts["check"] = _check(model, device, attention)
    if as_json:
        print(json.dumps(facts, ensure_ascii=False))
        return
    width = max(map(len, facts))
    for name, value in facts.items():
        print(f"{name:<{width}}  {_show(value)}")


def _here(directory: Path, engine: str, device: str, dtype: str, attention: str) -> dict[str, Any]:
    """How the model would run on this machine."""
    from mtcli.decoding.engines.choice import choose_engine
    from mtcli.decoding.options import ComputeOptions
    from mtcli.decoding.translator import search_options
    from mtcli.model_directory.model import StoredModel
    from mtcli_native import load

    model = StoredModel(directory)
    compute = ComputeOptions(engine=engine, device=device, dtype=dtype, attention=attention)
    search = search_options(model.architecture.decoding, model.tokenizers.tgt)
    choice = choose_engine(model, compute, search)
    facts = {"engine": choice.sentence, "native kernels": load.describe()}
    if mark := model.int8_mark:
        facts["int8 checked"] = mark.sentence
    if choice.is_native:
        return {**facts, "runs here on": choice.place}
    return facts | _by_torch(choice, attention, model.architecture.model.largest_head_dim, search.beam_size)


def _by_torch(choice: "EngineChoice", attention: str, head_dim: int, beam: int) -> dict[str, Any]:
    from mtcli.devices import decoding_dtype, describe, prepare_cpu, resolve_device
    from mtcli.model.implementations import Implementations

    prepare_cpu()
    device = resolve_device(choice.device)
    dtype = decoding_dtype(choice.dtype, device)
    forms = Implementations.resolve(attention, device, dtype, head_dim=head_dim, beam=beam)
    return {"runs here on": describe(device, dtype), "attention": forms.sentence()}


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
