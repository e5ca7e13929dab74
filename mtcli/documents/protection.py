"""A unit's translation that keeps its pieces and codes: as it comes, with masks, or in parts around them.

The first way is taken whose result has each piece and each code as often as the source. The last ones, which translate
what stands between by itself, read worst and keep everything.
"""

import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from mtcli.decoding.lines import has_words
from mtcli.documents.asking import Answer, Ask
from mtcli.documents.masks import mask
from mtcli.documents.placement import Placed, PlacementError, place
from mtcli.documents.units import Piece, Protection, Unit
from mtcli.formats.documents.model import Code, Content, codes_of, joined, pairs_of, plain

_END = re.compile(r"[\s.!?。！？…]+$")


@dataclass(frozen=True, slots=True)
class Kept:
    """Hold a unit's translation.

    Attributes:
        content: with its codes and pieces.
        way: how they were kept: `copied`, `masked`, `split` (around the pieces), `parted` (around the codes too); empty
            where there were none.
    """

    content: Content
    way: str = ""


def translated(
    unit: Unit, protection: Protection, shapes: Sequence[str]
) -> Generator[Ask, Sequence[Answer], Kept | None]:
    """Translate a unit; returns None where no way keeps all that must be kept."""
    if not any(isinstance(part, Unit) and has_words(part.text) for part in _around_pieces(unit)):
        return Kept(source_of(unit), "copied")
    [answer] = yield Ask((unit.text,), bool(unit.codes))
    if content := _restored(unit, unit, answer, [piece.content for piece in unit.pieces], protection):
        return Kept(content, "copied" if unit.pieces else "")
    for shape in shapes if unit.pieces else ():
        if masked := _masked(unit, shape):
            [answer] = yield Ask((masked.text,), bool(unit.codes))
            if content := _restored(unit, masked, answer, [piece.content for piece in unit.pieces], protection):
                return Kept(content, "masked")
    for way, parts in (("split", _around_pieces(unit)), ("parted", _around_all(unit))):
        if way == "split" and not unit.pieces:
            continue
        content = yield from _in_parts(parts, protection)
        if content and is_whole(unit, content, protection):
            return Kept(content, way)
    return None


def is_whole(unit: Unit, content: Content, protection: Protection) -> bool:
    """Whether a content has all of a unit's codes and pieces, each as often, its pairs within one another."""
    if _codes_of(unit) != sorted(map(repr, codes_of(content))) or not _nests(unit, content):
        return False
    text, wanted = plain(content), plain(source_of(unit))
    opaque = [plain(piece.content) for piece in unit.pieces if len(piece.content) > 1]
    others = [plain(piece.content) for piece in unit.pieces if len(piece.content) == 1]
    return (
        protection.texts(text) == protection.texts(wanted)
        and all(text.count(piece) == wanted.count(piece) for piece in opaque)
        and all(_count(content, piece) == _count(source_of(unit), piece) for piece in others)  # with no code inside
    )


def _count(content: Content, text: str) -> int:
    return sum(piece.count(text) for piece in content if isinstance(piece, str))


def source_of(unit: Unit) -> Content:
    """The unit as the source has it."""
    return joined(piece for _, _, content in _atoms(unit) for piece in content)


def _codes_of(unit: Unit) -> list[str]:
    own = [code for placed in unit.codes for code in codes_of(placed.content)]
    return sorted(map(repr, own + [code for piece in unit.pieces for code in codes_of(piece.content)]))


def _nests(unit: Unit, content: Content) -> bool:
    """Whether its pairs lie in one another, if those of the source do: half of a pair of several lines does not."""
    return _is_sound(content) or not _is_sound(source_of(unit))


def _is_sound(content: Content) -> bool:
    try:
        pairs_of(content)
    except ValueError:
        return False
    return True


def _restored(
    unit: Unit, asked: Unit, answer: Answer, contents: Sequence[Content], protection: Protection
) -> Content | None:
    """The translation with its codes, and the contents in place of the pieces that were asked for."""
    words = [asked.text[piece.start : piece.end] for piece in asked.pieces]
    if any(answer.text.count(word) != asked.text.count(word) for word in words):
        return None
    if answer.text == unit.text:
        return source_of(unit)
    try:
        content = place(asked.text, asked.codes, answer.text, answer.links)
    except PlacementError:
        return None
    found = joined(_with_pieces(content, words, contents))
    return found if is_whole(unit, found, protection) else None


def _with_pieces(content: Content, words: Sequence[str], contents: Sequence[Content]) -> Iterator[str | Code]:
    """A content with contents in place of words; equal words have equal contents, or are replaced in their order."""
    left: dict[str, list[Content]] = {}
    for word, replacement in zip(words, contents, strict=True):
        left.setdefault(word, []).append(replacement)
    if not left:
        yield from content
        return
    pattern = re.compile("|".join(map(re.escape, sorted(left, key=len, reverse=True))))
    for piece in content:
        if not isinstance(piece, str):
            yield piece
            continue
        end = 0
        for match in pattern.finditer(piece):
            yield piece[end : match.start()]
            waiting = left[match[0]]
            yield from waiting.pop(0) if len(waiting) > 1 else waiting[0]
            end = match.end()
        yield piece[end:]


def _masked(unit: Unit, shape: str) -> Unit | None:
    """The unit with a mask for each piece; None where its text has such a word itself."""
    text, end = "", 0
    pieces: list[Piece] = []
    moved: list[tuple[int, int]] = [(0, 0)]  # from a place in the unit's text to what is added to it from there on
    for number, piece in enumerate(unit.pieces):
        word = mask(shape, number)
        if word in unit.text:
            return None
        text += unit.text[end : piece.start]
        pieces.append(Piece(len(text), len(text) + len(word), piece.content))
        text, end = text + word, piece.end
        moved.append((end, len(text) - end))
    codes = [
        replace(code, offset=code.offset + next(by for at, by in reversed(moved) if at <= code.offset))
        for code in unit.codes
    ]
    return Unit(text + unit.text[end:], tuple(codes), tuple(pieces))


_Atom = tuple[int, int, Content]


def _atoms(unit: Unit) -> list[_Atom]:
    """A unit's text between pieces and codes, its pieces and its codes, in order, each with its place in the text."""
    marks: list[_Atom] = [(code.offset, code.offset, code.content) for code in unit.codes]
    marks += [(piece.start, piece.end, piece.content) for piece in unit.pieces]
    marks.sort(key=lambda atom: atom[:2])
    found: list[_Atom] = []
    end = 0
    for start, last, content in marks:
        found += [(end, start, (unit.text[end:start],)), (start, last, content)]
        end = max(end, last)
    return [*found, (end, len(unit.text), (unit.text[end:],))]


_Part = Unit | Content
"""What is translated by itself, or what stays."""


def _around_all(unit: Unit) -> list[_Part]:
    atoms = _atoms(unit)
    return [
        Unit(content[0]) if place % 2 == 0 and isinstance(content[0], str) else content
        for place, (_, _, content) in enumerate(atoms)
    ]


def _around_pieces(unit: Unit) -> list[_Part]:
    ends = [0, *(place for piece in unit.pieces for place in (piece.start, piece.end)), len(unit.text)]
    parts: list[_Part] = []
    codes = list(unit.codes)
    for number, (start, end) in enumerate(pairwise(ends)):
        if number % 2:
            parts.append(unit.pieces[number // 2].content)
            continue
        own = [code for code in codes if code.offset <= end]
        codes = codes[len(own) :]
        parts.append(Unit(unit.text[start:end], tuple(replace(code, offset=code.offset - start) for code in own)))
    return parts


def _in_parts(parts: Sequence[_Part], protection: Protection) -> Generator[Ask, Sequence[Answer], Content | None]:
    """Translate each part by itself, and join them; None where its codes cannot be placed."""
    cores = [_core(part) if isinstance(part, Unit) else "" for part in parts]
    asked = tuple(dict.fromkeys(core for core in cores if has_words(core)))
    has_codes = any(isinstance(part, Unit) and part.codes for part in parts)
    answers = dict(zip(asked, (yield Ask(asked, has_codes)), strict=True)) if asked else {}
    found: list[str | Code] = []
    for part, core in zip(parts, cores, strict=True):
        if not isinstance(part, Unit):
            found += part
            continue
        try:
            found += _part(part, core, answers.get(core), protection)
        except PlacementError:
            return None
    return joined(found)


def _core(unit: Unit) -> str:
    return unit.text.strip()


def _part(unit: Unit, core: str, answer: Answer | None, protection: Protection) -> Content:
    """A part's translation within its spaces; the part itself where that has something that must not be there."""
    start = unit.text.find(core)
    if answer is None or protection.texts(answer.text) != protection.texts(core):
        answer = Answer(core, [(word, word) for word in range(len(core.split()))])
    text = answer.text if _END.search(core) else _END.sub("", answer.text)
    within, before, after = list[Placed](), list[Placed](), list[Placed]()
    for code in unit.codes:
        side = before if code.offset <= start and not within else after if code.offset >= start + len(core) else within
        side.append(replace(code, offset=code.offset - start))
    middle = place(core, within, text, answer.links)
    lead, tail = unit.text[:start], unit.text[start + len(core) :]
    outside = [[piece for code in side for piece in code.content] for side in (before, after)]
    return joined([lead, *outside[0], *middle, *outside[1], tail])
