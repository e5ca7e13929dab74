"""`mtcli train`."""

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from mtcli.cli.errors import TracebackOption, end_here, reports_errors
from mtcli.cli.options import known_device
from mtcli.errors import ExitCode

NAME = "train"
EXAMPLE = """\b
Examples:
  mtcli train --src train.en --tgt train.de -o en-de --preset tiny --max-minutes 40
  mtcli train --tsv corpus.tsv.gz -o ko-en --set data.vocab_size=4000 --max-epochs 30
  mtcli train --tsv medicine.tsv -o en-de-medicine --fine-tune en-de --max-epochs 5
  mtcli train --config big.toml -o big --nproc 8 --dry-run

The same command again continues where the last one stopped."""

_Files = list[Path]
_Preset = Literal["tiny", "small", "base", "big", "deep"]
_Dtype = Literal["auto", "float32", "bfloat16"]
_Attention = Literal["auto", "triton", "sdpa", "padded", "reference"]
_FILES = "plain or compressed; give the option again for more files"


@reports_errors
def command(
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="The run's directory, and then the model's.")
    ],
    src: Annotated[
        _Files | None, typer.Option("--src", metavar="FILE", help=f"Source text, a sentence a line; {_FILES}.")
    ] = None,
    tgt: Annotated[
        _Files | None, typer.Option("--tgt", metavar="FILE", help="Target text: line i translates line i of --src.")
    ] = None,
    tsv: Annotated[
        _Files | None, typer.Option("--tsv", metavar="FILE", help="Text as source<TAB>target; - is stdin.")
    ] = None,
    valid_src: Annotated[
        _Files | None, typer.Option("--valid-src", metavar="FILE", help="Validation source text.")
    ] = None,
    valid_tgt: Annotated[
        _Files | None, typer.Option("--valid-tgt", metavar="FILE", help="Validation target text.")
    ] = None,
    preset: Annotated[_Preset | None, typer.Option("--preset", help="A network and how to train it.")] = None,
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE.toml", help="A TOML file with settings.")
    ] = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="SECTION.KEY=VALUE", help="One setting; may be repeated."),
    ] = None,
    max_steps: Annotated[int | None, typer.Option("--max-steps", min=1, help="Stop after so many updates.")] = None,
    max_epochs: Annotated[int | None, typer.Option("--max-epochs", min=1, help="Stop after so many passes.")] = None,
    max_minutes: Annotated[
        float | None,
        typer.Option("--max-minutes", min=0.001, help="Stop after so many minutes of training, resumes included."),
    ] = None,
    save_every: Annotated[int | None, typer.Option("--save-every", min=1, help="Steps between checkpoints.")] = None,
    valid_every: Annotated[int | None, typer.Option("--valid-every", min=1, help="Steps between validations.")] = None,
    keep: Annotated[int | None, typer.Option("--keep", min=1, help="Checkpoints to keep.")] = None,
    device: Annotated[
        str | None, typer.Option("--device", callback=known_device, help="auto, cpu, cuda or cuda:N.")
    ] = None,
    dtype: Annotated[_Dtype | None, typer.Option("--dtype", help="Number type of the matrix products.")] = None,
    attention: Annotated[
        _Attention | None,
        typer.Option("--attention", help="Form of the attention operations; auto takes the fastest that can run."),
    ] = None,
    source_language: Annotated[
        str | None,
        typer.Option("--source-language", metavar="CODE", help="What the model reads, such as en; for mtcli serve."),
    ] = None,
    target_language: Annotated[
        str | None,
        typer.Option("--target-language", metavar="CODE", help="What it writes, such as de; for mtcli serve."),
    ] = None,
    fine_tune: Annotated[
        Path | None,
        typer.Option("--fine-tune", metavar="MODEL", help="Begin with a model's weights; its vocabulary is kept."),
    ] = None,
    nproc: Annotated[
        int,
        typer.Option("--nproc", min=1, help="Processes that train together here, each on a GPU of its own if any."),
    ] = 1,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what the run would take in memory and time, and stop.")
    ] = False,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Fixes all randomness.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing but errors.")] = False,
    traceback: TracebackOption = False,
) -> None:
    """Train a model on parallel text.

    Reads line-aligned files, trains a SentencePiece vocabulary, and learns until a limit or until
    validation BLEU stops rising. Ctrl-C saves; the same command again continues.
    """
    from mtcli.config import load_config
    from mtcli.data.piped import refuse_pipes

    data = {"src": src, "tgt": tgt, "tsv": tsv, "valid_src": valid_src, "valid_tgt": valid_tgt}
    training = {
        "max_steps": max_steps,
        "max_epochs": max_epochs,
        "max_minutes": max_minutes,
        "save_every": save_every,
        "valid_every": valid_every,
        "keep": keep,
        "device": device,
        "dtype": dtype,
        "attention": attention,
        "seed": seed,
        "fine_tune": fine_tune,
    }
    card = {"src_code": source_language, "tgt_code": target_language}
    options: dict[str, Any] = {"data": _given(data), "training": _given(training), "card": _given(card)}
    settings = load_config(preset, config, assignments or (), options)
    if nproc > 1:
        refuse_pipes(settings.data)
        _train_together(nproc, settings.training.device)
        return
    from mtcli.training.run import train
    from mtcli.training.world import is_launched

    train(settings, output, quiet=quiet, dry_run=dry_run)
    if is_launched():
        # PyTorch leaves their communication's threads running. One that is still giving back what it sent when the
        # interpreter ends cannot have it any more, and the whole process would abort, with all its work done.
        end_here(ExitCode.OK)


def _train_together(nproc: int, device: str) -> None:
    """The same command in several processes, without its --nproc."""
    from mtcli.training.launch import launch, without_nproc

    if code := launch(nproc, without_nproc(sys.argv[1:]), device):
        raise typer.Exit(code)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value not in (None, [])}
