"""mtcli as a contestant: its command, and what that writes into log.jsonl."""

import json
from pathlib import Path

from benchmarks.contest.machine import mtcli_command, versions
from benchmarks.contest.processes import Command
from benchmarks.questions.training.corpora import train_options
from benchmarks.questions.training.entries import DROPPING_EVERYWHERE, Entry
from benchmarks.questions.training.tasks import Task, json_lines

RUN = "run"


class Mtcli:
    """`mtcli train`, with the preset's settings and the corpus's tokenizer."""

    def versions(self) -> dict[str, str]:
        return versions()

    def command(self, task: Task, entry: Entry, folder: Path) -> Command:
        settings: dict[str, object] = {
            "data.tokenizer": task.corpus.tokenizer,
            "training.batch_tokens": task.batch_tokens,
            "training.log_every": task.window,
        }
        if entry.way == DROPPING_EVERYWHERE:
            settings |= dict.fromkeys(("model.attention_dropout", "model.activation_dropout"), task.model.dropout)
        assignments = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
        never_before_the_end = ("--valid-every", str(task.updates), "--save-every", str(task.updates))
        return Command(
            arguments=[
                *(mtcli_command(), "train", *train_options(task.corpus.train, task.corpus.valid), "-o", RUN),
                *("--preset", task.preset, "--dtype", entry.dtype, "--device", "cpu", "--seed", str(task.seed)),
                *("--max-steps", str(task.updates), *never_before_the_end, "--quiet", *assignments),
            ]
        )

    def windows(self, folder: Path) -> list[float]:
        """Target tokens a second, as often as they were logged."""
        records = json_lines(folder / RUN / "log.jsonl")
        return [float(record["tgt_tokens_per_second"]) for record in records if record["kind"] == "train"]

    def parameters(self, folder: Path) -> int:
        provenance = json.loads((folder / RUN / "provenance.json").read_text(encoding="utf-8"))
        return int(provenance["training"]["parameters"])
