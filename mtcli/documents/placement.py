"""Where inline codes go in a translation: around the words that the words between them became.

The practice follows what translation tools do with a hard word alignment (Hanneman and Dinu 2020, "How Should Markup
Tags Be Translated?", call it detag and project), on whole words: a pair covers the translations of the words that it
covers; a point stays behind the translation of the word before it. Pairs that lie in one another stay so.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from mtcli.documents.asking import Link
from mtcli.formats.documents.model import Code, CodeKind, Content, joined

_WORD = re.compile(r"\S+")


class PlacementError(Exception):
    """Tell that codes cannot be placed so that each keeps what it needs."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Hold a code and its place in plain text.

    Attributes:
        offset: characters of the text before it.
        kind, number: the code's.
        content: what is written: the code, or what stands together as one, such as a drawing with all that is in it.
    """

    offset: int
    kind: CodeKind
    number: int
    content: Content


@dataclass(slots=True)
class _Node:
    """A pair, or a point, whose beginning is its end, and what lies in it."""

    order: int
    first: Content
    last: Content = ()
    offset: int = 0
    offset_end: int = 0
    start: int = 0
    end: int = 0
    is_point: bool = False
    inner: list["_Node"] = field(default_factory=list)


def place(source: str, codes: Sequence[Placed], target: str, links: Sequence[Link]) -> Content:
    """Put the codes of a text into its translation.

    Args:
        source: the text.
        codes: in the order of the text; a pair's in this order, pairs within one another or apart.
        target: its translation.
        links: which source word each target word belongs to.

    Raises:
        PlacementError: a pair that holds words would hold none.
    """
    roots = _tree(codes)
    words = _Words(source, target, links)
    for root in roots:
        words.span(root)
    return joined(_written(target, _apart(roots), 0, len(target)))


def _tree(codes: Sequence[Placed]) -> list[_Node]:
    """The pairs and points as they lie in one another; half of a pair is a point."""
    closes = {code.number for code in codes if code.kind is CodeKind.CLOSE}
    roots: list[_Node] = []
    within: list[tuple[int, _Node]] = []
    for order, code in enumerate(codes):
        siblings = within[-1][1].inner if within else roots
        if code.kind is CodeKind.OPEN and code.number in closes:
            node = _Node(order, code.content, offset=code.offset)
            siblings.append(node)
            within.append((code.number, node))
        elif code.kind is CodeKind.CLOSE and within and within[-1][0] == code.number:
            node = within.pop()[1]
            node.last, node.offset_end = code.content, code.offset
        else:
            siblings.append(_Node(order, code.content, offset=code.offset, offset_end=code.offset, is_point=True))
    if within:
        raise PlacementError("pairs overlap")
    return roots


class _Words:
    """The words of a text and of its translation, and how they belong together."""

    def __init__(self, source: str, target: str, links: Sequence[Link]) -> None:
        self._source, self._target = source, target
        self._src = [match.span() for match in _WORD.finditer(source)]
        self._tgt = [match.span() for match in _WORD.finditer(target)]
        self._links: dict[int, list[int]] = {}
        for src, tgt in links:
            if src < len(self._src) and tgt < len(self._tgt):
                self._links.setdefault(src, []).append(tgt)

    def span(self, node: _Node) -> None:
        """Find where a pair or point goes, and all in it; a pair grows around what is in it."""
        for child in node.inner:
            self.span(child)
        if node.is_point or node.offset == node.offset_end or not self._tgt:
            node.start = node.end = self._point(node.offset)
        else:
            node.start, node.end = self._pair(node.offset, node.offset_end)
        for child in node.inner:
            node.start, node.end = min(node.start, child.start), max(node.end, child.end)

    def _pair(self, start: int, end: int) -> tuple[int, int]:
        covered = [place for place, (first, last) in enumerate(self._src) if first < end and last > start]
        if not covered:
            place = self._point(start)
            return place, place
        first, last = self._run(covered)
        begins = self._tgt[first][0] + self._lead(first, self._source[self._src[covered[0]][0] : start])
        ends = self._tgt[last][1] - self._tail(last, self._source[end : self._src[covered[-1]][1]])
        return (begins, ends) if begins < ends else (self._tgt[first][0], self._tgt[last][1])

    def _point(self, offset: int) -> int:
        """Behind the translation of the word before it, or in front of that of the word that it touches."""
        if not self._tgt or not self._src:
            return len(self._target) if offset else 0
        before = [place for place, (first, _) in enumerate(self._src) if first < offset]
        if before and not self._source[offset - 1 : offset].isspace():
            word = before[-1]
            _, last = self._run([word])
            return self._tgt[last][1] - self._tail(last, self._source[offset : self._src[word][1]])
        if len(before) == len(self._src):
            return len(self._target)
        return self._tgt[self._run([len(before)])[0]][0]

    def _run(self, words: Sequence[int]) -> tuple[int, int]:
        """First and last of the target words that these became: the densest run of them."""
        found = sorted({target for word in words for target in self._links.get(word, ())})
        if not found:  # nothing looked at them: where they would be if all words kept their order
            middle = (words[0] + words[-1] + 1) / 2 / len(self._src)
            place = min(len(self._tgt) - 1, int(middle * len(self._tgt)))
            return place, place
        if found[-1] - found[0] < 2 * len(found):
            return found[0], found[-1]
        runs: list[list[int]] = []
        for place in found:
            if runs and place - runs[-1][-1] <= 2:
                runs[-1].append(place)
            else:
                runs.append([place])
        best = max(runs, key=len)
        return best[0], best[-1]

    def _lead(self, word: int, left_out: str) -> int:
        """Characters of a target word before a pair that left out these, which are no letters, of its first word."""
        if not left_out or any(map(str.isalnum, left_out)):
            return 0
        first, last = self._tgt[word]
        text = self._target[first:last]
        marks = next((place for place, character in enumerate(text) if character.isalnum()), 0)
        return min(marks, len(left_out))

    def _tail(self, word: int, left_out: str) -> int:
        if not left_out or any(map(str.isalnum, left_out)):
            return 0
        first, last = self._tgt[word]
        text = self._target[first:last]
        marks = next((place for place, character in enumerate(reversed(text)) if character.isalnum()), 0)
        return min(marks, len(left_out))


def _apart(nodes: Sequence[_Node]) -> list[_Node]:
    """Nodes in the order of the translation, none overlapping another: one goes into the other, or begins behind it."""
    found: list[_Node] = []
    for node in sorted(nodes, key=lambda node: (node.start, node.order)):
        if found and node.start < found[-1].end:
            if node.end <= found[-1].end:
                found[-1].inner.append(node)
                continue
            _cut(node, found[-1].end)
        found.append(node)
    for node in found:
        node.inner = _apart(node.inner)
    return found


def _cut(node: _Node, start: int) -> None:
    """Let a node and all in it begin no earlier."""
    if not node.is_point and node.offset < node.offset_end and node.end <= start:
        raise PlacementError("two pairs want the same words")
    node.start, node.end = max(node.start, start), max(node.end, start)
    for child in node.inner:
        _cut(child, start)


def _written(target: str, nodes: Sequence[_Node], start: int, end: int) -> Iterator[str | Code]:
    place = start
    for node in nodes:
        yield target[place : node.start]
        yield from node.first
        yield from _written(target, node.inner, node.start, node.end)
        yield from node.last
        place = node.end
    yield target[place:end]
