"""Toy languages over ten letters: what a Transformer must learn in seconds if nothing is broken."""

import random
from collections.abc import Callable
from pathlib import Path

LETTERS = "abcdefghij"

TASKS: dict[str, Callable[[list[str]], list[str]]] = {
    "copy": list,
    "reverse": lambda letters: letters[::-1],
    "sort": sorted,
}


def letter_pairs(task: str, count: int, seed: int, longest: int = 8) -> list[tuple[str, str]]:
    """Distinct source lines of letters and their targets."""
    rng = random.Random(seed)
    sources: dict[str, None] = {}
    while len(sources) < count:
        sources[" ".join(rng.choices(LETTERS, k=rng.randint(2, longest)))] = None
    return [(source, " ".join(TASKS[task](source.split()))) for source in sources]


def write_sides(pairs: list[tuple[str, str]], stem: Path) -> tuple[Path, Path]:
    """Write STEM.src and STEM.tgt."""
    files = stem.with_suffix(".src"), stem.with_suffix(".tgt")
    for side, path in enumerate(files):
        path.write_text("".join(pair[side] + "\n" for pair in pairs), encoding="utf-8")
    return files


def spelt(number: int) -> str:
    """A line of one letter for each digit of a number: other numbers make other lines."""
    return " ".join(LETTERS[int(digit)] for digit in str(number))
