"""What all contestants of a question train, and on what."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtcli.config import ModelConfig, load_config


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """Line-aligned text files and the pieces that they are cut into.

    Attributes:
        train: the stem of the files `train.src` and `train.tgt`; valid: likewise.
        tokenizer: a SentencePiece model for both sides; vocab_size: its pieces.
        origin: in words.
        src, tgt: the training pairs as token ids, end tokens included.
    """

    train: Path
    valid: Path
    tokenizer: Path
    vocab_size: int
    origin: str
    src: Sequence[list[int]]
    tgt: Sequence[list[int]]

    def record(self) -> dict[str, Any]:
        """The `corpus` entry of a results file."""
        src, tgt = ([len(sentence) for sentence in side] for side in (self.src, self.tgt))
        return {
            "origin": self.origin,
            "pairs": len(src),
            "mean_src": statistics.fmean(src),
            "mean_tgt": statistics.fmean(tgt),
            "longest": max(max(src), max(tgt)),
        }


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is trained, and how long.

    Attributes:
        preset: mtcli's; the peers get the same shape.
        batch_tokens: the largest batch, on its longer side.
        warm_up: updates that do not count.
        steps: those after them.
        window: updates for one figure of a contestant's log; divides both.
    """

    preset: str
    corpus: Corpus
    batch_tokens: int
    warm_up: int
    steps: int
    window: int
    seed: int

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
        """Target tokens a second of those after the warm-up: all tokens over all time, as each has as many.

        Raises:
            ValueError: the log has other windows than were asked for.
        """
        if len(windows) != self.windows:
            raise ValueError(f"its log has {len(windows)} figures where {self.windows} were expected")
        return statistics.harmonic_mean(windows[self.warm_up // self.window :])


def json_lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a JSON-lines file that may still be growing; none where there is no file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines(keepends=True) if line[-1] == "\n"]
