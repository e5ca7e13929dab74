"""Inline codes of marks as a file has them: pairs are found and numbered, what is left over stands alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from mtcli.formats.documents.model import Code, CodeKind, Content, joined


@dataclass(frozen=True, slots=True)
class Mark:
    """Hold what is to become a code.

    Attributes:
        source: as the file has it.
        kind: whether it begins something, ends it, or does neither.
        name: what a beginning and its end share.
        equivalent, is_opaque: as in `Code`.
    """

    source: str
    kind: CodeKind = CodeKind.POINT
    name: str = ""
    equivalent: str = ""
    is_opaque: bool = False


def numbered(pieces: Sequence[str | Mark]) -> Content:
    """Make a content of text and marks; a beginning without its end, and the reverse, become points."""
    partners = _partners(pieces)
    numbers: dict[int, int] = {}
    found: list[str | Code] = []
    for place, piece in enumerate(pieces):
        if isinstance(piece, str):
            found.append(piece)
            continue
        partner = partners.get(place)
        if partner in numbers and partner is not None:
            number = numbers[partner]
        else:
            number = numbers[place] = len(numbers)
        kind = CodeKind.POINT if partner is None else piece.kind
        found.append(Code(number, kind, piece.source, piece.equivalent, piece.is_opaque and partner is not None))
    return joined(found)


def _partners(pieces: Sequence[str | Mark]) -> dict[int, int]:
    """From each mark of a pair to the other; pairs lie inside one another or apart."""
    waiting: list[int] = []
    found: dict[int, int] = {}
    for place, piece in enumerate(pieces):
        if isinstance(piece, str) or piece.kind is CodeKind.POINT:
            continue
        if piece.kind is CodeKind.OPEN:
            waiting.append(place)
            continue
        depth = next(
            (depth for depth in reversed(range(len(waiting))) if _name(pieces, waiting[depth]) == piece.name), -1
        )
        if depth >= 0:
            found[place], found[waiting[depth]] = waiting[depth], place
            del waiting[depth:]
    return found


def _name(pieces: Sequence[str | Mark], place: int) -> str:
    piece = pieces[place]
    assert isinstance(piece, Mark)
    return piece.name
