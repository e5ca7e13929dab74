"""Where does the time go? On one thread, by PyTorch's profiler, Python's part included.

Operations are grouped by what called them: functions and modules of mtcli run inside a profiler's range while the
profile is taken. A backward operation belongs to the group of the forward operation that it differentiates: both carry
the same sequence number. The rest of an unprofiled run's wall time is Python, and calling the operations. The profiler
makes each operation a little longer, so that rest is rather too small than too large.
"""

import contextlib
import functools
import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from rich.console import Console
from torch import nn
from torch.profiler import ProfilerActivity, profile, record_function

from benchmarks.contest.records import Profiled, Share
from benchmarks.questions.models import Case, model_record
from benchmarks.questions.ours import search_options
from benchmarks.questions.tasks import Task
from mtcli.config import load_config
from mtcli.data.prepare import prepare
from mtcli.decoding.engines import torch as engine
from mtcli.decoding.pool import Decoder as Pool
from mtcli.model import attention
from mtcli.model.dropout import Dropout
from mtcli.model.linear import Linear
from mtcli.model.transformer import Embedding, FeedForward, Transformer
from mtcli.model_directory.loading import load_model
from mtcli.training import loop, step
from mtcli.training.averaging import WeightAverage
from mtcli.training.checkpoint import RunState
from mtcli.training.journal import Journal
from mtcli.training.loop import Trainer

PRODUCTS, PYTHON = "projections and feed-forward", "Python and calls"
ENCODER, OUTPUT, SEARCH = "encoder", "output layer", "search step"
SELF_ATTENTION, CROSS_ATTENTION = "self-attention", "encoder-decoder attention"
DECODING_REST = "norms, residuals, other"
OF_DECODING = (ENCODER, PRODUCTS, SELF_ATTENTION, CROSS_ATTENTION, OUTPUT, SEARCH, DECODING_REST)
ATTENTION, LOSS, EMBEDDING = "attention", "output layer and loss", "embedding"
DROPOUT, NORMS, UPDATE = "dropout and residuals", "norms", "clipping, optimizer, average"
DATA, TRAINING_REST = "batches", "other operations"
OF_TRAINING = (ATTENTION, PRODUCTS, LOSS, EMBEDDING, DROPOUT, NORMS, UPDATE, DATA, TRAINING_REST)

MARK = "group: "
_BACKWARD = "autograd::engine::evaluate_function: "
_PRODUCTS = {"aten::linear", "aten::addmm", "aten::mm", "aten::matmul", "mkldnn::_linear_pointwise"}
_OF_MODULES: tuple[tuple[type[nn.Module], str], ...] = (
    (Linear, PRODUCTS),
    (FeedForward, PRODUCTS),
    (nn.LayerNorm, NORMS),
    (Embedding, EMBEDDING),
    (Dropout, DROPOUT),
)


def profile_decoding(case: Case, rounds: int) -> Iterator[Profiled]:
    """Profile each of a case's searches, so many runs without the profiler beside it.

    Raises:
        CheckpointError: the model is damaged.
    """
    _use_one_thread()
    description = json.loads(case.description.read_text(encoding="utf-8"))
    network = load_model(Path(description["directory"]), torch.device("cpu")).network
    for beam in case.beams:
        # One worker decodes in this thread, the only one that the profiler sees.
        pool = Pool(network, search_options(description, case.work, beam), workers=1)
        decode = functools.partial(pool.decode, case.work.sources, case.work.limits)
        target_tokens = sum(found[0].num_tokens for found in decode())  # warms up
        wall = statistics.median(_seconds(decode) for _ in range(rounds))
        with _ranges(_places_of_decoding(network)), profile(activities=[ProfilerActivity.CPU]) as taken:
            profiled_wall = _seconds(decode)
        seconds = dict.fromkeys(OF_DECODING, 0.0)
        for event in taken.events():
            group = decoding_group(event.name, ancestors(event))
            if group is not None:
                seconds[group] += event.time_range.elapsed_us() / 1e6
        yield Profiled(
            model=case.model,
            text=case.text,
            way="greedy" if beam == 1 else f"beam {beam}",
            target_tokens=target_tokens,
            **_times(wall, profiled_wall, seconds),
        )


def profile_training(task: Task, folder: Path) -> Profiled:
    """Time a task's updates in float32 without the profiler, and as many with it."""
    _use_one_thread()
    trainer = _trainer(task, folder / "profiled")
    ready = trainer.ready_steps()

    def update() -> None:
        trainer.update(next(ready))

    for _ in range(task.warm_up):
        update()
    before = trainer.state.tgt_tokens
    wall = statistics.median(_seconds(update) for _ in range(task.steps))
    target_tokens = (trainer.state.tgt_tokens - before) / task.steps
    places = _places_of_training(trainer.step)
    with _ranges(places, trainer.network), profile(activities=[ProfilerActivity.CPU]) as taken:
        profiled_wall = statistics.median(_seconds(update) for _ in range(task.steps))
    events = sorted(taken.events(), key=lambda event: event.time_range.start)
    groups, seconds = forward_groups(events), dict.fromkeys(OF_TRAINING, 0.0)
    for event in events:
        group = training_group(event, groups)
        if group is not None:
            seconds[group] += event.time_range.elapsed_us() / 1e6 / task.steps
    return Profiled(
        model=model_record(task.preset, trainer.network),
        text=task.corpus.text,
        way="float32",
        batch_tokens=task.batch_tokens,
        target_tokens=target_tokens,
        **_times(wall, profiled_wall, seconds),
    )


def _use_one_thread() -> None:
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _times(wall: float, profiled_wall: float, seconds: dict[str, float]) -> dict[str, Any]:
    seconds = {**seconds, PYTHON: wall - sum(seconds.values())}
    groups = [Share(group=group, seconds=value, share=value / wall) for group, value in seconds.items()]
    return {"wall": wall, "profiled_wall": profiled_wall, "groups": groups}


def _trainer(task: Task, run_dir: Path) -> Trainer:
    """A run at its start, as `mtcli train` sets it up."""
    corpus = task.corpus
    files = {"src": [f"{corpus.train}.src"], "tgt": [f"{corpus.train}.tgt"]}
    valid = {"valid_src": [f"{corpus.valid}.src"], "valid_tgt": [f"{corpus.valid}.tgt"]}
    options = {
        "data": {**files, **valid, "tokenizer": str(corpus.tokenizer)},
        "training": {"batch_tokens": task.batch_tokens, "seed": task.seed, "max_steps": 100 * task.updates},
    }
    config = load_config(task.preset, options=options)
    (run_dir / "cache").mkdir(parents=True)
    journal = Journal(None, Console(stderr=True), quiet=True)
    data = prepare(config, run_dir, journal.say)
    torch.manual_seed(task.seed)
    network = Transformer(config.model, data.tokenizers.sizes)
    device, dtype = torch.device("cpu"), torch.float32
    return Trainer(config, data, network, RunState(data.key, {}), run_dir, journal, device=device, dtype=dtype)


def ancestors(event: Any) -> list[str]:
    """Return names of what a profiler's event happened inside, the innermost first."""
    names = []
    while event.cpu_parent is not None:
        event = event.cpu_parent
        names.append(event.name)
    return names


def decoding_group(name: str, above: Sequence[str]) -> str | None:
    """Return the group of an operation inside these ranges and operations, the innermost first.

    None for a range, and for what another operation called: that one's time holds it.
    """
    if name.startswith(MARK) or not all(one.startswith(MARK) for one in above):
        return None
    groups = [one.removeprefix(MARK) for one in above]
    if ENCODER in groups:
        return ENCODER
    if groups:
        return groups[0]
    return PRODUCTS if name in _PRODUCTS else DECODING_REST


def forward_groups(events: Sequence[Any]) -> dict[int, str]:
    """Return the group of each differentiable operation by its sequence number, from all events in their order.

    Operations that nothing differentiates have the number of the next one that is; that one comes last.
    """
    found: dict[int, str] = {}
    for event in events:
        marks = [name for name in ancestors(event) if name.startswith(MARK)]
        is_backward = any(name.startswith(_BACKWARD) for name in (event.name, *ancestors(event)))
        if event.sequence_nr >= 0 and not is_backward and not event.name.startswith(MARK):
            found[event.sequence_nr] = marks[0].removeprefix(MARK) if marks else TRAINING_REST
    return found


def training_group(event: Any, groups: dict[int, str]) -> str | None:
    """Return the group of an operation; None for a range but that of batches, and for what another operation called,
    whose time holds it."""
    above = ancestors(event)
    if event.name == MARK + DATA:
        return DATA  # numpy's work, which no operation shows
    if event.name.startswith(MARK) or MARK + DATA in above or not all(name.startswith(MARK) for name in above):
        return None
    if event.name.startswith(_BACKWARD):
        return groups.get(event.sequence_nr, TRAINING_REST)
    return above[0].removeprefix(MARK) if above else TRAINING_REST


Places = list[tuple[Any, str, str]]
"""Owner, name and group of functions of mtcli."""


def _places_of_decoding(network: Transformer) -> Places:
    return [
        (network, "encode", ENCODER),
        (network.output, "forward", OUTPUT),
        (attention, "self_attention_decode", SELF_ATTENTION),
        (attention, "cross_attention_decode", CROSS_ATTENTION),
        (engine, "beam_step", SEARCH),
    ]


def _places_of_training(training: step.TrainingStep) -> Places:
    return [
        (attention, "masked_attention", ATTENTION),
        (step, "linear_cross_entropy", LOSS),
        (loop, "make_batch", DATA),
        (training, "_update", UPDATE),
        (WeightAverage, "update", UPDATE),
        (Dropout, "add", DROPOUT),
        *((kind, "forward", group) for kind, group in _OF_MODULES),
    ]


@contextlib.contextmanager
def _ranges(places: Places, trained: Transformer | None = None) -> Iterator[None]:
    """Let mtcli's functions and modules run inside ranges of their groups; the innermost counts."""
    with contextlib.ExitStack() as stack:
        for owner, name, group in places:
            stack.enter_context(mock.patch.object(owner, name, _in_range(getattr(owner, name), group)))
        if trained is not None:
            masks = trained.dropout_masks
            stack.enter_context(mock.patch.object(masks, "of_step", _entered_in_range(masks.of_step, DROPOUT)))
        yield


def _in_range(function: Callable[..., Any], group: str) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapped(*arguments: Any, **keywords: Any) -> Any:
        with record_function(MARK + group):
            return function(*arguments, **keywords)

    return wrapped


def _entered_in_range(manager: Callable[..., Any], group: str) -> Callable[..., Any]:
    """A context manager whose beginning runs inside a range, and what is done within it does not."""

    @contextlib.contextmanager
    def wrapped(*arguments: Any) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            with record_function(MARK + group):
                stack.enter_context(manager(*arguments))
            yield

    return wrapped
