"""How fast decoding is, beside other decoders: python -m benchmarks.decoding base|imported|trained|latency.

Each question writes one JSON file, by default benchmarks/results/cpu/decoding-QUESTION.json; with --seconds whenever
something more is known. Exit codes: 0 it was written; 1 something is missing, or mtcli failed; 2 wrong options.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.contest.contestants import NAMES
from benchmarks.contest.machine import opening, package_path, torch_device
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
from benchmarks.contest.processes import Team
from benchmarks.contest.records import DecodedModel, Decoding, Result
from benchmarks.questions.decoders import ON_CUDA, command_of

if TYPE_CHECKING:  # --help needs no torch
    from benchmarks.questions.models import Case

ALL = tuple(NAMES)
QUESTIONS = {
    "base": Question(
        "A preset with random weights and forced lengths: target tokens a second",
        5,
        ALL,
        {"limit": 300, "vocab_size": 32_000},
    ),
    "imported": Question(
        "A Marian model with random weights, imported: target tokens a second",
        5,
        ALL,
        {"limit": 300, "vocab_size": 58_101},
    ),
    "trained": Question("A trained model on a test set: target tokens a second, and BLEU", 5, ALL, {}),
    "latency": Question("One sentence at a time: milliseconds", 5, ALL, {"limit": 100, "vocab_size": 32_000}),
}
ON_CUDA_LIMIT = 4096


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.decoding", description="Measure decoding beside other decoders."
    )
    for question, one in parsers(parser, QUESTIONS):
        defaults = QUESTIONS[question].defaults
        one.add_argument("--limit", type=positive, default=defaults.get("limit"), help="sentences (%(default)s)")
        if "vocab_size" in defaults:
            one.add_argument("--preset", default="base", help="shape of the random model (%(default)s)")
            one.add_argument(
                "--vocab-size", type=positive, default=defaults["vocab_size"], help="its pieces (%(default)s)"
            )
        if question in ("trained", "latency"):
            needed = question == "trained"
            one.add_argument("--model", type=Path, required=needed, help="directory of a trained model")
            one.add_argument("--src", type=Path, required=needed, help="what the trained model translates")
        if question == "trained":
            one.add_argument("--ref", type=Path, required=True, help="the reference")
        one.add_argument("--beam", type=positive, default=4, help="of the random model, beside greedy (4)")
        one.add_argument("--trained-beam", type=positive, default=5, help="of the trained model, beside greedy (5)")
    arguments = parser.parse_args()
    if arguments.question == "latency" and (arguments.model is None) != (arguments.src is None):
        parser.error("--model and --src go together: a trained model, and what it translates.")
    on_gpu = arguments.device != "cpu"
    arguments.contestants = arguments.contestants or (ON_CUDA if on_gpu else ALL)
    if on_gpu and arguments.question == "base" and arguments.limit == QUESTIONS["base"].defaults["limit"]:
        arguments.limit = ON_CUDA_LIMIT
    refuse_without_joeynmt(parser, arguments.contestants)
    return arguments


def _run(arguments: argparse.Namespace, folder: Path, save: Callable[[Result], None]) -> Answer:
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
    signature = score_corpus(references, references).signatures["bleu"] if references else None
    commands = {short: command_of(short, torch_device(arguments.device)) for short in plan.contestants}
    team = Team(commands, folder, package_path(), lambda: min(left(), longest(arguments.seconds)))
    parts: list[DecodedModel] = []
    contests: list[ModelContest] = []

    def result(parts: list[DecodedModel]) -> Decoding:
        more = {"title": _title(arguments, parts[0]), "seed": arguments.seed, "signature": signature}
        return Decoding(**head | more, parts=parts)

    try:
        facts = ask_facts(team, plan.contestants)
        command = shown_command("decoding", sys.argv[1:])
        head = opening("", command, device=arguments.device, versions=versions_of(facts))
        for case in _cases(arguments, folder):
            contest = ModelContest(plan, case, team, facts, lambda now: save(result([*parts, now.part()])))
            contest.run()
            contests.append(contest)
            tokenizer = load_tokenizers(arguments.model).tgt if references else None
            parts.append(scored(contest, tokenizer, references) if tokenizer else contest.part())
    finally:
        team.close()
    return result(parts), [one for contest in contests for one in contest.contest.series]


def _title(arguments: argparse.Namespace, first: DecodedModel) -> str:
    if arguments.question == "latency":
        return "One sentence at a time"
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

    how: dict[str, Any] = {"limit": arguments.limit, "peers": arguments.contestants}
    if arguments.question != "trained":
        folder = parent / "random"
        folder.mkdir()
        sizes = (arguments.preset, arguments.vocab_size, arguments.seed)
        if arguments.question == "imported":
            name, directory = "OPUS-MT's size", models.write_imported_random(folder, *sizes)
        else:
            name, directory = arguments.preset, models.write_random(folder / "model", *sizes)
        drawn = {"data": arguments.data, "beam": arguments.beam, "seed": arguments.seed}
        yield models.random_case(directory, name, folder=folder, **drawn, **how)
    if getattr(arguments, "model", None):
        folder = parent / "trained"
        folder.mkdir()
        yield models.trained_case(arguments.model, arguments.src, folder=folder, beam=arguments.trained_beam, **how)


if __name__ == "__main__":
    measure("decoding", _arguments, _run)
