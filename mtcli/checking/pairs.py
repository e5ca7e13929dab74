"""Pairs of lines to check, read from two files, a table or JSON lines, one pair at a time."""

import json
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from mtcli.errors import DataError
from mtcli.files import display_name, read_lines


class TranslatedLine(NamedTuple):
    """Hold a line, its translation and, where a model gave it, how probable that is.

    Attributes:
        source, target: the two lines.
        log_prob: summed natural-log probability of the target's tokens.
        num_tokens: how many those are.
    """

    source: str
    target: str
    log_prob: float | None = None
    num_tokens: int | None = None


def read_sides(src: Path, tgt: Path) -> Iterator[TranslatedLine]:
    """Read two files of which line i of one belongs to line i of the other; `-` is stdin.

    Raises:
        DataError: a file cannot be read, or one has more lines than the other.
    """
    number = 0
    for number, (source, target) in enumerate(zip_longest(read_lines(src), read_lines(tgt)), start=1):
        if source is None or target is None:
            longer, shorter = (tgt, src) if source is None else (src, tgt)
            raise DataError(
                f"{display_name(longer)} goes on where {display_name(shorter)} ends: line {number} has no partner. "
                "Line i of one must be the translation of line i of the other."
            )
        yield TranslatedLine(source, target)


def read_table(path: Path) -> Iterator[TranslatedLine]:
    """Read source<TAB>target from each line; further columns are left out.

    Raises:
        DataError: the file cannot be read, or a line has no tab.
    """
    for number, line in enumerate(read_lines(path), start=1):
        columns = line.split("\t")
        if len(columns) < 2:
            raise DataError(f"{display_name(path)}:{number}: no tab on the line. Expected source<TAB>target.")
        yield TranslatedLine(columns[0], columns[1])


def read_json_lines(path: Path) -> Iterator[TranslatedLine]:
    """Read what `mtcli translate --format jsonl` writes: objects with `source` and `translation`.

    Of the first of `n_best`, where it is there, `log_prob` and `num_tokens` are read. Blank lines are left out.

    Raises:
        DataError: the file cannot be read, or a line is no such object.
    """
    for number, line in enumerate(read_lines(path), start=1):
        if line.strip():
            try:
                yield _from_object(json.loads(line))
            except (ValueError, RecursionError) as error:
                raise DataError(
                    f'{display_name(path)}:{number}: {error}. Expected {{"source": "…", "translation": "…"}}, as '
                    "mtcli translate --format jsonl writes it."
                ) from None


def _from_object(content: Any) -> TranslatedLine:
    if not isinstance(content, dict):
        raise ValueError(f"a JSON {type(content).__name__}, no object")
    source, target = content.get("source"), content.get("translation")
    if not isinstance(source, str) or not isinstance(target, str):
        missing = "source" if not isinstance(source, str) else "translation"
        raise ValueError(f"an object without a string `{missing}`")
    n_best = content.get("n_best")
    best = n_best[0] if isinstance(n_best, list) and n_best and isinstance(n_best[0], dict) else {}
    log_prob, num_tokens = best.get("log_prob"), best.get("num_tokens")
    if isinstance(log_prob, int | float) and isinstance(num_tokens, int) and num_tokens > 0:
        return TranslatedLine(source, target, float(log_prob), num_tokens)
    return TranslatedLine(source, target)
