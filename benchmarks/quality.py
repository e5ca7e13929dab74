"""How good a model is after so many minutes: train as a user would, score on the test sets, record.

    python benchmarks/quality.py multi30k --data DATA --work .runs/multi30k-en-de \\
        --out benchmarks/results/cpu/multi30k-en-de-tiny.json

DATA holds the folders multi30k and ko-en-everyday. The same command again continues a run that was cut
short, and only scores one that is finished. benchmarks/readme.py describes the file written.
"""

import argparse
import json
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from machine import device_facts, mtcli_command, today, versions
from readme import Quality, Score, Train

BEAM_SIZE = 5


@dataclass(frozen=True, kw_only=True)
class Task:
    """A corpus, how to train on it and what to score; file names are FOLDER/SET.LANGUAGE.xz."""

    title: str
    folder: str
    src: str
    tgt: str
    valid: str
    tests: tuple[str, ...]
    minutes: float
    train_options: str = "--preset tiny"

    @property
    def direction(self) -> str:
        return f"{self.src}-{self.tgt}"

    def file(self, name: str, language: str) -> str:
        return f"DATA/{self.folder}/{name}.{language}.xz"


TASKS = {
    "multi30k": Task(
        title="Multi30k, English to German, preset tiny",
        folder="multi30k",
        src="en",
        tgt="de",
        valid="val",
        tests=("test_2016_flickr", "test_2017_flickr"),
        minutes=40,
    ),
    "ko-en": Task(
        title="Everyday Korean to English, 13,495 training pairs, preset tiny",
        folder="ko-en-everyday",
        src="ko",
        tgt="en",
        valid="dev",
        tests=("dev", "test"),
        minutes=25,
        train_options=(
            "--preset tiny --set model.norm=pre --set data.vocab_size=2000 --set training.batch_tokens=1024 "
            "--set training.learning_rate=0.002 --set training.warmup_steps=500"
        ),
    ),
}


@dataclass(frozen=True)
class Places:
    """Where the names in a shown command line really are."""

    data: Path
    work: Path

    def resolve(self, word: str) -> str:
        if word.startswith("DATA/"):
            return str(self.data / word.removeprefix("DATA/"))
        return str(self.work) if word == self.work.name else word


def train_command(task: Task, model: str, minutes: float) -> str:
    """The training command as the results file shows it."""
    return (
        f"mtcli train --src {task.file('train', task.src)} --tgt {task.file('train', task.tgt)} "
        f"--valid-src {task.file(task.valid, task.src)} --valid-tgt {task.file(task.valid, task.tgt)} "
        f"-o {model} {task.train_options} --max-minutes {minutes:g}"
    )


def evaluate_command(task: Task, model: str, test: str) -> str:
    """The scoring command of one test set as the results file shows it."""
    return (
        f"mtcli evaluate -m {model} --src {task.file(test, task.src)} --ref {task.file(test, task.tgt)} "
        f"--beam-size {BEAM_SIZE} --json"
    )


def run(command: str, places: Places, *, capture: bool) -> str:
    """Run a shown command line with the real paths in place; return stdout if captured."""
    _, *words = shlex.split(command)
    print(f"$ {command}", file=sys.stderr, flush=True)
    finished = subprocess.run(
        [mtcli_command(), *map(places.resolve, words)],
        stdout=subprocess.PIPE if capture else None,
        text=True,
        encoding="utf-8",
    )
    if finished.returncode:
        sys.exit(f"`{command}` ended with exit code {finished.returncode}; nothing was recorded.")
    return finished.stdout or ""


def training_summary(model: Path) -> Train:
    """The finished run in numbers, from the model directory's provenance.json."""
    provenance = json.loads((model / "provenance.json").read_text(encoding="utf-8"))
    training = provenance["training"]
    return Train.model_validate({name: training[name] for name in Train.model_fields})


def score(task: Task, test: str, report: dict[str, Any]) -> Score:
    """One row of the results from what `mtcli evaluate --json` printed."""
    measured = {name: report[name] for name in ("lines", "bleu", "chrf", "ter", "seconds", "signatures")}
    return Score.model_validate({"set": test, "direction": task.direction, "beam": BEAM_SIZE, **measured})


def measure(task: Task, places: Places, minutes: float) -> Quality:
    """Train and score; the model stays in the work directory."""
    training = train_command(task, places.work.name, minutes)
    run(training, places, capture=False)
    commands, scores = [training], []
    for test in task.tests:
        command = evaluate_command(task, places.work.name, test)
        scores.append(score(task, test, json.loads(run(command, places, capture=True))))
        commands.append(command)
    return Quality.model_validate(
        {
            "title": task.title,
            "command": commands,
            "device": device_facts(),
            "versions": versions(),
            "date": today(),
            "train": training_summary(places.work),
            "scores": scores,
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Train as a user would, score on the test sets, record as JSON.")
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds multi30k and ko-en-everyday")
    parser.add_argument("--work", type=Path, required=True, help="the run's directory")
    parser.add_argument("--out", type=Path, required=True, help="the JSON file to write")
    parser.add_argument("--minutes", type=float, help="training time; the task's own if not given")
    arguments = parser.parse_args()

    task = TASKS[arguments.task]
    places = Places(arguments.data, arguments.work.resolve())
    places.work.parent.mkdir(parents=True, exist_ok=True)
    result = measure(task, places, arguments.minutes or task.minutes)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(result.model_dump_json(indent=2) + "\n", encoding="utf-8")
    print(f"wrote {arguments.out}; now run: python benchmarks/readme.py", file=sys.stderr)


if __name__ == "__main__":
    main()
