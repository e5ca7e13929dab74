"""One run of a file job: where its outputs stand, the pipeline, what is checked and said at the end."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from mtcli.decoding.engines.choice import EngineChoice, choose_engine
from mtcli.decoding.options import ComputeOptions, TranslateOptions
from mtcli.decoding.repair.settings import languages_of
from mtcli.decoding.target_language import TargetLanguageCheck
from mtcli.decoding.translator import Translator, way_to_search
from mtcli.errors import MtcliError
from mtcli.files import is_awaited, write_output
from mtcli.formats.reader import Reader
from mtcli.jobs.identity import job_key
from mtcli.jobs.job import FileJob
from mtcli.jobs.outputs import check_outputs
from mtcli.jobs.pipeline import Align, Translate, run
from mtcli.jobs.resume import Resumable, can_resume, resumable
from mtcli.jobs.sample import Sample
from mtcli.jobs.tally import Tally
from mtcli.jobs.verify import agreement, agreement_up_to_rounding, disagreement, verify_alone
from mtcli.model_directory.model import Model, StoredModel
from mtcli.translation import Translation


class Files(Protocol):
    """Have inputs and outputs, as every job on files has."""

    @property
    def inputs(self) -> Sequence[Path]: ...
    @property
    def outputs(self) -> Sequence[Path | None]: ...


class Reporter(Protocol):
    """Tell whoever waits how a job goes."""

    def say(self, sentence: str) -> None:
        """Tell something that may go unread."""

    def warn(self, sentence: str) -> None:
        """Tell something that may not."""

    def progress(self, job: Files, tally: Tally) -> AbstractContextManager[None]:
        """Show the counts while the block runs, which keeps them up to date."""


def translate_files(job: FileJob, reporter: Reporter) -> int:
    """Translate files, or what an earlier run of the same job has left of them, and verify what the job says.

    Returns:
        how many lines are flagged, where the options say that they are to be.

    Raises:
        UsageError, DataError: the outputs cannot be written, or an input not be read.
        CheckpointError, BackendUnavailableError: the model cannot be loaded, or not where the job says.
        MtcliError: a line came out otherwise alone, with an engine that promises that none does; or the translator
            failed.
    """
    opened = cache(lambda: StoredModel(job.model))
    with _outputs_of(job, opened, reporter) as saved:
        if saved and saved.is_done:
            reporter.say(_up_to_date(job))
            return int(saved.earlier.counts.get("flagged", 0))
        began = time.monotonic()
        translator = load_translator(opened(), job.options, job.compute, reporter)
        return _translate(job, translator, saved, reporter, load_seconds=time.monotonic() - began)


@contextmanager
def _outputs_of(job: FileJob, opened: Callable[[], Model], reporter: Reporter) -> Iterator[Resumable | None]:
    """The job's outputs, if a later run can go on with them; None where they or the inputs are no plain files."""
    to_resume = can_resume(job.inputs, job.written)
    check_outputs(job.written, job.force or to_resume, job.inputs)
    if not to_resume:
        yield None
        return
    named = [path for path in job.written if path]

    def key() -> dict[str, str]:
        compute, versions = resolved_compute(opened(), job.options, job.compute)
        return job_key(replace(job, compute=compute), versions)

    with resumable(named, key, force=job.force, verify=job.verify, say=reporter.say) as saved:
        yield saved


def resolved_compute(
    model: Model, options: TranslateOptions, compute: ComputeOptions
) -> tuple[ComputeOptions, Sequence[str]]:
    """What `auto` comes to here, and versions of what rounds; on other hardware it may be something else."""
    choice = _choice(model, options, compute)
    here = replace(compute, engine=choice.name, device=choice.device.partition(":")[0], dtype=choice.dtype)
    return here, choice.versions


def _choice(model: Model, options: TranslateOptions, compute: ComputeOptions) -> EngineChoice:
    _, search = way_to_search(model, options, model.architecture.decoding)
    return choose_engine(model, compute, search)


def _up_to_date(job: FileJob) -> str:
    if len(job.outputs) == 1:
        return f"{job.outputs[0]} is up to date."
    return f"All {len(job.outputs)} outputs are up to date."


def load_translator(model: Model, options: TranslateOptions, compute: ComputeOptions, reporter: Reporter) -> Translator:
    """Make a job's translator; says why, where it is not the native engine that decodes on a CPU."""
    choice = _choice(model, options, compute)
    if choice.obstacle:
        reporter.say(f"Decoding with PyTorch: {choice.obstacle}")
    return Translator.computing(model, compute)


def _translate(
    job: FileJob, translator: Translator, saved: Resumable | None, reporter: Reporter, *, load_seconds: float
) -> int:
    """Translate, then verify some lines, write the counts and say the totals; returns how many lines are flagged."""
    reader = Reader(job.inputs, job.input_format, job.on_bad_utf8, reporter.warn)
    tally = Tally(work=translator.work, distinct=set() if job.stats else None)
    sample = Sample(job.verify) if job.verify else None
    hurry = any(map(is_awaited, job.outputs))
    watch = TargetLanguageCheck(translator.model.tokenizers.src, reporter.warn)

    def translate(lines: Iterable[str]) -> Iterator[Translation]:
        return iter(translator.translate(watch.watch(lines), job.search, hurry=hurry))

    with saved.committing() if saved else nullcontext():
        with reporter.progress(job, tally):
            run(job, reader, translate, _aligner(job, translator), tally, saved, sample, languages_of(translator.model))
        counts = _statistics(job, tally, reader, translator, load_seconds)
        _say_totals(tally, reader, reporter)
        failure = None
        if sample is not None:
            _, search = way_to_search(translator.model, job.options, translator.options)
            is_exact = translator.backend.choice_for(search).is_independent
            failure = _verify(sample, translate, reader, reporter, counts, is_exact=is_exact)
        if job.stats:
            from mtcli.jobs.stats import to_json

            write = saved.write if saved else write_output
            write(job.stats, to_json(counts))
        if failure:
            if saved:
                saved.give_up()
            raise failure
        if saved:
            saved.finish(job.verify)
    return tally.flagged


def _aligner(job: FileJob, translator: Translator) -> Align | None:
    if not job.alignments:
        return None
    from mtcli.decoding.alignment import Aligner

    return Aligner(translator.backend)


def _statistics(
    job: FileJob, tally: Tally, reader: Reader, translator: Translator, load_seconds: float
) -> dict[str, Any]:
    if not job.stats:
        return {}
    from mtcli.jobs.stats import statistics

    settings, search = way_to_search(translator.model, job.options, translator.options)
    device = translator.backend.record(search)
    return statistics(tally, reader, device, settings, load_seconds)


def _say_totals(tally: Tally, reader: Reader, reporter: Reporter) -> None:
    reporter.say(tally.closing_line())
    if reader.replaced:
        reporter.say(f"{reader.replaced:,} lines held bytes that are not UTF-8; U+FFFD took their place.")


def _verify(
    sample: Sample, translate: Translate, reader: Reader, reporter: Reporter, counts: dict[str, Any], *, is_exact: bool
) -> MtcliError | None:
    """Compare the sample, count it, say what came of it; returns the error to end with.

    Unless `is_exact`, lines are promised up to rounding: a difference is no error, and one of scores alone not told.
    """
    differences = verify_alone(sample, translate)
    counts["verified"] = {"lines": len(sample), "different": len(differences)}
    for difference in differences:
        if is_exact or difference.is_of_text:
            reporter.warn(difference.describe(reader))
    if not differences:
        reporter.say(agreement(len(sample)))
        return None
    if is_exact:
        return disagreement(len(sample), differences)
    reporter.say(agreement_up_to_rounding(len(sample), len(differences)))
    return None
