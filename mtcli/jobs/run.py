"""One run of `mtcli translate`: where its outputs stand, the bar, the pipeline, what is checked and said at the end."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtcli.cli.errors import printable
from mtcli.cli.options import say
from mtcli.files import STDIN, is_awaited, write_output
from mtcli.formats.records import Reader
from mtcli.jobs.identity import job_key
from mtcli.jobs.outputs import check_outputs
from mtcli.jobs.pipeline import FileJob, Translate, run
from mtcli.jobs.resume import Resumable, can_resume, resumable
from mtcli.jobs.sample import Sample
from mtcli.jobs.tally import Tally
from mtcli.jobs.verify import agreement, disagreement, verify_alone

if TYPE_CHECKING:
    from mtcli.decoding.translator import Translator
    from mtcli.translation import Translation


@contextmanager
def outputs_of(
    job: FileJob,
    model: Path,
    settings: Mapping[str, object],
    *,
    device: str,
    dtype: str,
    force: bool,
    verify: int,
    quiet: bool,
) -> Iterator[Resumable | None]:
    """The job's outputs, if a later run can go on with them; None where they or the inputs are no plain files.

    Args:
        settings: all options that can change what is written, but for device and dtype.

    Raises:
        UsageError, DataError: as `check_outputs` and `resumable` do.
    """
    written = [*job.outputs, *(path for path in (job.alignments, job.stats) if path)]
    to_resume = can_resume(job.inputs, written)
    check_outputs(written, force or to_resume)
    if not to_resume:
        yield None
        return
    named = [path for path in written if path]

    def key() -> dict[str, str]:
        arithmetic = _arithmetic(device, dtype)
        return job_key(model, job.inputs, [path.resolve() for path in named], {**settings, **arithmetic})

    with resumable(named, key, force=force, verify=verify, say=partial(_say, quiet=quiet)) as saved:
        yield saved


def _arithmetic(device: str, dtype: str) -> dict[str, str]:
    """What `auto` comes to here; on other hardware it may be something else, and round otherwise."""
    from mtcli.devices import decoding_dtype, dtype_name, resolve_device

    where = resolve_device(device)
    return {"device": where.type, "dtype": dtype_name(decoding_dtype(dtype, where))}


def up_to_date(job: FileJob) -> str:
    """What to say of a job that is done already."""
    if len(job.outputs) == 1:
        return printable(f"{job.outputs[0]} is up to date.")
    return f"All {len(job.outputs)} outputs are up to date."


def execute(
    job: FileJob,
    translator: "Translator",
    saved: Resumable | None,
    *,
    n_best: int,
    verify: int,
    load_seconds: float,
    quiet: bool,
) -> None:
    """Translate, then verify some lines, write the counts and say the totals.

    Args:
        saved: the outputs, if they can be gone on with.
        n_best: translations a line.
        verify: lines to translate again, alone.
        load_seconds: what loading the model took, for the counts.

    Raises:
        DataError: an input cannot be read, or an output not written.
        MtcliError: a line came out otherwise alone, or the translator failed.
    """
    from mtcli.decoding.alignment import Aligner

    reader = Reader(job.inputs, job.input_format, job.on_bad_utf8)
    tally = Tally(work=translator.work, distinct=set() if job.stats else None)
    sample = Sample(verify)
    hurry = any(map(is_awaited, job.outputs))

    def translate(lines: Iterable[str]) -> "Iterator[Translation]":
        return iter(translator.translate(lines, n_best=n_best, hurry=hurry))

    with ExitStack() as stack:
        if saved:
            stack.enter_context(saved.committing())
        with ExitStack() as shown:
            if not quiet and sys.stderr.isatty() and not _is_conversation(job):
                from mtcli.cli.progress import progress_bar, size_of_inputs

                tally.total_bytes = size_of_inputs(job.inputs)
                shown.enter_context(progress_bar(tally))
            align = Aligner(translator.model) if job.alignments else None
            run(job, reader, translate, align, tally, saved, sample if verify else None)
        counts = _statistics(tally, reader, translator, load_seconds) if job.stats else {}
        _say_totals(tally, reader, quiet)
        failure = _verify(sample, translate, reader, quiet, counts) if verify else None
        if job.stats:
            from mtcli.jobs.stats import to_json

            write = saved.write if saved else write_output
            write(job.stats, to_json(counts))
        if failure:
            if saved:
                saved.give_up()
            raise failure
        if saved:
            saved.finish(verify)


def _statistics(tally: Tally, reader: Reader, translator: "Translator", load_seconds: float) -> dict[str, Any]:
    from mtcli.jobs.stats import statistics

    return statistics(tally, reader, translator.model, translator.options, load_seconds)


def _verify(
    sample: Sample, translate: Translate, reader: Reader, quiet: bool, counts: dict[str, Any]
) -> Exception | None:
    """Compare the sample, count it, say what came of it; returns the error to end with."""
    differences = verify_alone(sample, translate)
    counts["verified"] = {"lines": len(sample), "different": len(differences)}
    for difference in differences:
        _say(difference.describe(reader), quiet=False)
    if differences:
        return disagreement(len(sample), differences)
    _say(agreement(len(sample)), quiet)
    return None


def _is_conversation(job: FileJob) -> bool:
    """Whether lines are typed or translations shown on the terminal: a bar would run through them."""
    typed = STDIN in job.inputs and sys.stdin is not None and sys.stdin.isatty()
    return typed or (sys.stdout.isatty() and any(output in (None, STDIN) for output in job.outputs))


def _say_totals(tally: Tally, reader: Reader, quiet: bool) -> None:
    say(tally.closing_line(), quiet)
    if reader.replaced:
        say(f"{reader.replaced:,} lines held bytes that are not UTF-8; U+FFFD took their place.", quiet)


def _say(sentence: str, quiet: bool) -> None:
    say(printable(sentence), quiet)
