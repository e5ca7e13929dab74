"""Where does the time of decoding go? On one thread, by PyTorch's profiler, Python's part included.

Operations are grouped by what called them: functions and modules of mtcli run inside a profiler's range while the
profile is taken. The rest of an unprofiled run's wall time is Python, and calling the operations.
The profiler makes each operation a little longer, so that rest is rather too small than too large.
"""

import contextlib
import functools
import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from unittest import mock

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.contest.machine import versions
from benchmarks.peers.engine import Work
from benchmarks.questions.decoding.cases import Case, RandomModel, TrainedModel, opened
from benchmarks.questions.decoding.contestants import MTCLI, Entry
from benchmarks.questions.decoding.ours import load_network, search_options
from benchmarks.questions.decoding.records import ProfilePart, ProfileResult, Share
from benchmarks.questions.decoding.session import Plan, head
from benchmarks.questions.ranges import MARK, ancestors, in_range
from mtcli.decoding.engines import torch as engine
from mtcli.decoding.pool import Decoder
from mtcli.model import attention
from mtcli.model.transformer import Transformer

ENCODER, PRODUCTS, OUTPUT = "encoder", "projections and feed-forward", "output layer"
SELF_ATTENTION, CROSS_ATTENTION = "self-attention", "encoder-decoder attention"
SEARCH, OTHER, PYTHON = "search step", "norms, residuals, other", "Python and calls"
GROUPS = (ENCODER, PRODUCTS, SELF_ATTENTION, CROSS_ATTENTION, OUTPUT, SEARCH, OTHER)
_PRODUCTS = {"aten::linear", "aten::addmm", "aten::mm", "aten::matmul", "mkldnn::_linear_pointwise"}


def measure(plan: Plan, models: Sequence[RandomModel | TrainedModel]) -> ProfileResult:
    """Profile the search with each model, `plan.rounds` runs without the profiler beside it.

    Raises:
        MtcliError: a model or a file is missing or damaged.
    """
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    parts = [part for case in opened(models) for part in _profiles(case, plan.rounds)]
    return ProfileResult(**head(plan, "Where the time of decoding goes, on one thread", versions()), parts=parts)


def _profiles(case: Case, rounds: int) -> Iterator[ProfilePart]:
    description = json.loads(case.description.read_text(encoding="utf-8"))
    network = load_network(description)
    for beam in case.beams:
        # One worker decodes in this thread, the only one that the profiler sees.
        decoder = Decoder(network, search_options(description, case.work, beam), workers=1)
        hypotheses = decoder.decode(case.work.sources, case.work.limits)  # warms up
        wall = statistics.median(_seconds(decoder, case.work) for _ in range(rounds))
        profiled_wall, seconds = profiled(network, functools.partial(_seconds, decoder, case.work))
        seconds[PYTHON] = wall - sum(seconds.values())
        yield ProfilePart(
            model=case.model,
            sources=case.sources,
            search=Entry(MTCLI, "float32", beam).search,
            target_tokens=sum(found[0].num_tokens for found in hypotheses),
            wall=wall,
            profiled_wall=profiled_wall,
            groups=[Share(group=group, seconds=value, share=value / wall) for group, value in seconds.items()],
        )


def _seconds(decoder: Decoder, work: Work) -> float:
    start = time.perf_counter()
    decoder.decode(work.sources, work.limits)
    return time.perf_counter() - start


def profiled(network: Transformer, call: Callable[[], float]) -> tuple[float, dict[str, float]]:
    """What a call under the profiler returns, its wall time, and seconds inside PyTorch's operations by group."""
    with _ranges(network), profile(activities=[ProfilerActivity.CPU]) as taken:
        wall = call()
    seconds = dict.fromkeys(GROUPS, 0.0)
    for event in taken.events():
        group = group_of(event.name, ancestors(event))
        if group is not None:
            seconds[group] += event.time_range.elapsed_us() / 1e6
    return wall, seconds


def group_of(name: str, ancestors: Sequence[str]) -> str | None:
    """The group of an operation inside these ranges and operations, the innermost first.

    None for a range, and for what another operation called: that one's time holds it.
    """
    if name.startswith(MARK) or not all(one.startswith(MARK) for one in ancestors):
        return None
    groups = [one.removeprefix(MARK) for one in ancestors]
    if ENCODER in groups:
        return ENCODER
    if groups:
        return groups[0]
    return PRODUCTS if name in _PRODUCTS else OTHER


@contextlib.contextmanager
def _ranges(network: Transformer) -> Iterator[None]:
    """Let mtcli's functions run inside ranges of their groups."""
    places: list[tuple[Any, str, str]] = [
        (network, "encode", ENCODER),
        (network.output, "forward", OUTPUT),
        (attention, "self_attention_decode", SELF_ATTENTION),
        (attention, "cross_attention_decode", CROSS_ATTENTION),
        (engine, "beam_step", SEARCH),
    ]
    with contextlib.ExitStack() as stack:
        for owner, name, group in places:
            stack.enter_context(mock.patch.object(owner, name, in_range(getattr(owner, name), group)))
        yield
