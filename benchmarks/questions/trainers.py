"""Who trains: each tool as a command, and what that leaves in a folder. `training` lets them take turns."""

import json
import random
import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.contest.contestants import MTCLI, PEERS_PYTHON, Entry
from benchmarks.contest.machine import mtcli_words, versions_on
from benchmarks.contest.records import in_cores
from benchmarks.questions.models import describe, write_random
from benchmarks.questions.tasks import Corpus, Task, json_lines, train_options
from mtcli.bench.contest import ContestantError
from mtcli.bench.host import installed_versions
from mtcli.data.tokenizer import Tokenizer

JOEYNMT_SETTINGS = Path(__file__).with_name("joeynmt.json")
# JoeyNMT makes batches of what follows one another in its corpus, and has one dropout for everything.
AS_IT_COMES, BY_LENGTH = "corpus shuffled", "corpus sorted into batches"
DROPPING_EVERYWHERE = "dropout where JoeyNMT has it"
_RATE = re.compile(r"Tokens per Sec: +(\d+)")
_PARAMETERS = re.compile(r"Total params: ([\d,]+)")


@dataclass(frozen=True, kw_only=True)
class TrainingEntry(Entry):
    """One contestant with one way to train; each way is a kind of its own, so that all run in all rounds.

    Attributes:
        cores: that it may use, one thread on each.
        way: what else was chosen for it, in words; else empty.
    """

    cores: int
    way: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        return in_cores(self.cores), self.way


def entries(dtypes: Mapping[str, Sequence[str]], cores: Sequence[int]) -> list[TrainingEntry]:
    """Return everything there is to try, the contestants in turn; `dtypes` are those of each that takes part."""
    types = list(dict.fromkeys(dtype for offered in dtypes.values() for dtype in offered))
    return [
        TrainingEntry(
            short=short,
            dtype=dtype,
            cores=count,
            way=way,
            is_reference=(short, dtype, way) == (MTCLI, types[0], ""),
        )
        for count in cores
        for dtype in types
        for short, offered in dtypes.items()
        if dtype in offered
        for way in _ways(short, beside_joeynmt="joeynmt" in dtypes)
    ]


def _ways(short: str, *, beside_joeynmt: bool) -> tuple[str, ...]:
    if short == "joeynmt":
        return BY_LENGTH, AS_IT_COMES
    return ("", DROPPING_EVERYWHERE) if short == MTCLI and beside_joeynmt else ("",)


class Trainer(ABC):
    """One tool, as commands and as what they leave in a folder."""

    @abstractmethod
    def versions(self) -> dict[str, str]:
        """Return those of its packages.

        Raises:
            ValueError: it is not installed.
        """

    @abstractmethod
    def command(self, task: Task, entry: TrainingEntry, folder: Path) -> list[str]:
        """Write what it reads into this folder, and return what trains there."""

    @abstractmethod
    def windows(self, folder: Path) -> list[float]:
        """Return target tokens a second of each window that its log has so far."""

    @abstractmethod
    def parameters(self, folder: Path) -> int:
        """Return how many numbers it learns, once it has ended."""

    def check(self, folder: Path) -> dict[str, float] | None:
        """Return its first batch's loss and gradient norm ("loss", "norm"); None where it does not tell."""
        return None


class Mtcli(Trainer):
    """`mtcli train`, with the preset's settings and the corpus's tokenizer."""

    def versions(self) -> dict[str, str]:
        return installed_versions()

    def command(self, task: Task, entry: TrainingEntry, folder: Path) -> list[str]:
        settings: dict[str, object] = {
            "data.tokenizer": task.corpus.tokenizer,
            "training.batch_tokens": task.batch_tokens,
            "training.log_every": task.window,
        }
        if entry.way == DROPPING_EVERYWHERE:
            settings |= dict.fromkeys(("model.attention_dropout", "model.activation_dropout"), task.model.dropout)
        assignments = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
        never_before_the_end = ("--valid-every", str(task.updates), "--save-every", str(task.updates))
        return [
            *(*mtcli_words(), "train", *train_options(task.corpus.train, task.corpus.valid), "-o", "run"),
            *("--preset", task.preset, "--dtype", entry.dtype, "--device", task.device, "--seed", str(task.seed)),
            *("--max-steps", str(task.updates), *never_before_the_end, "--quiet", *assignments),
        ]

    def windows(self, folder: Path) -> list[float]:
        records = json_lines(folder / "run" / "log.jsonl")
        return [float(record["tgt_tokens_per_second"]) for record in records if record["kind"] == "train"]

    def parameters(self, folder: Path) -> int:
        provenance = json.loads((folder / "run" / "provenance.json").read_text(encoding="utf-8"))
        return int(provenance["training"]["parameters"])


@dataclass(frozen=True, kw_only=True)
class PlainLoop(Trainer):
    """A model in a plain loop of PyTorch (`benchmarks.peers.training`), with the batches that mtcli makes, padded.

    Attributes:
        model: stock or marian.
        packages: whose versions are told.
        backend: torch.compile's; None compiles nothing.
    """

    model: str
    packages: tuple[str, ...] = ("torch",)
    backend: str | None = None

    def versions(self) -> dict[str, str]:
        return versions_on(sys.executable, self.packages)

    def command(self, task: Task, entry: TrainingEntry, folder: Path) -> list[str]:
        directory = write_random(folder / "model", task.preset, task.corpus.vocab_size, task.seed)
        _, description, refusals = describe(folder, directory, task.preset, ("hf",) if self.model == "marian" else ())
        if refusals:
            raise ContestantError(refusals["hf"])
        content = {
            "description": str(description),
            "device": task.device,
            "dtype": entry.dtype,
            "threads": entry.cores,
            "window": task.window,
            "batches": task.batches(),
            "compiled": self.backend,
        }
        (folder / "task.json").write_text(json.dumps(content), encoding="utf-8")
        return [sys.executable, "-m", "benchmarks.peers.training", self.model, "task.json", "result.json"]

    def _result(self, folder: Path) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        return found

    def windows(self, folder: Path) -> list[float]:
        if not (folder / "result.json").exists():
            return []
        found = self._result(folder)
        return [tokens / seconds for tokens, seconds in zip(found["num_tokens"], found["seconds"], strict=True)]

    def parameters(self, folder: Path) -> int:
        return int(self._result(folder)["parameters"])

    def check(self, folder: Path) -> dict[str, float]:
        found: dict[str, float] = self._result(folder)["check"]
        return found


class JoeyNmt(Trainer):
    """`joeynmt train` with the shape of the task's preset, in float32: on a CPU it has nothing else.

    Its "Tokens per Sec" are target tokens, end tokens included and padding not (joeynmt/batch.py), as mtcli's are.
    """

    def versions(self) -> dict[str, str]:
        return versions_on(str(PEERS_PYTHON), ("joeynmt", "torch"))

    def command(self, task: Task, entry: TrainingEntry, folder: Path) -> list[str]:
        train = task.corpus.train
        if entry.way == BY_LENGTH:
            train = folder / "sorted"
            _write_in_batches(task, train)
        pieces = Tokenizer.from_file(task.corpus.tokenizer).pieces(range(task.corpus.vocab_size))
        (folder / "vocabulary").write_text("".join(piece + "\n" for piece in pieces), encoding="utf-8")
        settings = joeynmt_settings(task, train, folder, shuffle=entry.way != BY_LENGTH)
        path = folder / "joeynmt.yaml"
        path.write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")  # JSON is YAML
        return [str(PEERS_PYTHON), "-m", "joeynmt", "train", str(path), "--skip-test"]

    def windows(self, folder: Path) -> list[float]:
        return [float(rate) for rate in _RATE.findall(self._log(folder))]

    def parameters(self, folder: Path) -> int:
        found = _PARAMETERS.search(self._log(folder))
        if found is None:
            raise ContestantError("its log does not say how many parameters it has")
        return int(found[1].replace(",", ""))

    def _log(self, folder: Path) -> str:
        path = folder / "model" / "train.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""


def joeynmt_settings(task: Task, train: Path, folder: Path, *, shuffle: bool) -> dict[str, Any]:
    """Return JoeyNMT's settings for a task: those of joeynmt.json, and what it says of corpus and model.

    Args:
        task: what is trained.
        train: the stem of the corpus's files.
        folder: for what it writes.
        shuffle: whether it is to shuffle the corpus.
    """
    model = task.model
    settings: dict[str, Any] = json.loads(JOEYNMT_SETTINGS.read_text(encoding="utf-8"))
    settings |= {"model_dir": str(folder / "model"), "random_seed": task.seed}
    settings["data"] |= {"train": str(train), "dev": str(task.corpus.valid)}
    for side in ("src", "trg"):
        settings["data"][side] |= {
            "level": "bpe",
            "tokenizer_type": "sentencepiece",
            "tokenizer_cfg": {"model_file": str(task.corpus.tokenizer)},
            "voc_file": str(folder / "vocabulary"),
            "max_length": model.max_length,
        }
    settings["training"] |= {
        "batch_size": task.batch_tokens,
        "shuffle": shuffle,
        "updates": task.updates,
        "logging_freq": task.window,
        "validation_freq": 1000 * task.updates * task.window,  # never
    }
    for stack in ("encoder", "decoder"):
        settings["model"][stack] = {
            "type": "transformer",
            "num_layers": getattr(model, f"{stack}_layers"),
            "num_heads": model.heads,
            "embeddings": {"embedding_dim": model.d_model, "scale": True, "dropout": model.dropout},
            "hidden_size": model.d_model,
            "ff_size": model.ffn_dim,
            "dropout": model.dropout,
            "layer_norm": model.norm,
            "activation": model.activation,
        }
    return settings


def _write_in_batches(task: Task, stem: Path) -> None:
    """The corpus, so that what JoeyNMT reads one after the other makes batches of like lengths."""
    order = in_batches(task.corpus, task.batch_tokens, task.seed)
    for end in ("src", "tgt"):
        lines = task.corpus.train.with_suffix(f".{end}").read_text(encoding="utf-8").split("\n")
        stem.with_suffix(f".{end}").write_text("".join(lines[place] + "\n" for place in order), encoding="utf-8")


def in_batches(corpus: Corpus, batch_tokens: int, seed: int) -> list[int]:
    """Return places of all pairs, batch after batch, the batches shuffled.

    A batch ends as JoeyNMT ends it: with the pair that makes longest side times pairs as large as `batch_tokens`.
    The last one, which may be smaller, stays last.
    """
    sizes = [max(len(src), len(tgt)) for src, tgt in zip(corpus.src, corpus.tgt, strict=True)]
    batches: list[list[int]] = []
    batch, longest = list[int](), 0
    for place in sorted(range(len(sizes)), key=lambda place: (len(corpus.tgt[place]), len(corpus.src[place]))):
        batch.append(place)
        longest = max(longest, sizes[place])
        if longest * len(batch) >= batch_tokens:
            batches.append(batch)
            batch, longest = [], 0
    random.Random(seed).shuffle(batches)
    return [place for whole in [*batches, batch] for place in whole]


def trainer_of(short: str, *, toy: bool) -> Trainer:
    """Return a contestant by its short name; a toy is compiled without Inductor, which needs minutes."""
    made: dict[str, Callable[[], Trainer]] = {
        MTCLI: Mtcli,
        "joeynmt": JoeyNmt,
        "torch": lambda: PlainLoop(model="stock"),
        "torch-compiled": lambda: PlainLoop(model="stock", backend="aot_eager" if toy else "inductor"),
        "hf": lambda: PlainLoop(model="marian", packages=("transformers", "torch")),
    }
    return made[short]()
