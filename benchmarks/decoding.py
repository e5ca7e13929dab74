"""The command line: python -m decoding base|imported|trained|latency|profile, with this folder's parent on the path.

Each question writes one JSON file, by default benchmarks/results/cpu/decoding-QUESTION.json.
Exit codes: 0 it was written; 1 something is missing or the contestants do not agree; 2 wrong options.
"""

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from benchmarks.questions.decoding.contestants import COMPILED, CTRANSLATE2, JOEYNMT, MARIAN, MTCLI, NAMES, STOCK
from benchmarks.questions.decoding.records import Measured
from benchmarks.questions.decoding.session import Plan, limit_cores, save
from benchmarks.questions.decoding.workers import ISA_VARIABLES, ROOT
from mtcli.bench.host import available_cores
from mtcli.errors import MtcliError
from mtcli.processors import share_processors

SHORT_NAMES = dict(zip(("mtcli", "ct2", "hf", "joeynmt", "torch", "torch-compiled"), NAMES, strict=True))
OUT = ROOT / "benchmarks" / "results" / "cpu"
PEERS = ROOT / ".venv-peers" / "bin" / "python"
JOEYNMT_PYTHON = ROOT / ".venv-peers-joeynmt" / "bin" / "python"


def main() -> None:
    arguments = _arguments()
    share_processors()  # as mtcli's command line does; here for the peers too
    limit_cores(arguments.cores)
    plan = Plan(
        contestants=arguments.contestants,
        pythons={name: str(python) for name, python in _pythons(arguments).items()},
        rounds=arguments.rounds,
        only=tuple(arguments.only),
        all_settings=arguments.all_settings,
        environment=ISA_VARIABLES[arguments.isa] if arguments.isa else {},
        peer_environment=dict(arguments.peer_env),
        seed=arguments.seed,
        command=shown_command(sys.argv[1:]),
    )
    os.environ.update(plan.environment)  # before torch is loaded
    try:
        result = _measure(arguments, plan)
    except MtcliError as error:
        sys.exit(str(error))
    save(result, arguments.out or OUT / f"decoding-{arguments.question}.json")


def _measure(arguments: argparse.Namespace, plan: Plan) -> Measured:
    from benchmarks.questions.decoding import base, latency, profiling, trained
    from benchmarks.questions.decoding.cases import ImportedModel, RandomModel, TrainedModel
    from benchmarks.questions.decoding.opus_like import OpusLike

    if arguments.question == "imported":
        size = OpusLike(pieces=arguments.vocab_size)
        asked = {name: getattr(arguments, name) for name in ("data", "limit", "beam", "seed")}
        return base.measure(plan, ImportedModel(size=size, **asked))
    models: list[RandomModel | TrainedModel] = []
    if arguments.question != "trained":
        names = ("preset", "vocab_size", "data", "limit", "beam", "seed")
        models.append(RandomModel(**{name: getattr(arguments, name) for name in names}))
    if arguments.question != "base" and arguments.model:
        files = {"directory": arguments.model, "src": arguments.src}
        models.append(TrainedModel(**files, limit=arguments.limit, beam=arguments.trained_beam))
    match arguments.question, models:
        case "base", [RandomModel() as model]:
            return base.measure(plan, model)
        case "trained", [TrainedModel() as model]:
            return trained.measure(plan, model, arguments.ref)
        case "latency", _:
            return latency.measure(plan, models)
        case _:
            return profiling.measure(plan, models)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.decoding", description="Measure decoding beside other decoders."
    )
    questions = parser.add_subparsers(dest="question", required=True, metavar="QUESTION")
    described = {
        "base": ("a preset with random weights and forced lengths: target tokens a second", 300, 5),
        "imported": (
            "a Marian model with random weights, imported, and forced lengths: target tokens a second",
            300,
            5,
        ),
        "trained": ("a trained model on a test set: target tokens a second, and BLEU", None, 5),
        "latency": ("one sentence at a time: milliseconds", 100, 5),
        "profile": ("where a decoding step's time goes, on one thread", 64, 3),
    }
    for question, (words, limit, rounds) in described.items():
        one = questions.add_parser(question, help=words, description=words.capitalize() + ".")
        one.add_argument("--limit", type=positive, default=limit, help="sentences (default: %(default)s)")
        one.add_argument("--rounds", type=positive, default=rounds, help="how often each is measured (%(default)s)")
        _add_options(one, needs_model=question == "trained", pieces=58_101 if question == "imported" else 32_000)
    arguments = parser.parse_args()
    if (arguments.model is None) != (arguments.src is None):
        parser.error("--model and --src go together: a trained model, and what it translates.")
    pythons = _pythons(arguments) if arguments.question != "profile" else {}
    if missing := [name for name, python in pythons.items() if not python.exists()]:
        others = ",".join(short for short, name in SHORT_NAMES.items() if name in pythons and name not in missing)
        parser.error(
            f"{pythons[missing[0]]}, the Python of {missing[0]}, does not exist: run `make peers`, or leave out what "
            f"cannot run: --contestants {others}"
        )
    return arguments


def _pythons(arguments: argparse.Namespace) -> dict[str, Path]:
    """The interpreter of each contestant that takes part; plain PyTorch runs on that of mtcli."""
    own = Path(sys.executable)
    pythons = {
        MTCLI: own,
        CTRANSLATE2: arguments.peers,
        MARIAN: arguments.peers,
        JOEYNMT: arguments.joeynmt,
        STOCK: own,
        COMPILED: own,
    }
    return {name: pythons[name] for name in arguments.contestants}


def _add_options(parser: argparse.ArgumentParser, *, needs_model: bool, pieces: int) -> None:
    parser.add_argument(
        "--data", type=Path, help="folder that holds newstest2014; random lengths like its if not given"
    )
    parser.add_argument("--preset", default="base", help="shape of the random model")
    parser.add_argument("--vocab-size", type=positive, default=pieces, help="pieces of the random model")
    parser.add_argument("--model", type=Path, required=needs_model, help="directory of the trained model")
    parser.add_argument("--src", type=Path, required=needs_model, help="what the trained model translates")
    parser.add_argument("--ref", type=Path, required=needs_model, help="the reference")
    parser.add_argument("--beam", type=positive, default=4, help="of the random model, beside greedy (4)")
    parser.add_argument("--trained-beam", type=positive, default=5, help="of the trained model, beside greedy (5)")
    parser.add_argument("--contestants", type=contestants, default=NAMES, help=f"of {', '.join(SHORT_NAMES)}")
    parser.add_argument("--peers", type=Path, default=PEERS, help="the Python that has CTranslate2 and transformers")
    parser.add_argument("--joeynmt", type=Path, default=JOEYNMT_PYTHON, help="the Python that has JoeyNMT")
    parser.add_argument("--only", action="append", default=[], help="pattern of settings, as '*int8*'; may be repeated")
    parser.add_argument("--all-settings", action="store_true", help="run every setting in every round")
    parser.add_argument("--isa", choices=ISA_VARIABLES, help="hold all to the instructions of an older processor")
    parser.add_argument("--cores", type=positive, default=available_cores(), help="cores to use (%(default)s)")
    parser.add_argument("--peer-env", type=assignment, action="append", default=[], help="NAME=VALUE for the peers")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="the JSON file; benchmarks/results/cpu/decoding-QUESTION.json")


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, got {value}")
    return value


def assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, got {text!r}")
    return name, value


def contestants(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if unknown := set(names) - SHORT_NAMES.keys():
        raise argparse.ArgumentTypeError(f"expected some of {', '.join(SHORT_NAMES)}; got {', '.join(sorted(unknown))}")
    if "mtcli" not in names:
        raise argparse.ArgumentTypeError("expected mtcli among them: the ratios are to it")
    return tuple(SHORT_NAMES[name] for name in SHORT_NAMES if name in names)


def shown_command(words: Sequence[str]) -> str:
    """The command line without where things lie on this machine."""
    shown, hidden = ["python", "-m", "benchmarks.decoding"], ("--peers", "--joeynmt", "--out")
    split = [part for word in words for part in (word.split("=", 1) if word.startswith("--") else [word])]
    for before, word in pairwise(["", *split]):
        if word in hidden or before in hidden:
            continue
        if before == "--data":
            shown.append("DATA")
        else:
            shown.append(Path(word).name if before in ("--model", "--src", "--ref") else word)
    return shlex.join(shown)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
