"""A picture of encoder-decoder attention for the terminal: which source words each target word looked at.

The model attends between SentencePiece pieces; a reader thinks in words. `word_attention` goes from the one
to the other and `render_attention` draws the result in block characters, so that it reads the same without
colour, in a pipe and in a log.
"""

import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

WORD_START: Final = "▁"
"""What SentencePiece puts in place of the space before a word."""
END_OF_SENTENCE: Final = "</s>"
_SHADES: Final = " ░▒▓█"
# Attention that is averaged over heads is seldom sharp: 60% is as dark as it gets.
_SHADE_STARTS: Final = (0.05, 0.2, 0.4, 0.6)
_CELL_WIDTH: Final = 2
_LAST_HEADER: Final = "looks most at"


def group_pieces(pieces: Sequence[str]) -> list[tuple[str, list[int]]]:
    """The words that SentencePiece pieces make up, each with the indices of its pieces.

    A word begins at a piece with '▁'; the end-of-sentence piece and a piece of punctuation alone, such as a
    full stop, are words of their own.
    """
    words: list[tuple[str, list[int]]] = []
    for index, piece in enumerate(pieces):
        stands_alone = piece == END_OF_SENTENCE or _is_punctuation(piece)
        follows_word = bool(words) and words[-1][0] != END_OF_SENTENCE and not _is_punctuation(words[-1][0])
        if follows_word and not stands_alone and not piece.startswith(WORD_START):
            word, indices = words[-1]
            words[-1] = (word + piece, [*indices, index])
        else:
            words.append((piece.removeprefix(WORD_START), [index]))
    return words


def _is_punctuation(piece: str) -> bool:
    return bool(piece) and all(unicodedata.category(char).startswith("P") for char in piece)


def word_attention(
    source_pieces: Sequence[str], target_pieces: Sequence[str], weights: Sequence[Sequence[float]]
) -> tuple[list[str], list[str], list[list[float]]]:
    """Source words, target words, and the attention between them, from that between their pieces.

    `weights[target][source]` is what a target piece gives a source piece. A word is given what its pieces are
    given together, and gives what its pieces give on average, so that rows that sum to 1 still do.
    Raises ValueError where the weights are not one row a target piece and one column a source piece.
    """
    _check_shape(source_pieces, target_pieces, weights)
    source, target = group_pieces(source_pieces), group_pieces(target_pieces)
    between_words = [
        [sum(weights[row][column] for row in rows for column in columns) / len(rows) for _, columns in source]
        for _, rows in target
    ]
    return [word for word, _ in source], [word for word, _ in target], between_words


def render_attention(
    source_words: Sequence[str],
    target_words: Sequence[str],
    weights: Sequence[Sequence[float]],
    *,
    max_width: int = 80,
) -> Table:
    """A table with a row for each target word and a column for each source word, shaded by weight.

    `weights[target][source]` are shares of 1. The last column names the source word that got most, and its
    share. Where the words would make the table wider than `max_width` terminal cells, numbers head the
    columns and the caption says which word is which.
    Raises ValueError where the weights are not one row a target word and one column a source word.
    """
    _check_shape(source_words, target_words, weights)
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, caption_justify="left")
    headers = list(source_words)
    if _width(source_words, target_words) > max_width:
        headers = [str(number) for number in range(1, len(source_words) + 1)]
        table.caption = Text("  ".join(f"{n}={word}" for n, word in zip(headers, source_words, strict=True)))
    table.add_column("", justify="right", no_wrap=True)
    for header in headers:
        table.add_column(Text(header), justify="center", no_wrap=True)
    table.add_column(_LAST_HEADER, no_wrap=True)
    for word, row in zip(target_words, weights, strict=True):
        table.add_row(Text(word), *(_shade(weight) for weight in row), _most_looked_at(source_words, row))
    return table


def _width(source_words: Sequence[str], target_words: Sequence[str]) -> int:
    """Terminal cells that the table takes with words for headers; a Hangul syllable takes two."""
    source_widths = [cell_len(word) for word in source_words]
    last = max([len(_LAST_HEADER), *(width + len(" 100%") for width in source_widths)])
    first = max([0, *(cell_len(word) for word in target_words)])
    return first + sum(1 + max(width, _CELL_WIDTH) for width in source_widths) + 1 + last


def _shade(weight: float) -> Text:
    return Text(_SHADES[bisect_right(_SHADE_STARTS, weight)] * _CELL_WIDTH)


def _most_looked_at(source_words: Sequence[str], row: Sequence[float]) -> Text:
    if not source_words:
        return Text("")
    best = max(range(len(row)), key=row.__getitem__)
    return Text(f"{source_words[best]} {row[best]:.0%}")


def _check_shape(source: Sequence[str], target: Sequence[str], weights: Sequence[Sequence[float]]) -> None:
    widths = {len(row) for row in weights}
    if len(weights) != len(target) or widths - {len(source)}:
        got = f"{len(weights)} rows of {sorted(widths)} weights"
        raise ValueError(f"attention of {len(target)} x {len(source)} (target x source) expected, got {got}")
