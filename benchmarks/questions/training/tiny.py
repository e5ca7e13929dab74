"""How fast does a small model train? Transformer-Tiny on Multi30k, beside JoeyNMT and PyTorch."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.questions.training.contest import Contestant, Plan, measure
from benchmarks.questions.training.corpora import multi30k
from benchmarks.questions.training.entries import FLOAT32, JOEYNMT, Entry, entries, matching
from benchmarks.questions.training.records import Trained
from benchmarks.questions.training.tasks import Task

PRESET = "tiny"
VOCAB_SIZE = 8000
WINDOW = 10  # updates: shorter ones would be rounded away in a log of whole tokens a second


def tiny_entries(dtypes: Sequence[str], cores: Sequence[int], names: Sequence[str], only: Sequence[str]) -> list[Entry]:
    """Those of the contestants named; JoeyNMT has float32 alone."""
    offered = {name: [FLOAT32] if name == JOEYNMT else dtypes for name in names}
    return matching(entries(offered, cores), only)


def measure_tiny(
    plan: Plan,
    contestants: Mapping[str, Contestant],
    found: Sequence[Entry],
    *,
    data: Path,
    batch_tokens: int,
    warm_up: int,
    steps: int,
    limit: int | None = None,
) -> Trained:
    """Let all train on the first `limit` pairs of DATA/multi30k, all by default; English to German.

    Raises:
        MtcliError: `data` holds no multi30k.
        ContestantError: mtcli cannot learn the pieces.
        ValueError: mtcli failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        corpus = multi30k(data, Path(folder), src="en", tgt="de", vocab_size=VOCAB_SIZE, limit=limit)
        task = Task(
            preset=PRESET,
            corpus=corpus,
            batch_tokens=batch_tokens,
            warm_up=warm_up,
            steps=steps,
            window=WINDOW,
            seed=plan.seed,
        )
        return measure(plan, "Transformer-Tiny training on Multi30k", task, contestants, found, Path(folder))
