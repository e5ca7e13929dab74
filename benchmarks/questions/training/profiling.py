"""Where does the time of an update go? On one thread, by PyTorch's profiler, Python's part included.

Operations are grouped by what called them: mtcli's functions and modules run inside a profiler's range while the
profile is taken. A backward operation belongs to the group of the forward operation that it differentiates: both
carry the same sequence number. The rest of an unprofiled update's wall time is Python, and calling the operations.
The profiler makes each operation a little longer, so that rest is rather too small than too large.
"""

import contextlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from rich.console import Console
from torch import nn
from torch.profiler import ProfilerActivity, profile, record_function

from benchmarks.contest.machine import versions
from benchmarks.questions.decoding.records import Model, Share
from benchmarks.questions.ranges import MARK, ancestors, in_range
from benchmarks.questions.training.base import RandomModel
from benchmarks.questions.training.contest import Plan, head, shape
from benchmarks.questions.training.corpora import multi30k
from benchmarks.questions.training.records import Corpus, ProfilePart, ProfileResult
from benchmarks.questions.training.tasks import Task
from benchmarks.questions.training.tiny import PRESET, VOCAB_SIZE
from mtcli.config import load_config
from mtcli.data.prepare import prepare
from mtcli.model import attention
from mtcli.model.dropout import Dropout
from mtcli.model.linear import Linear
from mtcli.model.transformer import Embedding, FeedForward, Transformer
from mtcli.training import loop, step
from mtcli.training.averaging import WeightAverage
from mtcli.training.checkpoint import RunState
from mtcli.training.journal import Journal
from mtcli.training.loop import Trainer

ATTENTION, PRODUCTS, LOSS = "attention", "projections and feed-forward", "output layer and loss"
EMBEDDING, DROPOUT, NORMS = "embedding", "dropout and residuals", "norms"
UPDATE, DATA, OTHER, PYTHON = "clipping, optimizer, average", "batches", "other operations", "Python and calls"
GROUPS = (ATTENTION, PRODUCTS, LOSS, EMBEDDING, DROPOUT, NORMS, UPDATE, DATA, OTHER)
_BACKWARD = "autograd::engine::evaluate_function: "


def measure_profile(plan: Plan, data: Path | None, *, batch_tokens: int, warm_up: int, steps: int) -> ProfileResult:
    """Profile updates of the presets tiny, where `data` holds multi30k, and base.

    Raises:
        MtcliError: `data` holds no multi30k.
        ContestantError: mtcli cannot learn the pieces.
    """
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    parts = []
    for preset in ("tiny", "base") if data else ("base",):
        with tempfile.TemporaryDirectory() as folder:
            if preset == PRESET and data is not None:
                corpus = multi30k(data, Path(folder), src="en", tgt="de", vocab_size=VOCAB_SIZE)
            else:
                model = RandomModel(preset=preset, vocab_size=32000, data=None)
                corpus = model.corpus(Path(folder), batch_tokens * (warm_up + 2 * steps), plan.seed)
            task = Task(
                preset=preset,
                corpus=corpus,
                batch_tokens=batch_tokens,
                warm_up=warm_up,
                steps=steps,
                window=1,
                seed=plan.seed,
            )
            parts.append(profile_of(task, Path(folder)))
    title = "Where the time of training goes, on one thread"
    return ProfileResult(**head(plan, title, versions()), parts=parts)


def profile_of(task: Task, folder: Path) -> ProfilePart:
    """Time so many updates in float32 without the profiler, and as many with it."""
    trainer = _trainer(task, folder / "profiled")
    ready = trainer.ready_steps()

    def update() -> float:
        start = time.perf_counter()
        trainer.update(next(ready))
        return time.perf_counter() - start

    for _ in range(task.warm_up):
        update()
    before = trainer.state.tgt_tokens
    wall = statistics.median(update() for _ in range(task.steps))
    target_tokens = (trainer.state.tgt_tokens - before) / task.steps
    profiled_wall, seconds = profiled(trainer.network, trainer.step, update, task.steps)
    seconds[PYTHON] = wall - sum(seconds.values())
    return ProfilePart(
        model=Model(**shape(task, trainer.network.num_parameters())),
        corpus=Corpus(**task.corpus.record()),
        dtype="float32",
        batch_tokens=task.batch_tokens,
        updates=task.steps,
        target_tokens=target_tokens,
        wall=wall,
        profiled_wall=profiled_wall,
        groups=[Share(group=group, seconds=value, share=value / wall) for group, value in seconds.items()],
    )


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


def profiled(
    network: Transformer, training: step.TrainingStep, update: Callable[[], float], count: int
) -> tuple[float, dict[str, float]]:
    """Median seconds that so many updates took under the profiler, and their mean seconds inside PyTorch by group."""
    with _ranges(network, training), profile(activities=[ProfilerActivity.CPU]) as taken:
        wall = statistics.median(update() for _ in range(count))
    events = sorted(taken.events(), key=lambda event: event.time_range.start)
    groups = forward_groups(events)
    seconds = dict.fromkeys(GROUPS, 0.0)
    for event in events:
        group = group_of(event, groups)
        if group is not None:
            seconds[group] += event.time_range.elapsed_us() / 1e6 / count
    return wall, seconds


def forward_groups(events: Sequence[Any]) -> dict[int, str]:
    """The group of each differentiable operation by its sequence number, from all events in their order.

    Operations that nothing differentiates have the number of the next one that is; that one comes last.
    """
    found: dict[int, str] = {}
    for event in events:
        marks = [name for name in ancestors(event) if name.startswith(MARK)]
        is_backward = any(name.startswith(_BACKWARD) for name in (event.name, *ancestors(event)))
        if event.sequence_nr >= 0 and not is_backward and not event.name.startswith(MARK):
            found[event.sequence_nr] = marks[0].removeprefix(MARK) if marks else OTHER
    return found


def group_of(event: Any, groups: dict[int, str]) -> str | None:
    """The group of an operation; None for a range but that of batches, and for what another operation called, whose
    time holds it."""
    above = ancestors(event)
    if event.name == MARK + DATA:
        return DATA  # numpy's work, which no operation shows
    if event.name.startswith(MARK) or MARK + DATA in above or not all(name.startswith(MARK) for name in above):
        return None
    if event.name.startswith(_BACKWARD):
        return groups.get(event.sequence_nr, OTHER)
    return above[0].removeprefix(MARK) if above else OTHER


@contextlib.contextmanager
def _ranges(network: Transformer, training: step.TrainingStep) -> Iterator[None]:
    """Let mtcli's functions and modules run inside ranges of their groups; the innermost counts."""
    places: list[tuple[Any, str, str]] = [
        (attention, "masked_attention", ATTENTION),
        (step, "linear_cross_entropy", LOSS),
        (loop, "make_batch", DATA),
        (training, "_update", UPDATE),
        (WeightAverage, "update", UPDATE),
        (Dropout, "add", DROPOUT),
        *((kind, "forward", group) for kind, group in _OF_MODULES),
    ]
    with contextlib.ExitStack() as stack:
        for owner, name, group in places:
            stack.enter_context(mock.patch.object(owner, name, in_range(getattr(owner, name), group)))
        masks = network.dropout_masks
        stack.enter_context(mock.patch.object(masks, "of_step", _entered_in_range(masks.of_step, DROPOUT)))
        yield


_OF_MODULES: tuple[tuple[type[nn.Module], str], ...] = (
    (Linear, PRODUCTS),
    (FeedForward, PRODUCTS),
    (nn.LayerNorm, NORMS),
    (Embedding, EMBEDDING),
    (Dropout, DROPOUT),
)


def _entered_in_range(manager: Callable[..., Any], group: str) -> Callable[..., Any]:
    """A context manager whose beginning runs inside a range, and what is done within it does not."""

    @contextlib.contextmanager
    def wrapped(*arguments: Any) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            with record_function(MARK + group):
                stack.enter_context(manager(*arguments))
            yield

    return wrapped
