"""Line translators that need no model: one that changes nothing, one that shouts, some that are as bad as can be."""

import re
from collections.abc import Callable, Sequence

from mtcli.documents.asking import Link
from mtcli.translation import Candidate, Translation


class Stub:
    """Translate by a function of a line; words are linked in order, or as another function says."""

    def __init__(
        self,
        translate: Callable[[str], str],
        links: Callable[[int, int], Sequence[Link]] = lambda src, tgt: [(min(n, src - 1), n) for n in range(tgt)],
    ) -> None:
        self._translate, self._links = translate, links
        self.asked: list[str] = []

    def translate(self, lines: Sequence[str]) -> list[Translation]:
        assert all("\n" not in line and line.strip() for line in lines)
        self.asked += lines
        return [Translation(line, (Candidate(self._translate(line), 0.0, 0.0, 1),)) for line in lines]

    def links(self, translations: Sequence[Translation]) -> list[Sequence[Link]]:
        return [self._links(len(one.source.split()), len(one.text.split())) for one in translations]


def identity() -> Stub:
    """The line itself."""
    return Stub(lambda line: line)


def shouting() -> Stub:
    """Words in reversed order and upper case, linked as they belong."""
    return Stub(
        lambda line: " ".join(reversed(line.upper().split())),
        lambda src, tgt: [(src - 1 - n, n) for n in range(min(src, tgt))],
    )


def nasty() -> list[Stub]:
    """Those that lose, repeat, break, invent and reorder."""
    return [
        Stub(lambda line: ""),
        Stub(lambda line: "x"),
        Stub(lambda line: f"{line} {line}"),
        Stub(lambda line: re.sub(r"[^\w\s]", "", line)),
        Stub(lambda line: line.swapcase()[::-1]),
        Stub(lambda line: f"{{new}} {line} %d <b>"),
        Stub(lambda line: line.replace("{", "{ ").replace("%", "% "), lambda src, tgt: []),
        Stub(lambda line: " ".join(line.split()[::2]), lambda src, tgt: [(0, n) for n in range(tgt)]),
    ]
