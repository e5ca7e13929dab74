"""What the questions share: how they are asked, the contestants at work, and the head of a results file."""

import contextlib
import os
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.contest.machine import joined_versions, opening
from benchmarks.contest.rounds import Series
from benchmarks.gpu.results import write
from benchmarks.peers.engine import WARM_UP_TOGETHER
from benchmarks.questions.decoding.agreement import check
from benchmarks.questions.decoding.contestants import MTCLI, Entry, Offer, entries, matching
from benchmarks.questions.decoding.records import Agreement, Measured, Row
from benchmarks.questions.decoding.workers import Worker
from mtcli.bench.host import available_cores

if TYPE_CHECKING:  # it loads torch, which must find the plan's environment
    from benchmarks.questions.decoding.cases import Case

# Of forced outputs, for one figure of a slow contestant, and before its clock starts.
FIRST_OF_SLOW, WARM_UP_OF_SLOW = 64, 8


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a question is asked.

    Attributes:
        contestants: who takes part, mtcli among them.
        pythons: each one's interpreter.
        rounds: how often each is measured.
        only: patterns of the entries' names; empty for all.
        all_settings: every round runs all settings, not only the best of each kind.
        environment: variables for all processes, peer_environment: for the peers alone.
        seed: of everything random.
        command: as results files show it.
    """

    contestants: tuple[str, ...]
    pythons: Mapping[str, str]
    rounds: int
    only: tuple[str, ...]
    all_settings: bool
    environment: Mapping[str, str]
    peer_environment: Mapping[str, str]
    seed: int
    command: str


@contextlib.contextmanager
def started(plan: Plan) -> Iterator[dict[str, Worker]]:
    """The contestants' processes, until the block ends."""
    with contextlib.ExitStack() as stack:
        workers = {}
        for name in plan.contestants:
            variables = plan.environment if name == MTCLI else {**plan.environment, **plan.peer_environment}
            workers[name] = Worker(name, plan.pythons[name], variables)
            stack.callback(workers[name].close)
        yield workers


def begin(
    workers: Mapping[str, Worker], plan: Plan, case: "Case", **offer: bool
) -> tuple[list[Entry], list[Agreement]]:
    """Load a model everywhere and check that it is the same: what there is to measure, and how well they agree.

    A contestant that cannot hold the model takes no part, and stderr says why.
    """
    taking_part = {}
    for name, worker in workers.items():
        if refusal := worker.ask("refusal", description=str(case.description)):
            print(f"{name} takes no part with {case.model.name}: {refusal}", file=sys.stderr)
        else:
            worker.load(case.description, available_cores(), case.work)
            taking_part[name] = worker
    dtypes = {name: worker.facts["dtypes"] for name, worker in taking_part.items()}
    few = FIRST_OF_SLOW if case.work.forced and len(case.work.sources) > FIRST_OF_SLOW else None
    found = entries(Offer(cores=available_cores(), dtypes=dtypes, first_of_slow=few, **offer), case.beams)
    agreement = check(taking_part, found, case.work)
    return matching(found, plan.only), agreement


def head(plan: Plan, title: str, versions: Mapping[str, str]) -> dict[str, Any]:
    """What every results file begins with."""
    return {
        **opening(title, plan.command, versions),
        "environment": dict(plan.environment),
        "peer_environment": dict(plan.peer_environment),
        "seed": plan.seed,
    }


def versions_of(workers: Mapping[str, Worker]) -> dict[str, str]:
    """mtcli's versions, and those that the peers add or have of their own, named after them."""
    return joined_versions({name: worker.facts["versions"] for name, worker in workers.items()})


def decode_rate(workers: Mapping[str, Worker], entry: Entry) -> tuple[float, dict[str, Any]]:
    """Decode all that an entry is to: target tokens a second, and the answer (`peers.engine.Contestant.decode`)."""
    warm_up = WARM_UP_TOGETHER if entry.first is None else WARM_UP_OF_SLOW
    answer = workers[entry.contestant].run("decode", entry, first=entry.first, warm_up=warm_up)
    return answer["num_tokens"] / answer["seconds"], answer


def row(entry: Entry) -> dict[str, Any]:
    """The part of a row that says who and how."""
    return Row(
        contestant=entry.contestant,
        dtype=entry.dtype,
        search=entry.search,
        way=entry.way,
        settings=entry.settings,
        first=entry.first,
    ).model_dump()


def reference_of(series: Sequence[Series[Entry]], beam: int) -> Series[Entry]:
    """The series that ratios of this beam are to."""
    return next(one for one in series if one.entry.is_reference and one.entry.beam == beam)


def rate(series: Series[Entry], reference: Series[Entry]) -> dict[str, Any]:
    """The part of a row that says how fast."""
    taken = series.taken
    return {
        **row(series.entry),
        "rounds": list(series.figures),
        "median": statistics.median(taken),
        "min": min(taken),
        "max": max(taken),
        "ratio": series.ratio(reference),
    }


def save(result: Measured, path: Path) -> None:
    """Write a results file, and say so."""
    write(path, result.model_dump())
    print(f"wrote {path}; now run: python -m benchmarks.report", file=sys.stderr)


def limit_cores(cores: int) -> None:
    """Use so many of the cores that this process may use; the processes that it starts use the same.

    Exits where there are fewer, or where the system cannot do it.
    """
    if cores == available_cores():
        return
    if sys.platform != "linux":
        sys.exit(f"--cores {cores}: processes can be bound to cores on Linux alone; leave it out.")
    allowed = sorted(os.sched_getaffinity(0))
    if cores > len(allowed):
        sys.exit(f"--cores {cores}: this process may use {len(allowed)}. Give at most so many.")
    os.sched_setaffinity(0, allowed[:cores])
