"""What a large corpus costs: memory and time to prepare it, and to form one epoch's batches.

    python -m benchmarks.corpus --gigabytes 2 [--directory SCRATCH]

Makes a corpus of random words in SCRATCH (words by Zipf's law, sentences of 2 to 14 of them, hardly one twice),
prepares it in a process of its own, and forms the batches of an epoch in another; then removes it.
"""

import argparse
import json
import random
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contest.machine import RESULTS, ROOT, opening, save
from benchmarks.contest.processes import finished
from benchmarks.contest.records import CorpusCost, Cost

WORDS = 200_000
HALVES = 100_000  # different half-sentences a side: ten thousand million sentences
BLOCK = 100_000  # pairs written at once
LETTERS = "etaoinshrdlucmfwypvbgkjqxz"


def half_sentences(seed: int) -> list[bytes]:
    """One to seven words each, frequent words often; sorted by length."""
    rng = random.Random(seed)
    by_rank = [1 / rank for rank in range(1, len(LETTERS) + 1)]
    words = ["".join(rng.choices(LETTERS, by_rank, k=rng.randint(1, 10))) for _ in range(WORDS)]
    frequencies = list(accumulate(1 / rank for rank in range(1, WORDS + 1)))
    halves = (rng.choices(words, cum_weights=frequencies, k=rng.randint(1, 7)) for _ in range(HALVES))
    return sorted((" ".join(half).encode() for half in halves), key=len)


def lines(halves: list[bytes], picks: np.ndarray) -> Iterator[bytes]:
    for first, second in picks.tolist():
        yield halves[first] + b" " + halves[second] + b".\n"


def write_corpus(directory: Path, size: int, seed: int = 1) -> tuple[Path, Path]:
    """Write two files that hold `size` bytes together; a line is about as long as its partner."""
    numbers = np.random.default_rng(seed)
    sides = [half_sentences(2 * seed), half_sentences(2 * seed + 1)]
    paths = (directory / "train.src", directory / "train.tgt")
    with paths[0].open("wb") as src, paths[1].open("wb") as tgt:
        while src.tell() + tgt.tell() < size:
            picks = numbers.integers(0, HALVES, (BLOCK, 2))
            src.writelines(lines(sides[0], picks))
            near = np.clip(picks + numbers.integers(-HALVES // 20, HALVES // 20, picks.shape), 0, HALVES - 1)
            tgt.writelines(lines(sides[1], near))
    return paths


def work(stage: str, directory: Path) -> dict[str, Any]:
    """In a process of its own: prepare the corpus, or form the batches of the one prepared."""
    from mtcli.config import load_config
    from mtcli.data.prepare import prepare
    from mtcli.processors import available_cpus

    files = {"src": [directory / "train.src"], "tgt": [directory / "train.tgt"]}
    config = load_config(options={"data": files})
    start = time.perf_counter()
    data = prepare(config, directory / "run", lambda sentence: print(sentence, file=sys.stderr, flush=True))
    facts: dict[str, Any] = {"processes": available_cpus()}
    if stage == "epoch":
        start = time.perf_counter()
        batches = len(data.batches(config.training.batch_tokens, config.training.seed).epoch(0))
        counts = data.facts["train"]
        facts = {"batches": batches, "pairs": counts["pairs"], "tokens": counts["src_tokens"] + counts["tgt_tokens"]}
    cost = {"seconds": round(time.perf_counter() - start, 1)}
    for name, who in (("peak_mib", resource.RUSAGE_SELF), ("worker_mib", resource.RUSAGE_CHILDREN)):
        cost[name] = resource.getrusage(who).ru_maxrss // (1 << 20 if sys.platform == "darwin" else 1 << 10)
    return facts | {"cost": cost}


def in_process(stage: str, directory: Path) -> dict[str, Any]:
    """Run a stage in a new process."""
    command = [sys.executable, "-m", "benchmarks.corpus", "--stage", stage, "--directory", str(directory)]
    facts: dict[str, Any] = json.loads(finished(command, cwd=ROOT).stdout)
    return facts


def measure(directory: Path, gigabytes: float) -> CorpusCost:
    """Make the corpus, measure, and remove what was made."""
    place = directory / "corpus"
    place.mkdir(parents=True)
    try:
        megabytes = sum(path.stat().st_size for path in write_corpus(place, int(gigabytes * 1e9))) // 10**6
        prepared, formed = in_process("prepare", place), in_process("epoch", place)
    finally:
        shutil.rmtree(place)
    prepare, epoch = (Cost(**facts.pop("cost")) for facts in (prepared, formed))
    head = opening("A large corpus", f"python -m benchmarks.corpus --gigabytes {gigabytes:g}")
    return CorpusCost(**head, megabytes=megabytes, prepare=prepare, epoch=epoch, **prepared, **formed)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.corpus", description="Measure preparing a corpus.")
    parser.add_argument("--gigabytes", type=float, default=2.0, help="size of both sides together")
    parser.add_argument(
        "--directory", type=Path, default=Path(tempfile.gettempdir()), help="where there is room for three times that"
    )
    parser.add_argument("--out", type=Path, default=RESULTS / "cpu" / "corpus.json", help="the JSON file to write")
    parser.add_argument("--stage", choices=["prepare", "epoch"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.stage:
        print(json.dumps(work(arguments.stage, arguments.directory)))
    else:
        save(measure(arguments.directory, arguments.gigabytes), arguments.out)


if __name__ == "__main__":
    main()
