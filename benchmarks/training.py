"""How fast training is, beside other trainers: python -m benchmarks.training tiny|base.

Each question writes one JSON file, by default benchmarks/results/cpu/training-QUESTION.json; with --seconds whenever
something more is known. Exit codes: 0 it was written; 1 something is missing, or mtcli failed; 2 wrong options.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.contest.contestants import matching
from benchmarks.contest.machine import opening, torch_device
from benchmarks.contest.options import (
    Answer,
    Question,
    clock,
    longest,
    measure,
    parsers,
    positive,
    refuse_without_joeynmt,
    shown_command,
)
from benchmarks.contest.records import Result, Training
from mtcli.bench.host import available_cores

if TYPE_CHECKING:  # --help needs no torch
    from benchmarks.questions.tasks import Task

QUESTIONS = {
    # `window`: updates for one figure of a log
    "tiny": Question(
        "Transformer-Tiny on Multi30k, beside JoeyNMT and PyTorch: target tokens a second",
        5,
        ("mtcli", "joeynmt", "torch", "torch-compiled"),
        {"warm_up": 10, "steps": 40, "window": 10},
    ),
    "base": Question(
        "Transformer-base on random sentences, beside PyTorch and Hugging Face Marian",
        3,
        ("mtcli", "torch", "torch-compiled", "hf"),
        {"warm_up": 2, "steps": 4, "window": 1},
    ),
}
TINY_PIECES = 8000
FLOAT32 = "float32"
SIZES = ("seed", "batch_tokens", "warm_up", "steps")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training", description="Measure training beside other tools."
    )
    for question, one in parsers(parser, QUESTIONS):
        updates, counts = QUESTIONS[question].defaults, tuple(dict.fromkeys((1, available_cores())))
        one.add_argument("--batch-tokens", type=positive, default=4096, help="on the longer side (%(default)s)")
        one.add_argument(
            "--warm-up", type=positive, default=updates["warm_up"], help="updates that do not count (%(default)s)"
        )
        one.add_argument("--steps", type=positive, default=updates["steps"], help="updates that count (%(default)s)")
        one.add_argument("--cores", type=core_counts, default=counts, help="comma-separated (1 and all)")
        if question == "tiny":
            one.add_argument("--limit", type=positive, help="training pairs; all if not given")
        else:
            one.add_argument("--preset", default="base", help="the model's shape (%(default)s)")
            one.add_argument("--vocab-size", type=positive, default=32_000, help="pieces (%(default)s)")
    arguments = parser.parse_args()
    asked = QUESTIONS[arguments.question]
    arguments.contestants = arguments.contestants or asked.offered
    arguments.window = window = asked.defaults["window"]
    if arguments.warm_up % window or arguments.steps % window:
        parser.error(f"It is measured in windows of {window} updates: --warm-up and --steps must be multiples.")
    if arguments.question == "tiny" and arguments.data is None:
        parser.error("tiny trains on Multi30k: name the folder that holds multi30k with --data DIR (make: DATA=DIR)")
    refuse_without_joeynmt(parser, arguments.contestants)
    return arguments


def core_counts(text: str) -> tuple[int, ...]:
    """Read numbers of cores, as far as this process may use so many."""
    counts = tuple(dict.fromkeys(positive(part) for part in text.split(",")))
    if max(counts) > available_cores():
        raise argparse.ArgumentTypeError(f"this process may use {available_cores()}; got {text}")
    return counts


def _run(arguments: argparse.Namespace, folder: Path, save: Callable[[Result], None]) -> Answer:
    from benchmarks.questions.trainers import entries, trainer_of
    from benchmarks.questions.training import TrainingContest, trainers_there

    toy = arguments.question == "base" and arguments.preset == "tiny"
    trainers, versions = trainers_there(arguments.contestants, lambda short: trainer_of(short, toy=toy))
    cores = arguments.cores if arguments.device == "cpu" else (available_cores(),)
    dtypes = {short: [FLOAT32] if short == "joeynmt" else _dtypes(arguments.device) for short in trainers}
    task, sizes = _task(arguments, folder), {name: getattr(arguments, name) for name in SIZES}
    command = shown_command("training", sys.argv[1:])
    head = opening(task.title, command, device=arguments.device, versions=versions)

    def result(now: TrainingContest) -> Training:
        return Training(**head, **sizes, model=now.model(), text=task.corpus.text, rows=now.rows())

    contest = TrainingContest(
        task,
        matching(entries(dtypes, cores), arguments.only),
        trainers,
        folder,
        clock(arguments.seconds),
        longest(arguments.seconds),
        lambda now: save(result(now)),
    )
    contest.contest.rounds(arguments.rounds)
    return result(contest), contest.contest.series


def _dtypes(device: str) -> list[str]:
    """float32 and what mtcli takes here by default; on a GPU the latter alone."""
    import torch

    from mtcli.devices import dtype_name, resolve_dtype

    automatic = dtype_name(resolve_dtype("auto", torch.device(torch_device(device))))
    return list(dict.fromkeys([FLOAT32, automatic])) if device == "cpu" else [automatic]


def _task(arguments: argparse.Namespace, folder: Path) -> "Task":
    """What a question trains."""
    from benchmarks.questions.tasks import Task, multi30k, random_corpus

    sizes: dict[str, Any] = {name: getattr(arguments, name) for name in (*SIZES, "window")}
    sizes["device"] = torch_device(arguments.device)
    if arguments.question == "tiny":
        pieces, limit = TINY_PIECES, arguments.limit
        corpus = multi30k(arguments.data, folder, src="en", tgt="de", vocab_size=pieces, limit=limit)
        return Task(title="Transformer-Tiny training on Multi30k", preset="tiny", corpus=corpus, **sizes)
    preset, pieces = arguments.preset, arguments.vocab_size
    tokens = arguments.batch_tokens * (arguments.warm_up + 2 * arguments.steps)
    corpus = random_corpus(arguments.data, folder, vocab_size=pieces, tokens=tokens, seed=arguments.seed)
    return Task(title=f"Transformer {preset} training on random sentences", preset=preset, corpus=corpus, **sizes)


if __name__ == "__main__":
    measure("training", _arguments, _run)
