"""JoeyNMT as a contestant: its command, a configuration for it, and what that writes into train.log.

Its "Tokens per Sec" are target tokens, end tokens included and padding not (joeynmt/batch.py), as mtcli's are.
"""

import json
import random
import re
from pathlib import Path
from typing import Any

from benchmarks.contest.processes import Command
from benchmarks.contest.versions import installed
from benchmarks.questions.training.entries import BY_LENGTH, Entry
from benchmarks.questions.training.tasks import Corpus, Task
from mtcli.data.tokenizer import Tokenizer

PACKAGES = ("joeynmt", "torch")
SPECIAL = ("<unk>", "<pad>", "<s>", "</s>")  # in the order of its ids
_RATE = re.compile(r"Tokens per Sec: +(\d+)")
_PARAMETERS = re.compile(r"Total params: ([\d,]+)")


class JoeyNmt:
    """`joeynmt train` with the shape of the task's preset, in float32: on a CPU it has nothing else."""

    def __init__(self, python: Path) -> None:
        self._python = python

    def versions(self) -> dict[str, str]:
        return installed(self._python, PACKAGES)

    def command(self, task: Task, entry: Entry, folder: Path) -> Command:
        train = task.corpus.train
        if entry.way == BY_LENGTH:
            train = folder / "sorted"
            _write_in_batches(task, train)
        pieces = Tokenizer.from_file(task.corpus.tokenizer).pieces(range(task.corpus.vocab_size))
        (folder / "vocabulary").write_text("".join(piece + "\n" for piece in pieces), encoding="utf-8")
        settings = configuration(task, train, folder, shuffle=entry.way != BY_LENGTH)
        path = folder / "joeynmt.yaml"
        path.write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")  # JSON is YAML
        return Command(arguments=[str(self._python), "-m", "joeynmt", "train", str(path), "--skip-test"])

    def windows(self, folder: Path) -> list[float]:
        """Target tokens a second, as often as they were logged."""
        return [float(rate) for rate in _RATE.findall(_log(folder))]

    def parameters(self, folder: Path) -> int:
        found = _PARAMETERS.search(_log(folder))
        if found is None:
            raise ValueError("its log does not say how many parameters it has")
        return int(found[1].replace(",", ""))


def _log(folder: Path) -> str:
    path = folder / "model" / "train.log"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def configuration(task: Task, train: Path, folder: Path, *, shuffle: bool) -> dict[str, Any]:
    """JoeyNMT's settings for a task; `train` is the stem of the corpus's files."""
    model = task.model
    pieces = {
        "level": "bpe",
        "tokenizer_type": "sentencepiece",
        "tokenizer_cfg": {"model_file": str(task.corpus.tokenizer)},
        "voc_file": str(folder / "vocabulary"),
        "max_length": model.max_length,
    }
    stack = {
        "type": "transformer",
        "num_heads": model.heads,
        "embeddings": {"embedding_dim": model.d_model, "scale": True, "dropout": model.dropout},
        "hidden_size": model.d_model,
        "ff_size": model.ffn_dim,
        "dropout": model.dropout,
        "layer_norm": model.norm,
        "activation": model.activation,
    }
    return {
        "name": "benchmark",
        "joeynmt_version": "2.3.0",
        "model_dir": str(folder / "model"),
        "use_cuda": False,
        "random_seed": task.seed,
        "data": {
            "train": str(train),
            "dev": str(task.corpus.valid),
            "dataset_type": "plain",
            "src": {"lang": "src", **pieces},
            "trg": {"lang": "tgt", **pieces},
        },
        "testing": {"beam_size": 1},
        "training": {
            "optimizer": "adam",
            "adam_betas": [0.9, 0.98],
            "scheduling": "warmupinversesquareroot",
            "learning_rate": 0.003,
            "learning_rate_warmup": 1500,
            "learning_rate_min": 0.0,
            "clip_grad_norm": 1.0,
            "normalization": "tokens",
            "label_smoothing": 0.1,
            "batch_size": task.batch_tokens,
            "batch_type": "token",
            "shuffle": shuffle,
            "epochs": 1000,
            "updates": task.updates,
            "logging_freq": task.window,
            "validation_freq": 1000 * task.updates * task.window,  # never
            "early_stopping_metric": "loss",
        },
        "model": {
            "initializer": "xavier_uniform",
            "tied_embeddings": True,
            "tied_softmax": True,
            "encoder": {**stack, "num_layers": model.encoder_layers},
            "decoder": {**stack, "num_layers": model.decoder_layers},
        },
    }


def _write_in_batches(task: Task, stem: Path) -> None:
    """The corpus, so that what JoeyNMT reads one after the other makes batches of like lengths."""
    order = in_batches(task.corpus, task.batch_tokens, task.seed)
    for end in ("src", "tgt"):
        lines = task.corpus.train.with_suffix(f".{end}").read_text(encoding="utf-8").split("\n")
        stem.with_suffix(f".{end}").write_text("".join(lines[place] + "\n" for place in order), encoding="utf-8")


def in_batches(corpus: Corpus, batch_tokens: int, seed: int) -> list[int]:
    """Places of all pairs, batch after batch, the batches shuffled.

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
