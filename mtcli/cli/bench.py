"""`mtcli bench`."""

import shlex
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mtcli.bench.settings import OPERATIONS
from mtcli.cli.errors import TracebackOption, printable, reports_errors
from mtcli.cli.options import DtypeOption, ForceOption, QuietOption, known_device
from mtcli.cli.signals import tidy_when_stopped
from mtcli.cli.streams import say
from mtcli.errors import BackendUnavailableError, DataError, MtcliError, UsageError, check_choice
from mtcli.files import STDIN, check_writable, read_lines, write_output
from mtcli.jobs.outputs import check_outputs

if TYPE_CHECKING:
    from mtcli.bench.record.schema import BenchRecord
    from mtcli.bench.settings import BenchSettings

NAME = "bench"
EXAMPLE = """\b
Examples:
  mtcli bench
  mtcli bench --device cpu -o bench.json
  mtcli bench translate -m en-de -i news.en --device cpu
  mtcli bench --ops beam_step,cross_entropy
  mtcli bench kernels --device cpu --compare bench.json --fail-on-regression
  mtcli bench --from bench.json --plot roofline.svg"""

SECTIONS = ("ceilings", "kernels", "translate", "train")
_NO_GPU = "No CUDA device is here; `mtcli bench --device cpu` measures this processor at smaller sizes."
_Preset = Literal["tiny", "small", "base", "big", "deep"]


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """What is to become of a record."""

    sections: tuple[str, ...]
    as_json: bool
    as_csv: bool
    output: Path | None
    plot: Path | None
    old: Path | None
    fail_on_regression: bool


@reports_errors
def command(
    sections: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ceilings|kernels|translate|train]...", help="What to measure; all if none is named."),
    ] = None,
    device: Annotated[
        str | None, typer.Option("--device", callback=known_device, help="auto (a GPU), cpu, cuda or cuda:N.")
    ] = None,
    dtype: DtypeOption = "auto",
    preset: Annotated[_Preset | None, typer.Option("--preset", help="The network whose random weights run.")] = None,
    model: Annotated[
        Path | None, typer.Option("-m", "--model", metavar="DIR", help="A model of your own instead.")
    ] = None,
    source: Annotated[
        Path | None, typer.Option("-i", "--input", metavar="FILE", help="Lines for that model to translate.")
    ] = None,
    operations: Annotated[
        str | None,
        typer.Option("--ops", metavar="OP,OP", help=f"Measure these kernels alone: {', '.join(OPERATIONS)}."),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Fixes all that is random.")] = None,
    seconds: Annotated[
        float | None, typer.Option("--seconds", min=0.1, help="Time to measure for, all sections together.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the record as JSON instead of tables.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a CSV row for each figure instead of tables.")] = False,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Write the record as JSON here, after each step."),
    ] = None,
    compare: Annotated[
        Path | None,
        typer.Option("--compare", metavar="OLD.json", help="Add the ratios to an earlier record; mark regressions."),
    ] = None,
    fail_on_regression: Annotated[
        bool, typer.Option("--fail-on-regression", help="With --compare: exit 1 if there is a regression.")
    ] = False,
    stored: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="Show this record; measure nothing.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="F.svg", help="Draw kernels and phases on the roofline.")
    ] = None,
    toy: Annotated[bool, typer.Option("--toy", hidden=True)] = False,
    force: ForceOption = False,
    quiet: QuietOption = False,
    traceback: TracebackOption = False,
) -> None:
    """Measure what mtcli does on this machine, and how far from the hardware's limit it is.

    It first measures the machine itself (copying, matrix products, launching kernels), then the kernels beside
    PyTorch's, whole translations, and training. Results are checked before they are timed. Needs no data and no
    model. On a CPU it ends in under three minutes, at smaller sizes.

    With --compare, --json and --csv print the comparison instead of the record.
    """
    for section in sections or ():
        check_choice("SECTION", section, SECTIONS)
    ops = tuple(dict.fromkeys(operations.split(","))) if operations is not None else ()
    for name in ops:
        check_choice("--ops", name, OPERATIONS)
    wanted = _Wanted(
        sections=tuple(sections or (("kernels",) if ops else SECTIONS)),
        as_json=as_json,
        as_csv=as_csv,
        output=output,
        plot=plot,
        old=compare,
        fail_on_regression=fail_on_regression,
    )
    measuring: dict[str, object] = {"--device": device, "--preset": preset, "-m": model, "-i": source, "--seed": seed}
    measuring |= {"--seconds": seconds, "-o": output, "--dtype": None if dtype == "auto" else dtype}
    measuring |= {"--ops": operations, "--toy": toy or None}
    _refuse_contradictions(wanted, stored, {name for name, value in measuring.items() if value is not None})
    check_outputs([path for path in (output, plot) if path is not None], force)
    for path in (output, plot):
        check_writable(path)
    if plot is not None:
        from mtcli.bench.display.plot import check_plot

        check_plot(plot)
    from mtcli.bench.record.stored import read_record

    old = None if compare is None else read_record(compare)
    if stored is not None:
        record = _only(read_record(stored), tuple(sections or ()), stored)
    else:
        _check_inputs(model, source)
        settings = _settings(
            device or "auto",
            quiet,
            seed=1 if seed is None else seed,
            toy=toy,
            dtype=None if dtype == "auto" else dtype,
            preset=preset or "base",
            model=model,
            input=source,
            operations=ops,
        )
        record = _measure(settings, wanted, seconds, old)
    _tell(record, old, wanted)


def _refuse_contradictions(wanted: _Wanted, stored: Path | None, measuring: set[str]) -> None:
    """Raise a `UsageError` for options that cannot be followed together."""
    refused = {
        "--json and --csv contradict each other: standard output takes one of them.": wanted.as_json and wanted.as_csv,
        f"--from measures nothing, so it goes without {', '.join(sorted(measuring))}.": stored and measuring,
        "-i FILE needs -m DIR: the model that is to translate it.": "-i" in measuring and "-m" not in measuring,
        "-m and --preset contradict each other: a model has its own sizes.": {"-m", "--preset"} <= measuring,
        "-m is for translate and train; kernels are measured without a model.": "-m" in measuring
        and not {"translate", "train"} & set(wanted.sections),
        "-i is for translate, which is not among the sections asked for.": "-i" in measuring
        and "translate" not in wanted.sections,
        "--ops is for kernels, which are not among the sections asked for.": "--ops" in measuring
        and "kernels" not in wanted.sections,
        "--fail-on-regression needs --compare OLD.json: the record to compare with.": wanted.fail_on_regression
        and wanted.old is None,
        "--from and --compare cannot both read standard input.": stored == STDIN == wanted.old,
    }
    for option, path in (("-o", wanted.output), ("--plot", wanted.plot)):
        refused[f"{option} takes the name of a file; --json prints the record on standard output."] = path == STDIN
    for sentence, applies in refused.items():
        if applies:
            raise UsageError(sentence)


def _check_inputs(model: Path | None, source: Path | None) -> None:
    """See that the model and the lines are there, before anything is measured.

    Raises:
        UsageError: the lines would come from standard input.
        CheckpointError, DataError: the model or the file cannot be used.
    """
    if model is not None:
        from mtcli.model_directory.description import load_architecture

        load_architecture(model)
    if source == STDIN:
        raise UsageError("-i takes the name of a file here: its lines are translated several times.")
    if source is not None and not any(line.strip() for line in read_lines(source)):
        raise DataError(f"{source} holds no line with text. Give lines to translate.")


def _settings(device: str, quiet: bool, **others: object) -> "BenchSettings":
    """What every section is told.

    Raises:
        BackendUnavailableError: the device or the number type is not here.
    """
    from mtcli.bench.settings import BenchSettings
    from mtcli.devices import prepare_cpu, resolve_device, resolve_dtype

    prepare_cpu()
    where = resolve_device(device)
    if device == "auto" and where.type != "cuda":
        raise BackendUnavailableError(_NO_GPU)
    if dtype := others["dtype"]:
        resolve_dtype(str(dtype), where)
    if where.index is not None:
        import torch

        torch.cuda.set_device(where)
    return BenchSettings(
        torch_device=str(where),
        ends_at=0.0,
        say=lambda words: say(printable(words), quiet),
        **others,  # type: ignore[arg-type]
    )


def _measure(
    settings: "BenchSettings", wanted: _Wanted, seconds: float | None, old: "BenchRecord | None"
) -> "BenchRecord":
    """Measure; what has been found is written whenever there is more, if that is wanted."""
    from mtcli.bench.record.comparison import device_differences
    from mtcli.bench.run import Run

    def save(record: "BenchRecord") -> None:
        _write(record, wanted.output)

    command = shlex.join(["mtcli", *sys.argv[1:]])
    run = Run(settings, wanted.sections, seconds=seconds, command=command, save=save)
    if old is not None:
        _refuse_to_compare(wanted.old, device_differences(old.device, run.device))
    with tidy_when_stopped():
        try:
            return run.measure()
        except BaseException:
            # What came before the Ctrl-C or the error is measured and right; the error itself is told as ever.
            with suppress(DataError):
                run.findings.save()
            raise


def _write(record: "BenchRecord", output: Path | None) -> None:
    from mtcli.bench.record.stored import to_json

    if output is not None:
        write_output(output, to_json(record).encode())


def _only(record: "BenchRecord", sections: tuple[str, ...], path: Path) -> "BenchRecord":
    """The record with these sections alone, if any are named.

    Raises:
        DataError: it has none of that name.
    """
    if missing := [name for name in sections if name not in record.sections]:
        raise DataError(f"{path} holds no section {missing[0]}; it holds {', '.join(record.sections)}.")
    return record.only(sections) if sections else record


def _tell(record: "BenchRecord", old: "BenchRecord | None", wanted: _Wanted) -> None:
    """Print what was asked for; end with an error where something is wrong, or has become worse.

    Raises:
        MtcliError: a result is wrong, or there is a regression and that is to fail.
        DataError: the records cannot be compared, or the plot cannot be written.
    """
    from mtcli.bench.display.comparison import regressions_in_words

    regressions = 0
    if old is None or not (wanted.as_json or wanted.as_csv):
        _print_record(record, wanted)
    if old is not None:
        regressions = _print_comparison(old, record, wanted)
    if wanted.plot is not None:
        from mtcli.bench.display.plot import write_roofline

        write_roofline(record, wanted.plot)
    if found := record.faults():
        raise MtcliError(" ".join(["Something is wrong here.", *found]))
    if regressions and wanted.fail_on_regression:
        raise MtcliError(f"{regressions_in_words(regressions)} against {wanted.old}.")


def _print_record(record: "BenchRecord", wanted: _Wanted) -> None:
    if wanted.as_json:
        from mtcli.bench.record.stored import to_json

        sys.stdout.write(to_json(record))
    elif wanted.as_csv:
        from mtcli.bench.display.comparison import record_csv

        sys.stdout.write(record_csv(record))
    else:
        from mtcli.bench.display.report import report
        from mtcli.bench.display.tables import show

        show(report(record), sys.stdout)


def _print_comparison(old: "BenchRecord", record: "BenchRecord", wanted: _Wanted) -> int:
    """Print the ratios; returns the number of regressions."""
    from mtcli.bench.display.comparison import comparison_blocks, comparison_csv, comparison_json
    from mtcli.bench.display.tables import show
    from mtcli.bench.record.comparison import compare, differences

    _refuse_to_compare(wanted.old, differences(old, record))
    comparison = compare(old, record)
    if not comparison.rows:
        raise DataError(f"{wanted.old} and this record have no figure in common.")
    if wanted.as_json:
        sys.stdout.write(comparison_json(comparison))
    elif wanted.as_csv:
        sys.stdout.write(comparison_csv(comparison))
    else:
        sys.stdout.write("\n")
        show(comparison_blocks(comparison, old, record), sys.stdout)
    return comparison.regressions


def _refuse_to_compare(old: Path | None, differences: list[str]) -> None:
    if differences:
        raise DataError(
            f"{old} cannot be compared with this: {'; '.join(differences)}. "
            "Compare what was measured on one device, with one model and the same sizes."
        )
