"""What trainers train, and on what: Multi30k, or random words in sentences as long as news."""

import json
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contest.machine import mtcli_words
from benchmarks.contest.processes import run, why_ended
from benchmarks.contest.records import Text
from benchmarks.questions.models import random_words, sentence_lengths, text_of, word_pieces
from mtcli.bench.contest import ContestantError
from mtcli.bench.workload.shapes import translated_lengths
from mtcli.config import ModelConfig, load_config
from mtcli.data.batching import TokenBatches
from mtcli.data.tokenizer import Tokenizer
from mtcli.errors import DataError
from mtcli.files import read_lines

VALID_LINES = 4  # validation is no part of what is measured; mtcli does one at a run's end
TO_TOKENISE = 600.0  # seconds
SPARE = 1.5  # sources for more batches than are needed: targets may be the longer side
A_SENTENCE = 20  # source tokens at least, on average


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """Line-aligned text files and the pieces that they are cut into.

    Attributes:
        train: the stem of the files `train.src` and `train.tgt`; valid: likewise.
        tokenizer: a SentencePiece model for both sides; vocab_size: its pieces.
        src, tgt: the training pairs as token ids, end tokens included.
        text: the same in numbers.
    """

    train: Path
    valid: Path
    tokenizer: Path
    vocab_size: int
    src: Sequence[list[int]]
    tgt: Sequence[list[int]]
    text: Text


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is trained, and how long.

    Attributes:
        title: in words.
        preset: mtcli's; the peers get the same shape.
        batch_tokens: the largest batch, on its longer side.
        warm_up: updates that do not count.
        steps: those after them.
        window: updates for one figure of a contestant's log; divides both.
        device: cpu or cuda.
    """

    title: str
    preset: str
    corpus: Corpus
    batch_tokens: int
    warm_up: int
    steps: int
    window: int
    seed: int
    device: str = "cpu"

    @property
    def model(self) -> ModelConfig:
        return load_config(self.preset).model

    @property
    def updates(self) -> int:
        return self.warm_up + self.steps

    @property
    def windows(self) -> int:
        """How many windows a log has, those of the warm-up included."""
        return self.updates // self.window

    def rate(self, windows: Sequence[float]) -> float:
        """Return target tokens a second of those after the warm-up: all tokens over all time, as each has as many.

        Raises:
            ContestantError: the log has other windows than were asked for.
        """
        if len(windows) != self.windows:
            raise ContestantError(f"its log has {len(windows)} figures where {self.windows} were expected")
        return statistics.harmonic_mean(windows[self.warm_up // self.window :])

    def batches(self) -> list[dict[str, Any]]:
        """Return the first batches that mtcli makes of the corpus, as `benchmarks.peers.training` takes them."""
        corpus = self.corpus
        src, tgt = (np.array([len(sentence) for sentence in side]) for side in (corpus.src, corpus.tgt))
        made = TokenBatches(src, tgt, self.batch_tokens, self.seed).epoch(0)
        return [
            {"sources": [corpus.src[place] for place in places], "targets": [corpus.tgt[place] for place in places]}
            for places in made[: self.updates]
        ]


def multi30k(data: Path, folder: Path, *, src: str, tgt: str, vocab_size: int, limit: int | None = None) -> Corpus:
    """Write the training pairs of DATA/multi30k as plain text, and the pieces that mtcli learns from them.

    Args:
        data: the folder that holds multi30k.
        folder: for the files.
        src, tgt: languages.
        vocab_size: pieces of both languages together.
        limit: training pairs; None for all.

    Raises:
        DataError: DATA/multi30k is not there, or a side lacks a line.
        ContestantError: mtcli could not learn the pieces.
    """
    lines = {
        (name, end): list(read_lines(data / "multi30k" / f"{name}.{language}.xz"))[:limit]
        for end, language in (("src", src), ("tgt", tgt))
        for name in ("train", "val")
    }
    train = _whole(lines["train", "src"], lines["train", "tgt"])
    _write(folder, "train", train)
    _write(folder, "valid", _whole(lines["val", "src"], lines["val", "tgt"])[:VALID_LINES])
    return _corpus(folder, _learn_pieces(folder, vocab_size), f"Multi30k, {src} to {tgt}", train)


def _whole(src: Sequence[str], tgt: Sequence[str]) -> list[tuple[str, str]]:
    if len(src) != len(tgt):
        raise DataError(f"Multi30k's sides have {len(src)} and {len(tgt)} lines; expected as many of each.")
    return [(one, other) for one, other in zip(src, tgt, strict=True) if one.strip() and other.strip()]


def _learn_pieces(folder: Path, vocab_size: int) -> Path:
    """The tokenizer that `mtcli train` makes of the corpus."""
    made, log = folder / "pieces", folder / "pieces.log"
    settings = ["--preset", "tiny", "--set", f"data.vocab_size={vocab_size}", "--max-steps", "1", "--quiet"]
    command = [*mtcli_words(), "train", *train_options(folder / "train", folder / "valid"), *settings]
    code = run([*command, "-o", str(made)], log, seconds=TO_TOKENISE, cwd=folder)
    if code != 0:
        raise ContestantError(f"mtcli did not learn the pieces: {why_ended(code, log, TO_TOKENISE)}")
    return made / "tokenizer.model"


def train_options(train: Path, valid: Path) -> list[str]:
    """Return the corpus as `mtcli train` takes it."""
    return [
        *("--src", f"{train}.src", "--tgt", f"{train}.tgt"),
        *("--valid-src", f"{valid}.src", "--valid-tgt", f"{valid}.tgt"),
    ]


def random_corpus(data: Path | None, folder: Path, *, vocab_size: int, tokens: int, seed: int) -> Corpus:
    """Write sentences of random words, each a piece of its own, as long as news; targets a fifth longer or shorter.

    Args:
        data: the folder that holds newstest2014, whose lengths they get; None draws lengths as news has them.
        folder: for the files.
        vocab_size: pieces.
        tokens: of a training's batches together, on the longer sides.
        seed: of everything random.

    Raises:
        DataError: DATA/newstest2014 is not there.
    """
    rng, words = random.Random(seed), random_words(vocab_size)
    lengths, origin = sentence_lengths(data, max(VALID_LINES, round(SPARE * tokens / A_SENTENCE)), seed)

    def sentence(length: int) -> str:
        return " ".join(rng.choices(words, k=length))

    others = translated_lengths(lengths, seed)
    train = [(sentence(length), sentence(other)) for length, other in zip(lengths, others, strict=True)]
    _write(folder, "train", train)
    _write(folder, "valid", train[:VALID_LINES])
    pieces = folder / "pieces.model"
    pieces.write_bytes(word_pieces(vocab_size))
    return _corpus(folder, pieces, origin, train)


def _write(folder: Path, name: str, pairs: Sequence[tuple[str, str]]) -> None:
    for end, lines in zip(("src", "tgt"), zip(*pairs, strict=True), strict=True):
        (folder / f"{name}.{end}").write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def _corpus(folder: Path, pieces: Path, origin: str, train: Sequence[tuple[str, str]]) -> Corpus:
    tokenizer = Tokenizer.from_file(pieces)
    src, tgt = ([[*ids, tokenizer.eos_id] for ids in tokenizer.encode_batch(side)] for side in zip(*train, strict=True))
    return Corpus(
        train=folder / "train",
        valid=folder / "valid",
        tokenizer=pieces,
        vocab_size=tokenizer.vocab_size,
        src=src,
        tgt=tgt,
        text=text_of(origin, src, tgt),
    )


def json_lines(path: Path) -> list[dict[str, Any]]:
    """Return the whole lines of a JSON-lines file that may still be growing; none where there is no file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines(keepends=True) if line[-1] == "\n"]
