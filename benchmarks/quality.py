"""How good a model is: train as a user would, score on the test sets, record.

    make quality TASK=multi30k DATA=DIR

DIR holds the folders that the tasks of quality.toml name, with files SET.LANGUAGE.xz. The runs lie in .runs and go on
where they were cut short; one that is finished is only scored. The task tatoeba-en-de makes the model that comes with
mtcli: it also writes mtcli/model_directory/box/en-de.
"""

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contest.machine import RESULTS, ROOT, mtcli_words, opening, package_path, save, torch_device
from benchmarks.contest.options import clock
from benchmarks.contest.processes import finished
from benchmarks.contest.records import Quality, Record, Run, Score, ScoredModel

BEAM_SIZE = 5
SCORING = 60.0  # seconds of a limited time that scoring is left


class Recipe(Record):
    """One way to train on a corpus.

    Attributes:
        name: what the table calls it.
        model: the directory that it trains.
        options: of `mtcli train`, corpus and output apart; `--fine-tune` takes the model of an earlier recipe.
        processes: to train in, on a processor.
    """

    name: str
    model: str
    options: str
    processes: int = 1


class Scoring(Record):
    """A corpus, how to train on it and what to score; file names are FOLDER/SET.LANGUAGE.xz.

    Attributes:
        prepared: what stands before the language in the names of the files, where their text is prepared.
        tokenize: BLEU's tokenizer, where it is not sacreBLEU's own.
        ship: where the float16 model goes that comes with mtcli; it, not the run's, is scored.
    """

    title: str
    folder: str
    src: str
    tgt: str
    valid: str
    tests: tuple[str, ...]
    recipes: tuple[Recipe, ...]
    prepared: str = ""
    tokenize: str | None = None
    ship: str | None = None

    def file(self, name: str, language: str) -> str:
        """Return a file's name as a shown command has it."""
        return f"DATA/{self.folder}/{name}{self.prepared}.{language}.xz"


def tasks() -> dict[str, Scoring]:
    """Return the tasks of quality.toml, by name."""
    found = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {name: Scoring.model_validate(fields) for name, fields in found.items()}


def furnish(work: Path, data: Path) -> None:
    """Make a folder in which the shown commands run as they stand, by links to the corpora and into the checkout."""
    work.mkdir(parents=True, exist_ok=True)
    for name, target in (("DATA", data.resolve()), ("configs", ROOT / "configs"), ("mtcli", ROOT / "mtcli")):
        (work / name).unlink(missing_ok=True)
        (work / name).symlink_to(target, target_is_directory=True)


def train_command(task: Scoring, recipe: Recipe, limit: str = "") -> str:
    """Return the training command as the results file shows it; `limit` takes the place of the recipe's own options."""
    options = recipe.options
    for option in re.findall(r"--(?!set\b)[a-z-]+", limit):
        options = re.sub(rf"{option} \S+ ?", "", options).strip()
    return (
        f"mtcli train {options} --src {task.file('train', task.src)} --tgt {task.file('train', task.tgt)} "
        f"--valid-src {task.file(task.valid, task.src)} --valid-tgt {task.file(task.valid, task.tgt)} "
        f"-o {recipe.model}" + (f" --nproc {recipe.processes}" if recipe.processes > 1 else "") + limit
    )


def export_command(model: str, out: str, scores: str = "") -> str:
    """Return the command that halves the weights for the box."""
    return f"mtcli export mtcli -m {model} -o {out} --dtype float16 --force" + (f" --scores {scores}" if scores else "")


def evaluate_command(task: Scoring, model: str, test: str) -> str:
    """Return the scoring command of one test set as the results file shows it."""
    return (
        f"mtcli evaluate -m {model} --src {task.file(test, task.src)} --ref {task.file(test, task.tgt)} "
        f"--beam-size {BEAM_SIZE}" + (f" --tokenize {task.tokenize}" if task.tokenize else "") + " --json"
    )


@dataclass
class Measuring:
    """Trains and scores by every recipe; the models stay in the work directory.

    Attributes:
        task: what.
        work: the folder, made by `furnish`.
        more: further options of every command.
        commands: those run so far, as the results file shows them.
    """

    task: Scoring
    work: Path
    more: str
    commands: list[str]

    def model(self, recipe: Recipe, limit: str = "") -> ScoredModel:
        """Train one model and score it; `limit` are options that end its training.

        Exits when a command fails.
        """
        task = self.task
        self._go(train_command(task, recipe, limit))
        scored = f"{recipe.model}-float16" if task.ship else recipe.model
        if task.ship:
            self._go(export_command(recipe.model, scored))
        scores = []
        for test in task.tests:
            report = json.loads(self._go(evaluate_command(task, scored, test), capture=True))
            names = ("lines", "bleu", "chrf", "ter", "seconds", "signatures")
            measured = {name: report[name] for name in names}
            scores.append(Score(set=test, direction=f"{task.src}-{task.tgt}", beam=BEAM_SIZE, **measured))
            if task.ship:
                (self.work / f"{test}.json").write_text(json.dumps(report) + "\n", encoding="utf-8")
        if task.ship:
            self.commands[-1] += f" > {task.tests[-1]}.json"
            self._go(export_command(scored, task.ship, f"{task.tests[-1]}.json"))
        return ScoredModel(name=recipe.name, train=training_summary(self.work / recipe.model), scores=scores)

    def _go(self, command: str, *, capture: bool = False) -> str:
        """Run a shown command line; return stdout if captured."""
        command += self.more if not command.startswith("mtcli export") else ""
        self.commands.append(command)
        print(f"$ {command}", file=sys.stderr, flush=True)
        ended = finished(
            [*mtcli_words(), *shlex.split(command)[1:]],
            shown=command,
            capture=subprocess.PIPE if capture else None,
            cwd=self.work,
            env={**os.environ, **package_path()},
        )
        return ended.stdout or ""


def training_summary(model: Path) -> Run:
    """Return a finished run in numbers, from the model directory's provenance.json."""
    training = json.loads((model / "provenance.json").read_text(encoding="utf-8"))["training"]
    return Run(**{name: training[name] for name in Run.model_fields})


def main() -> None:
    known = tasks()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description="Train by recipes and score.")
    parser.add_argument("task", choices=known)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds the corpora's folders")
    parser.add_argument("--work", type=Path, default=ROOT / ".runs", help="where the runs lie")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (%(default)s)")
    parser.add_argument("--seeds", type=int, help="train the first recipe alone, with the seeds 1 to SEEDS")
    parser.add_argument("--seconds", type=float, help="for all of it, the models sharing alike")
    parser.add_argument("--more", default="", help="further options of mtcli train")
    parser.add_argument("--out", type=Path, help="the JSON file to write; by default in benchmarks/results/cpu")
    arguments = parser.parse_args()

    task, left = known[arguments.task], clock(arguments.seconds)
    recipes = list(task.recipes)
    if arguments.seeds:
        recipes = [
            Recipe(name=f"{one.name}, seed {seed}", model=f"{one.model}-{seed}", options=one.options)
            for one in recipes[:1]
            for seed in range(1, arguments.seeds + 1)
        ]
    furnish(arguments.work, arguments.data)
    device = f" --device {torch_device(arguments.device)}" if arguments.device != "cpu" else ""
    measuring, models = Measuring(task, arguments.work, device, []), list[ScoredModel]()
    out = arguments.out or RESULTS / "cpu" / f"quality-{arguments.task}.json"
    for number, recipe in enumerate(recipes):
        limit = f" --seed {number + 1}" if arguments.seeds else ""
        limit += f" {arguments.more}" if arguments.more else ""
        if arguments.seconds:
            minutes = (left() / (len(recipes) - number) - SCORING) / 60
            limit += f" --max-minutes {max(minutes, 0.1):.1f}"
        models.append(measuring.model(recipe, limit))
        head = opening(task.title, measuring.commands, device=arguments.device)
        save(Quality(**head, models=models), out)


if __name__ == "__main__":
    main()
