"""How good a model is: train as a user would, score on the test sets, record.

    make quality TASK=multi30k DATA=DIR

DIR holds the folders that the tasks name, with files SET.LANGUAGE.xz. The runs lie in .runs and go on where they
were cut short; one that is finished is only scored. The task tatoeba-en-de makes the model that comes with mtcli:
it also writes mtcli/model_directory/box/en-de. benchmarks/quality_table.py describes the file written.
"""

import argparse
import json
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.contest.machine import device_facts, mtcli_command, today, versions
from benchmarks.report.quality import Quality, Score, Train, Trained

ROOT = Path(__file__).resolve().parents[2]
BEAM_SIZE = 5
NAMED = {"-m", "-o", "--scores", "--fine-tune"}  # what stands behind these is a model or a file made on the way


@dataclass(frozen=True, kw_only=True)
class Recipe:
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


@dataclass(frozen=True, kw_only=True)
class Task:
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

    @property
    def direction(self) -> str:
        return f"{self.src}-{self.tgt}"

    def file(self, name: str, language: str) -> str:
        return f"DATA/{self.folder}/{name}{self.prepared}.{language}.xz"


TASKS = {
    "multi30k": Task(
        title="Multi30k, English to German, the published lower-cased and tokenised text",
        folder="multi30k",
        src="en",
        tgt="de",
        valid="val",
        tests=("test_2016_flickr", "test_2017_flickr"),
        recipes=(
            Recipe(
                name="multi30k-tiny.toml",
                model="multi30k-en-de",
                options="--config configs/multi30k-tiny.toml",
                processes=2,
            ),
            Recipe(
                name="then 20 epochs with R-Drop",
                model="multi30k-r-drop",
                options="--fine-tune multi30k-en-de --set training.r_drop=5 --set training.batch_tokens=2048 "
                "--set training.learning_rate=1e-3 --set training.warmup_steps=500 --set training.patience=0 "
                "--max-epochs 20",
            ),
            Recipe(
                name="then 20 epochs with BPE-dropout",
                model="multi30k-bpe-dropout",
                options="--fine-tune multi30k-en-de --set data.sampling=0.1 --set training.batch_tokens=2048 "
                "--set training.learning_rate=1e-3 --set training.warmup_steps=500 --set training.patience=0 "
                "--max-epochs 20",
            ),
        ),
        prepared=".lc.norm.tok",
        tokenize="none",
    ),
    "multi30k-raw": Task(
        title="Multi30k, English to German, preset tiny",
        folder="multi30k",
        src="en",
        tgt="de",
        valid="val",
        tests=("test_2016_flickr", "test_2017_flickr"),
        recipes=(Recipe(name="preset tiny", model="multi30k-raw", options="--preset tiny --max-minutes 40"),),
    ),
    "tatoeba-en-de": Task(
        title="Tatoeba, English to German: the model in the box",
        folder="tatoeba-en-de",
        src="en",
        tgt="de",
        valid="dev",
        tests=("test",),
        recipes=(
            Recipe(name="tatoeba-en-de.toml", model="tatoeba-en-de", options="--config configs/tatoeba-en-de.toml"),
        ),
        ship="mtcli/model_directory/box/en-de",
    ),
    "ko-en": Task(
        title="Everyday Korean to English, 13,495 training pairs",
        folder="ko-en-everyday",
        src="ko",
        tgt="en",
        valid="dev",
        tests=("dev", "test"),
        recipes=(
            Recipe(name="ko-en-everyday.toml", model="ko-en", options="--config configs/ko-en-everyday.toml"),
            Recipe(
                name="narrower and deeper, unigram pieces",
                model="ko-en-narrow",
                options="--config configs/ko-en-everyday.toml --set model.encoder_layers=4 "
                "--set model.decoder_layers=4 --set model.d_model=128 --set model.ffn_dim=256 "
                "--set data.tokenizer_type=unigram --set data.sampling=0",
            ),
            Recipe(
                name="more dropout and smoothing, 60 epochs",
                model="ko-en-more",
                options="--config configs/ko-en-everyday.toml --set model.dropout=0.4 "
                "--set model.activation_dropout=0.1 --set training.label_smoothing=0.2 --max-epochs 60",
            ),
            Recipe(name="preset tiny", model="ko-en-plain", options="--preset tiny --max-epochs 60"),
        ),
    ),
}


@dataclass(frozen=True)
class Places:
    """Where the names in a shown command line really are: models and files made on the way lie in `work`."""

    data: Path
    work: Path

    def resolve(self, word: str) -> str:
        top, slash, rest = word.partition("/")
        if slash:
            return str(self.data / rest) if top == "DATA" else word
        return str(self.work / word)

    def resolve_all(self, command: str) -> list[str]:
        """The arguments of a shown command line of mtcli, with the real paths in place."""
        _, *words = shlex.split(command)
        return [
            self.resolve(word) if before in NAMED or word.startswith("DATA/") else word
            for before, word in zip(["", *words], words, strict=False)
        ]


def train_command(task: Task, recipe: Recipe) -> str:
    """The training command as the results file shows it."""
    return (
        f"mtcli train {recipe.options} --src {task.file('train', task.src)} --tgt {task.file('train', task.tgt)} "
        f"--valid-src {task.file(task.valid, task.src)} --valid-tgt {task.file(task.valid, task.tgt)} "
        f"-o {recipe.model}"
    )


def export_command(model: str, out: str, scores: str = "") -> str:
    """The command that halves the weights for the box."""
    return f"mtcli export mtcli -m {model} -o {out} --dtype float16 --force" + (f" --scores {scores}" if scores else "")


def evaluate_command(task: Task, model: str, test: str) -> str:
    """The scoring command of one test set as the results file shows it."""
    return (
        f"mtcli evaluate -m {model} --src {task.file(test, task.src)} --ref {task.file(test, task.tgt)} "
        f"--beam-size {BEAM_SIZE}" + (f" --tokenize {task.tokenize}" if task.tokenize else "") + " --json"
    )


def run(command: str, places: Places, *, capture: bool) -> str:
    """Run a shown command line with the real paths in place; return stdout if captured.

    Exits when the command fails.
    """
    print(f"$ {command}", file=sys.stderr, flush=True)
    finished = subprocess.run(
        [mtcli_command(), *places.resolve_all(command)],
        stdout=subprocess.PIPE if capture else None,
        text=True,
        encoding="utf-8",
        cwd=ROOT,
    )
    if finished.returncode:
        sys.exit(f"`{command}` ended with exit code {finished.returncode}; nothing was recorded.")
    return finished.stdout or ""


def training_summary(model: Path) -> Train:
    """The finished run in numbers, from the model directory's provenance.json."""
    training = json.loads((model / "provenance.json").read_text(encoding="utf-8"))["training"]
    return Train.model_validate({name: training[name] for name in Train.model_fields})


def score(task: Task, test: str, report: dict[str, Any]) -> Score:
    """One row of the results from what `mtcli evaluate --json` printed."""
    measured = {name: report[name] for name in ("lines", "bleu", "chrf", "ter", "seconds", "signatures")}
    return Score.model_validate({"set": test, "direction": task.direction, "beam": BEAM_SIZE, **measured})


def measure(task: Task, places: Places) -> Quality:
    """Train and score by every recipe; the models stay in the work directory."""
    commands: list[str] = []
    models = [_measure_recipe(task, recipe, places, commands) for recipe in task.recipes]
    return Quality.model_validate(
        {
            "title": task.title,
            "command": commands,
            "device": device_facts(),
            "versions": versions(),
            "date": today(),
            "models": models,
        }
    )


def _measure_recipe(task: Task, recipe: Recipe, places: Places, commands: list[str]) -> Trained:
    def go(command: str, *, capture: bool = False) -> str:
        commands.append(command)
        return run(command, places, capture=capture)

    go(train_command(task, recipe) + (f" --nproc {recipe.processes}" if recipe.processes > 1 else ""))
    scored = f"{recipe.model}-float16" if task.ship else recipe.model
    if task.ship:
        go(export_command(recipe.model, scored))
    scores = []
    for test in task.tests:
        report = json.loads(go(evaluate_command(task, scored, test), capture=True))
        scores.append(score(task, test, report))
        if task.ship:
            (places.work / f"{test}.json").write_text(json.dumps(report) + "\n", encoding="utf-8")
    if task.ship:
        commands[-1] += f" > {task.tests[-1]}.json"
        go(export_command(scored, task.ship, f"{task.tests[-1]}.json"))
    return Trained(name=recipe.name, train=training_summary(places.work / recipe.model), scores=scores)


def main() -> None:
    parser = argparse.ArgumentParser(description="Train as a user would, score on the test sets, record as JSON.")
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds the corpora's folders")
    parser.add_argument("--work", type=Path, default=ROOT / ".runs", help="where the runs lie")
    parser.add_argument("--out", type=Path, help="the JSON file to write; by default in benchmarks/results/cpu")
    arguments = parser.parse_args()

    places = Places(arguments.data.resolve(), arguments.work.resolve())
    places.work.mkdir(parents=True, exist_ok=True)
    result = measure(TASKS[arguments.task], places)
    out = arguments.out or ROOT / f"benchmarks/results/cpu/quality-{arguments.task}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(result.model_dump_json(indent=2) + "\n", encoding="utf-8")
    print(f"wrote {out}; now run: python -m benchmarks.report", file=sys.stderr)


if __name__ == "__main__":
    main()
