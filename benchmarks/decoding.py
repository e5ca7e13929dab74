"""How fast decoding is, beside other decoders: python -m benchmarks.decoding base|imported|trained|latency.

Each question writes one JSON file, by default benchmarks/results/cpu/decoding-QUESTION.json; with --seconds whenever
something more is known. Exit codes: 0 it was written; 1 something is missing, or mtcli failed; 2 wrong options.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.contest.machine import RESULTS, opening, package_path, save, torch_device
from benchmarks.contest.options import (
    add_shared,
    clock,
    exits_with_a_sentence,
    longest,
    positive,
    refuse_to_end_without_mtcli,
    shown_command,
    some_of,
)
from benchmarks.contest.processes import Team
from benchmarks.contest.records import DecodedModel, Decoding, Result
from benchmarks.questions.decoders import MTCLI, NAMES, ON_CUDA, PEERS_PYTHON, command_of

if TYPE_CHECKING:  # --help needs no torch
    from benchmarks.questions.models import Case

QUESTIONS = {
    # in words, sentences, rounds, pieces of the random model
    "base": ("a preset with random weights and forced lengths: target tokens a second", 300, 5, 32_000),
    "imported": ("a Marian model with random weights, imported: target tokens a second", 300, 5, 58_101),
    "trained": ("a trained model on a test set: target tokens a second, and BLEU", None, 5, None),
    "latency": ("one sentence at a time: milliseconds", 100, 5, 32_000),
}
ON_CUDA_LIMIT = 4096


def main() -> None:
    arguments = _arguments()
    from mtcli.devices import resolve_device
    from mtcli.processors import share_processors

    share_processors()  # as mtcli's command line does; here for the peers too
    resolve_device(torch_device(arguments.device))  # which says what is missing
    arguments.out = arguments.out or RESULTS / "cpu" / f"decoding-{arguments.question}.json"
    save(_contest(arguments), arguments.out)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.decoding", description="Measure decoding beside other decoders."
    )
    questions = parser.add_subparsers(dest="question", required=True, metavar="QUESTION")
    for question, (words, limit, rounds, pieces) in QUESTIONS.items():
        one = questions.add_parser(question, help=words, description=words.capitalize() + ".")
        add_shared(one, rounds=rounds)
        one.add_argument("--limit", type=positive, default=limit, help="sentences (%(default)s)")
        if pieces is not None:
            one.add_argument("--preset", default="base", help="shape of the random model (%(default)s)")
            one.add_argument("--vocab-size", type=positive, default=pieces, help="its pieces (%(default)s)")
        if question not in ("base", "imported"):
            needed = question == "trained"
            one.add_argument("--model", type=Path, required=needed, help="directory of a trained model")
            one.add_argument("--src", type=Path, required=needed, help="what the trained model translates")
        if question == "trained":
            one.add_argument("--ref", type=Path, required=True, help="the reference")
        one.add_argument("--beam", type=positive, default=4, help="of the random model, beside greedy (4)")
        one.add_argument("--trained-beam", type=positive, default=5, help="of the trained model, beside greedy (5)")
        choice = some_of(tuple(NAMES), always=MTCLI)
        one.add_argument("--contestants", type=choice, help=f"of {', '.join(NAMES)}; comma-separated (all)")
    arguments = parser.parse_args()
    _check(parser, arguments)
    return arguments


def _check(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    if arguments.question == "latency" and (arguments.model is None) != (arguments.src is None):
        parser.error("--model and --src go together: a trained model, and what it translates.")
    on_gpu = arguments.device != "cpu"
    arguments.contestants = arguments.contestants or (ON_CUDA if on_gpu else tuple(NAMES))
    if on_gpu and arguments.question == "base" and arguments.limit == QUESTIONS["base"][1]:
        arguments.limit = ON_CUDA_LIMIT
    if "joeynmt" in arguments.contestants and not PEERS_PYTHON.exists():
        others = ",".join(name for name in arguments.contestants if name != "joeynmt")
        parser.error(
            f"{PEERS_PYTHON}, the Python of JoeyNMT, does not exist: run `make peers`, or leave it out: "
            f"--contestants {others}"
        )


def _contest(arguments: argparse.Namespace) -> Result:
    from benchmarks.questions.decoding import DecodingPlan, ModelContest, ask_facts, scored, versions_of
    from mtcli.evaluation.metrics import score_corpus
    from mtcli.model_directory.tokenizers import load_tokenizers

    left = clock(arguments.seconds)
    plan = DecodingPlan(
        contestants=arguments.contestants,
        device=arguments.device,
        rounds=arguments.rounds,
        only=tuple(arguments.only),
        one_by_one=arguments.question == "latency",
        left=left,
    )
    references = _references(arguments)
    parts: list[DecodedModel] = []
    with tempfile.TemporaryDirectory() as folder:
        commands = {short: command_of(short, torch_device(arguments.device)) for short in plan.contestants}
        team = Team(commands, Path(folder), package_path(), lambda: min(left(), longest(arguments.seconds)))
        try:
            facts = ask_facts(team, plan.contestants)
            head = opening("", "", device=arguments.device, versions=versions_of(facts)) | {
                "command": [shown_command("decoding", sys.argv[1:])],
                "seed": arguments.seed,
            }
            contests: list[ModelContest] = []

            def result(parts: list[DecodedModel]) -> Decoding:
                signature = score_corpus(references, references).signatures["bleu"] if references else None
                return Decoding(**head | {"title": _title(arguments, parts)}, signature=signature, parts=parts)

            def save_so_far(contest: ModelContest) -> None:
                if arguments.seconds:
                    save(result([*parts, contest.part()]), arguments.out, quiet=True)

            for case in _cases(arguments, Path(folder)):
                contest = ModelContest(plan, case, team, facts, save_so_far)
                contest.run()
                contests.append(contest)
                tokenizer = load_tokenizers(arguments.model).tgt if references else None
                parts.append(scored(contest, tokenizer, references) if tokenizer else contest.part())
        finally:
            team.close()
    if arguments.seconds:
        save(result(parts), arguments.out)
    for contest in contests:
        refuse_to_end_without_mtcli(contest.contest.series)
    return result(parts)


def _title(arguments: argparse.Namespace, parts: list[DecodedModel]) -> str:
    if arguments.question == "latency":
        return "One sentence at a time"
    first = parts[0]
    if arguments.question == "trained":
        return f"{first.model.name} on {first.text.origin}"
    tokens = f"{first.target_tokens} target tokens a sentence"
    if arguments.question == "imported":
        return f"A Marian model of the size of OPUS-MT's, imported, with random weights, {tokens}"
    return f"Transformer {first.model.name} with random weights, {tokens}"


def _references(arguments: argparse.Namespace) -> list[str]:
    """The reference translations, where the question has some.

    Raises:
        DataError: there are not as many as lines of the source.
    """
    from mtcli.errors import DataError
    from mtcli.files import read_lines

    if arguments.question != "trained":
        return []
    lines, references = (list(read_lines(path)) for path in (arguments.src, arguments.ref))
    if len(lines) != len(references):
        raise DataError(
            f"{arguments.src} has {len(lines)} lines and {arguments.ref} has {len(references)}; expected as many. "
            "Give a source and its reference."
        )
    return references[: arguments.limit]


def _cases(arguments: argparse.Namespace, parent: Path) -> Iterator["Case"]:
    """The models of a question, one after the other."""
    from benchmarks.questions import models

    peers = arguments.contestants
    if arguments.question != "trained":
        folder = parent / "random"
        folder.mkdir()
        sizes = (arguments.preset, arguments.vocab_size, arguments.seed)
        name, directory = arguments.preset, folder / "model"
        if arguments.question == "imported":
            name, directory = "OPUS-MT's size", models.write_imported_random(folder, *sizes)
        else:
            models.write_random(directory, *sizes)
        how: dict[str, Any] = {
            "data": arguments.data,
            "limit": arguments.limit,
            "beam": arguments.beam,
            "seed": arguments.seed,
        }
        yield models.random_case(directory, name, folder=folder, peers=peers, **how)
    if getattr(arguments, "model", None):
        folder = parent / "trained"
        folder.mkdir()
        how = {"limit": arguments.limit, "beam": arguments.trained_beam}
        yield models.trained_case(arguments.model, arguments.src, folder=folder, peers=peers, **how)


if __name__ == "__main__":
    exits_with_a_sentence(main)
