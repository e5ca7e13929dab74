"""The command line: python -m training tiny|base|profile, with this folder's parent on the path.

Each question writes one JSON file, by default benchmarks/results/cpu/training-QUESTION.json.
Exit codes: 0 it was written; 1 something is missing, or mtcli failed; 2 wrong options.
"""

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.contest.answering import ContestantError
from benchmarks.contest.processes import ROOT
from benchmarks.decoding import positive
from benchmarks.gpu.results import write
from benchmarks.questions.training.contest import Contestant, Plan
from benchmarks.questions.training.entries import COMPILED, JOEYNMT, MARIAN, MTCLI, STOCK
from mtcli.bench.host import available_cores
from mtcli.errors import MtcliError
from mtcli.processors import share_processors

OUT = ROOT / "benchmarks" / "results" / "cpu"
SHORT_NAMES = {"mtcli": MTCLI, "joeynmt": JOEYNMT, "torch": STOCK, "torch-compiled": COMPILED, "hf": MARIAN}
OFFERED = {"tiny": ("mtcli", "joeynmt", "torch", "torch-compiled"), "base": ("mtcli", "torch", "torch-compiled", "hf")}
# Those that mtcli's own Python lacks, by question: one each.
PEERS = {"tiny": "joeynmt", "base": "hf"}
PYTHONS = {"tiny": ROOT / ".venv-peers-joeynmt" / "bin" / "python", "base": ROOT / ".venv-peers" / "bin" / "python"}
HIDDEN = ("--peers", "--out")


def main() -> None:
    arguments = _arguments()
    share_processors()  # as mtcli's command line does; here for the peers too
    plan = Plan(
        rounds=arguments.rounds,
        seconds=arguments.seconds,
        seed=arguments.seed,
        command=shown_command(sys.argv[1:]),
    )
    try:
        result = _QUESTIONS[arguments.question](plan, arguments)
    except (MtcliError, ContestantError, ValueError) as error:
        sys.exit(str(error))
    path = arguments.out or OUT / f"training-{arguments.question}.json"
    write(path, result.model_dump())
    print(f"wrote {path}; now run: python -m benchmarks.report", file=sys.stderr)


def _tiny(plan: Plan, arguments: argparse.Namespace) -> Any:
    from benchmarks.questions.training.tiny import measure_tiny, tiny_entries

    found = tiny_entries(number_types(), arguments.cores, arguments.contestants, arguments.only)
    return measure_tiny(
        plan, _contestants(arguments), found, data=arguments.data, limit=arguments.limit, **_sizes(arguments)
    )


def _base(plan: Plan, arguments: argparse.Namespace) -> Any:
    from benchmarks.questions.training.base import RandomModel, base_entries, measure_base

    found = base_entries(number_types(), arguments.cores, arguments.contestants, arguments.only)
    model = RandomModel(preset=arguments.preset, vocab_size=arguments.vocab_size, data=arguments.data)
    return measure_base(plan, _contestants(arguments), found, model, **_sizes(arguments))


def _profile(plan: Plan, arguments: argparse.Namespace) -> Any:
    from benchmarks.questions.training.profiling import measure_profile

    return measure_profile(plan, arguments.data, **_sizes(arguments))


_QUESTIONS: dict[str, Callable[[Plan, argparse.Namespace], Any]] = {"tiny": _tiny, "base": _base, "profile": _profile}


def _sizes(arguments: argparse.Namespace) -> dict[str, int]:
    return {name: getattr(arguments, name) for name in ("batch_tokens", "warm_up", "steps")}


def number_types() -> list[str]:
    """float32, and what mtcli takes here by default where that is another."""
    import torch

    from mtcli.devices import dtype_name, resolve_dtype

    return list(dict.fromkeys(["float32", dtype_name(resolve_dtype("auto", torch.device("cpu")))]))


def _contestants(arguments: argparse.Namespace) -> dict[str, Contestant]:
    from benchmarks.questions.training.joeynmt import JoeyNmt
    from benchmarks.questions.training.ours import Mtcli
    from benchmarks.questions.training.plain import PlainLoop

    made: dict[str, Callable[[], Contestant]] = {
        MTCLI: Mtcli,
        JOEYNMT: lambda: JoeyNmt(arguments.peers),
        STOCK: lambda: PlainLoop(module="benchmarks.peers.stock"),
        # Inductor's own random numbers for dropout are slower on a CPU than PyTorch's.
        COMPILED: lambda: PlainLoop(
            module="benchmarks.peers.stock", backend="inductor", options={"fallback_random": True}
        ),
        MARIAN: lambda: PlainLoop(
            module="benchmarks.peers.marian_training", python=arguments.peers, packages=("transformers", "torch")
        ),
    }
    return {name: made[name]() for name in arguments.contestants}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training", description="Measure training beside other tools."
    )
    questions = parser.add_subparsers(dest="question", required=True, metavar="QUESTION")
    described = {
        # rounds, batch tokens, updates before and while they count
        "tiny": ("Transformer-Tiny on Multi30k, beside JoeyNMT and PyTorch: target tokens a second", 5, 4096, 10, 40),
        "base": ("Transformer-base on random sentences, beside PyTorch and Hugging Face Marian", 3, 4096, 2, 4),
        "profile": ("where an update's time goes, on one thread", 1, 4096, 2, 4),
    }
    for question, (words, rounds, batch_tokens, warm_up, steps) in described.items():
        one = questions.add_parser(question, help=words, description=words + ".")
        one.add_argument("--rounds", type=positive, default=rounds, help="how often each is measured (%(default)s)")
        one.add_argument("--batch-tokens", type=positive, default=batch_tokens, help="on the longer side (%(default)s)")
        one.add_argument("--warm-up", type=positive, default=warm_up, help="updates that do not count (%(default)s)")
        one.add_argument("--steps", type=positive, default=steps, help="updates that count (%(default)s)")
        one.add_argument("--seed", type=int, default=1)
        one.add_argument("--out", type=Path, help=f"the JSON file; benchmarks/results/cpu/training-{question}.json")
        _add_data(one, question)
        if question in OFFERED:
            _add_contest(one, question)
    arguments = parser.parse_args()
    _check(parser, arguments)
    return arguments


def _add_data(parser: argparse.ArgumentParser, question: str) -> None:
    words = {
        "tiny": "folder that holds multi30k",
        "base": "folder that holds newstest2014; random lengths like its if not given",
        "profile": "folder that holds multi30k, for the tiny model; it is left out if not given",
    }
    parser.add_argument("--data", type=Path, help=words[question])
    if question == "tiny":
        parser.add_argument("--limit", type=positive, help="training pairs; all if not given")
    if question == "base":
        parser.add_argument("--preset", default="base", help="the model's shape (%(default)s)")
        parser.add_argument("--vocab-size", type=positive, default=32000, help="pieces (%(default)s)")


def _add_contest(parser: argparse.ArgumentParser, question: str) -> None:
    offered, peer = OFFERED[question], SHORT_NAMES[PEERS[question]]
    parser.add_argument(
        "--contestants",
        type=lambda text: contestants(text, offered),
        default=tuple(SHORT_NAMES[name] for name in offered),
        help=f"of {', '.join(offered)}; comma-separated (all)",
    )
    parser.add_argument("--peers", type=Path, default=PYTHONS[question], help=f"the Python that has {peer}")
    parser.add_argument("--only", action="append", default=[], help="pattern of names, as '*2 cores*'; may be repeated")
    parser.add_argument("--seconds", type=float, default=1800.0, help="that one figure may take (%(default)s)")
    parser.add_argument(
        "--cores",
        type=core_counts,
        default=tuple(dict.fromkeys((1, available_cores()))),
        help="numbers of cores to measure with, comma-separated (1 and all)",
    )


def _check(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    if arguments.question not in OFFERED:
        arguments.seconds = 0.0
        return
    # Made absolute, not resolved: an interpreter of a venv is a link.
    arguments.peers = arguments.peers.absolute()
    peer = PEERS[arguments.question]
    if SHORT_NAMES[peer] in arguments.contestants and not arguments.peers.exists():
        others = ",".join(name for name in OFFERED[arguments.question] if name != peer)
        parser.error(
            f"{arguments.peers} does not exist: run `make peers-training`, or leave {SHORT_NAMES[peer]} out: "
            f"--contestants {others}"
        )
    if arguments.question == "tiny":
        from benchmarks.questions.training.tiny import WINDOW

        if arguments.data is None:
            parser.error(
                "tiny trains on Multi30k: name the folder that holds multi30k with --data DIR (make: DATA=DIR)"
            )
        if arguments.warm_up % WINDOW or arguments.steps % WINDOW:
            parser.error(f"tiny is measured in windows of {WINDOW} updates: --warm-up and --steps must be multiples.")


def contestants(text: str, offered: Sequence[str]) -> tuple[str, ...]:
    """Full names of those asked for, in the order offered."""
    names = set(text.split(","))
    if unknown := names - set(offered):
        raise argparse.ArgumentTypeError(f"expected some of {', '.join(offered)}; got {', '.join(sorted(unknown))}")
    if "mtcli" not in names:
        raise argparse.ArgumentTypeError("expected mtcli among them: the ratios are to it")
    return tuple(SHORT_NAMES[name] for name in offered if name in names)


def core_counts(text: str) -> tuple[int, ...]:
    """Numbers of cores, as far as this process may use so many."""
    counts = tuple(dict.fromkeys(positive(part) for part in text.split(",")))
    if max(counts) > available_cores():
        raise argparse.ArgumentTypeError(f"this process may use {available_cores()}; got {text}")
    return counts


def shown_command(words: Sequence[str]) -> str:
    """The command line without where things lie on this machine."""
    shown = ["python", "-m", "benchmarks.training"]
    split = [part for word in words for part in (word.split("=", 1) if word.startswith("--") else [word])]
    for before, word in pairwise(["", *split]):
        if word in HIDDEN or before in HIDDEN:
            continue
        shown.append("DATA" if before == "--data" else word)
    return shlex.join(shown)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
