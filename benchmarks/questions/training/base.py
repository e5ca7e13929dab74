"""How fast does a Transformer-base train? A few updates on random sentences, beside PyTorch and Marian."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.questions.training.contest import Contestant, Plan, measure
from benchmarks.questions.training.corpora import random_words
from benchmarks.questions.training.entries import Entry, entries, matching
from benchmarks.questions.training.records import Trained
from benchmarks.questions.training.tasks import Corpus, Task

WINDOW = 1
SPARE = 1.5  # sources for more batches than are needed: targets may be the longer side


@dataclass(frozen=True, kw_only=True)
class RandomModel:
    """What is trained.

    Attributes:
        preset: the model's shape.
        vocab_size: pieces.
        data: the folder that holds newstest2014; None draws lengths like its.
    """

    preset: str
    vocab_size: int
    data: Path | None

    def corpus(self, folder: Path, tokens: int, seed: int) -> Corpus:
        """Random sentences for batches of so many tokens together, written into `folder`.

        Raises:
            DataError: there is no newstest2014 where it was expected.
        """
        return random_words(self.data, folder, vocab_size=self.vocab_size, tokens=round(SPARE * tokens), seed=seed)


def base_entries(dtypes: Sequence[str], cores: Sequence[int], names: Sequence[str], only: Sequence[str]) -> list[Entry]:
    """Those of the contestants named; all have the same number types."""
    return matching(entries(dict.fromkeys(names, dtypes), cores), only)


def measure_base(
    plan: Plan,
    contestants: Mapping[str, Contestant],
    found: Sequence[Entry],
    model: RandomModel,
    *,
    batch_tokens: int,
    warm_up: int,
    steps: int,
) -> Trained:
    """Let all train on random words.

    Raises:
        MtcliError: there is no such preset, or no newstest2014 where it was expected.
        ValueError: mtcli failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        task = Task(
            preset=model.preset,
            corpus=model.corpus(Path(folder), batch_tokens * (warm_up + steps), plan.seed),
            batch_tokens=batch_tokens,
            warm_up=warm_up,
            steps=steps,
            window=WINDOW,
            seed=plan.seed,
        )
        title = f"Transformer {model.preset} training on random sentences"
        return measure(plan, title, task, contestants, found, Path(folder))
