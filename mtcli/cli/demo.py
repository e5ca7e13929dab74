"""`mtcli demo`."""

from pathlib import Path
from typing import Annotated

import typer

from mtcli.cli.errors import TracebackOption, reports_errors
from mtcli.errors import DataError

NAME = "demo"
EXAMPLE = """\b
Examples:
  mtcli demo
  mtcli demo -o demo-model
  mtcli demo --write-corpus corpus"""


@reports_errors
def command(
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Keep the corpus and the model in this directory.")
    ] = None,
    minutes: Annotated[float, typer.Option("--minutes", min=0.05, help="How long to train.")] = 1.2,
    write_corpus: Annotated[
        Path | None, typer.Option("--write-corpus", help="Only write the demo's corpus into this directory.")
    ] = None,
    traceback: TracebackOption = False,
) -> None:
    """See the whole tool at work: generate a corpus, train on it, translate, look at the attention.

    Takes about two minutes on two CPU cores and needs no data and no network.
    """
    if write_corpus is not None:
        from mtcli.demo.corpus import write_demo_corpus

        write_demo_corpus(write_corpus)
        return
    from tempfile import TemporaryDirectory

    if output is not None:
        if output.exists() and (not output.is_dir() or any(output.iterdir())):
            raise DataError(f"{output} exists already and is not an empty directory. Give another name.")
        _tour(output, minutes, kept=True)
        return
    with TemporaryDirectory(prefix="mtcli-demo-") as directory:
        _tour(Path(directory), minutes, kept=False)


def _tour(work: Path, minutes: float, kept: bool) -> None:
    from rich.console import Console

    from mtcli.demo.tour import run_tour

    console = Console()
    bleu = run_tour(work, minutes, console)
    console.print(_next_steps(work, kept), markup=False, highlight=False)
    print(f"demo BLEU: {bleu:.1f}")


def _next_steps(work: Path, kept: bool) -> str:
    model = (
        f"The model is in {work}/model; try it:\n  echo '나는 집에 간다.' | mtcli translate -m {work}/model\n\n"
        if kept
        else "The model was made in a temporary directory and is gone now; `mtcli demo -o DIR` keeps it.\n\n"
    )
    return (
        "\nWhat happened: the corpus was cut into subwords, the network learnt to predict each next English subword, "
        "and beam search wrote the translations above. BLEU compares them with the references; 100 is identical.\n\n"
        f"{model}"
        "On your own files (line i of one translates line i of the other):\n"
        "  mtcli train --src my.ko --tgt my.en -o my-model --preset tiny --max-minutes 40\n"
        "  mtcli translate -m my-model -i new.ko -o new.en\n"
    )
