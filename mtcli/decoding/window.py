"""Lines translated together: each distinct part once, each line out as soon as it and those before it are whole.

No tensors here.
"""

from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar

from mtcli.data.tokenizer import Tokenizer
from mtcli.decoding.lines import Part, is_invisible, split_line

Result = TypeVar("Result")


class Window(Generic[Result]):
    """The parts of some lines, and what has been made of them so far.

    Attributes:
        lines: the lines as they came.
        parts: the parts of each line; none for a line that the model need not see.
        sources: the tokens of each distinct part, without an end token.
    """

    def __init__(self, lines: Sequence[str], tokenizer: Tokenizer, max_tokens: int) -> None:
        self.lines = lines
        self.parts = [[] if is_invisible(line) else split_line(line, tokenizer, max_tokens) for line in lines]
        places: dict[tuple[int, ...], int] = {}
        self._places = [[places.setdefault(tuple(part.tokens), len(places)) for part in parts] for parts in self.parts]
        self.sources = list(places)
        self._results: list[Result | None] = [None] * len(places)
        self._next = 0

    def finish(self, place: int, result: Result) -> None:
        """Note what became of `sources[place]`."""
        self._results[place] = result

    def ready(self) -> Iterator[tuple[str, list[Part], list[Result]]]:
        """The lines that are whole and have not come out yet, in order: line, parts, the parts' results."""
        while self._next < len(self.lines):
            results = [result for place in self._places[self._next] if (result := self._results[place]) is not None]
            parts = self.parts[self._next]
            if len(results) < len(parts):
                return
            line = self.lines[self._next]
            self._next += 1
            yield line, parts, results
