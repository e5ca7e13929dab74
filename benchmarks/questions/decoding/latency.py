"""How long does one sentence take? Each is decoded in a call of its own, one after the other."""

from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.contest.rounds import Series, run_rounds
from benchmarks.questions.decoding.cases import Case, RandomModel, TrainedModel, opened
from benchmarks.questions.decoding.contestants import Entry
from benchmarks.questions.decoding.records import Latency, LatencyPart, LatencyResult, Percentiles
from benchmarks.questions.decoding.session import Plan, begin, head, reference_of, row, started, versions_of
from benchmarks.questions.decoding.workers import Worker


def measure(plan: Plan, models: Sequence[RandomModel | TrainedModel]) -> LatencyResult:
    """Time every contestant and setting with each model.

    Raises:
        MtcliError: a model or a file is missing or damaged.
    """
    with started(plan) as workers:
        parts = [_time(workers, plan, case) for case in opened(models)]
        versions = versions_of(workers)
    return LatencyResult(**head(plan, "One sentence at a time", versions), parts=parts)


def _time(workers: Mapping[str, Worker], plan: Plan, case: Case) -> LatencyPart:
    entries, agreement = begin(workers, plan, case, batches=False, lines=bool(case.work.lines))
    taken: dict[str, list[Percentiles]] = {entry.name: [] for entry in entries}

    def middle(entry: Entry) -> float:
        found = percentiles(workers[entry.contestant].run("one_by_one", entry, first=entry.first)["seconds"])
        taken[entry.name].append(found)
        return found.p50

    series = run_rounds(entries, middle, plan.rounds, better=min, all_settings=plan.all_settings)
    return LatencyPart(
        model=case.model,
        sources=case.sources,
        target_tokens=case.work.limits[0] if case.work.forced else None,
        agreement=agreement,
        rows=[latency(one, reference_of(series, one.entry.beam), taken[one.entry.name]) for one in series],
    )


def percentiles(seconds: Sequence[float]) -> Percentiles:
    """Of times in seconds, in milliseconds."""
    p50, p95 = np.percentile(seconds, [50, 95]) * 1e3
    return Percentiles(p50=float(p50), p95=float(p95), mean=float(np.mean(seconds)) * 1e3)


def latency(series: Series[Entry], reference: Series[Entry], taken: Sequence[Percentiles]) -> Latency:
    """A row of the results; `taken` are those of the rounds that it ran in."""
    remaining = iter(taken)
    p50, p95, mean = (float(np.median([getattr(one, name) for one in taken])) for name in Percentiles.model_fields)
    return Latency(
        **row(series.entry),
        rounds=[None if figure is None else next(remaining) for figure in series.figures],
        median=Percentiles(p50=p50, p95=p95, mean=mean),
        ratio=series.ratio(reference),
    )
