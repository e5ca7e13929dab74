"""How fast training is, beside other trainers: python -m benchmarks.training tiny|base.

Each question writes one JSON file, by default benchmarks/results/cpu/training-QUESTION.json; with --seconds whenever
something more is known. Exit codes: 0 it was written; 1 something is missing, or mtcli failed; 2 wrong options.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.contest.machine import RESULTS, opening, save, torch_device
from benchmarks.contest.options import (
    add_shared,
    clock,
    exits_with_a_sentence,
    longest,
    matching,
    positive,
    refuse_to_end_without_mtcli,
    shown_command,
    some_of,
)
from benchmarks.contest.records import Result, Training
from benchmarks.questions.decoders import MTCLI, PEERS_PYTHON
from mtcli.bench.host import available_cores

if TYPE_CHECKING:  # --help needs no torch
    from benchmarks.questions.tasks import Task

OFFERED = {"tiny": ("mtcli", "joeynmt", "torch", "torch-compiled"), "base": ("mtcli", "torch", "torch-compiled", "hf")}
QUESTIONS = {
    # in words, rounds, batch tokens, updates before and while they count, updates for one figure of a log
    "tiny": ("Transformer-Tiny on Multi30k, beside JoeyNMT and PyTorch: target tokens a second", 5, 4096, 10, 40, 10),
    "base": ("Transformer-base on random sentences, beside PyTorch and Hugging Face Marian", 3, 4096, 2, 4, 1),
}
TINY_PIECES = 8000
FLOAT32 = "float32"


def main() -> None:
    arguments = _arguments()
    from mtcli.devices import resolve_device
    from mtcli.processors import share_processors

    share_processors()  # as mtcli's command line does; here for the peers too
    resolve_device(torch_device(arguments.device))  # which says what is missing
    arguments.out = arguments.out or RESULTS / "cpu" / f"training-{arguments.question}.json"
    with tempfile.TemporaryDirectory() as folder:
        save(_contest(arguments, Path(folder)), arguments.out)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training", description="Measure training beside other tools."
    )
    questions = parser.add_subparsers(dest="question", required=True, metavar="QUESTION")
    for question, (words, rounds, batch_tokens, warm_up, steps, _) in QUESTIONS.items():
        one = questions.add_parser(question, help=words, description=words + ".")
        add_shared(one, rounds=rounds)
        one.add_argument("--batch-tokens", type=positive, default=batch_tokens, help="on the longer side (%(default)s)")
        one.add_argument("--warm-up", type=positive, default=warm_up, help="updates that do not count (%(default)s)")
        one.add_argument("--steps", type=positive, default=steps, help="updates that count (%(default)s)")
        if question == "tiny":
            one.add_argument("--limit", type=positive, help="training pairs; all if not given")
        if question == "base":
            one.add_argument("--preset", default="base", help="the model's shape (%(default)s)")
            one.add_argument("--vocab-size", type=positive, default=32_000, help="pieces (%(default)s)")
        offered, counts = OFFERED[question], tuple(dict.fromkeys((1, available_cores())))
        choice = some_of(offered, always=MTCLI)
        one.add_argument("--contestants", type=choice, default=offered, help=f"of {', '.join(offered)} (all)")
        one.add_argument("--cores", type=core_counts, default=counts, help="comma-separated (1 and all)")
    arguments = parser.parse_args()
    _check(parser, arguments)
    return arguments


def _check(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    window = QUESTIONS[arguments.question][-1]
    if arguments.warm_up % window or arguments.steps % window:
        parser.error(f"It is measured in windows of {window} updates: --warm-up and --steps must be multiples.")
    if arguments.question != "tiny":
        return
    if arguments.data is None:
        parser.error("tiny trains on Multi30k: name the folder that holds multi30k with --data DIR (make: DATA=DIR)")
    if "joeynmt" in arguments.contestants and not PEERS_PYTHON.exists():
        others = ",".join(name for name in arguments.contestants if name != "joeynmt")
        parser.error(f"{PEERS_PYTHON} does not exist: run `make peers`, or leave JoeyNMT out: --contestants {others}")


def core_counts(text: str) -> tuple[int, ...]:
    """Read numbers of cores, as far as this process may use so many."""
    counts = tuple(dict.fromkeys(positive(part) for part in text.split(",")))
    if max(counts) > available_cores():
        raise argparse.ArgumentTypeError(f"this process may use {available_cores()}; got {text}")
    return counts


def _contest(arguments: argparse.Namespace, folder: Path) -> Result:
    from benchmarks.questions.trainers import entries, trainer_of
    from benchmarks.questions.training import TrainingContest, trainers_there

    toy = arguments.question == "base" and arguments.preset == "tiny"
    trainers, versions = trainers_there(arguments.contestants, lambda short: trainer_of(short, toy=toy))
    cores = arguments.cores if arguments.device == "cpu" else (available_cores(),)
    dtypes = {short: [FLOAT32] if short == "joeynmt" else _dtypes(arguments.device) for short in trainers}
    contest = TrainingContest(
        _task(arguments, folder),
        matching(entries(dtypes, cores), arguments.only),
        trainers,
        folder,
        clock(arguments.seconds),
        longest(arguments.seconds),
        lambda contest: save(result(contest), arguments.out, quiet=True) if arguments.seconds else None,
    )
    command = shown_command("training", sys.argv[1:])
    head = opening(contest.task.title, command, device=arguments.device, versions=versions)

    def result(contest: TrainingContest) -> Training:
        sizes = {name: getattr(arguments, name) for name in ("seed", "batch_tokens", "warm_up", "steps")}
        return Training(**head, **sizes, model=contest.model(), text=contest.task.corpus.text, rows=contest.rows())

    contest.contest.rounds(arguments.rounds)
    refuse_to_end_without_mtcli(contest.contest.series)
    return result(contest)


def _dtypes(device: str) -> list[str]:
    """float32 and what mtcli takes here by default; on a GPU the latter alone."""
    import torch

    from mtcli.devices import dtype_name, resolve_dtype

    automatic = dtype_name(resolve_dtype("auto", torch.device(torch_device(device))))
    return list(dict.fromkeys([FLOAT32, automatic])) if device == "cpu" else [automatic]


def _task(arguments: argparse.Namespace, folder: Path) -> "Task":
    """What a question trains."""
    from benchmarks.questions.tasks import Task, multi30k, random_corpus

    sizes: dict[str, Any] = {name: getattr(arguments, name) for name in ("batch_tokens", "warm_up", "steps", "seed")}
    sizes |= {"window": QUESTIONS[arguments.question][-1], "device": torch_device(arguments.device)}
    if arguments.question == "tiny":
        pieces, limit = TINY_PIECES, arguments.limit
        corpus = multi30k(arguments.data, folder, src="en", tgt="de", vocab_size=pieces, limit=limit)
        return Task(title="Transformer-Tiny training on Multi30k", preset="tiny", corpus=corpus, **sizes)
    preset, pieces = arguments.preset, arguments.vocab_size
    tokens = arguments.batch_tokens * (arguments.warm_up + 2 * arguments.steps)
    corpus = random_corpus(arguments.data, folder, vocab_size=pieces, tokens=tokens, seed=arguments.seed)
    return Task(title=f"Transformer {preset} training on random sentences", preset=preset, corpus=corpus, **sizes)


if __name__ == "__main__":
    exits_with_a_sentence(main)
