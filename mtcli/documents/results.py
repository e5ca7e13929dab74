"""Segments that are translated, as lines of JSON: what a job that was killed goes on behind."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mtcli.errors import DataError
from mtcli.formats.documents.model import Code, CodeKind, Content, Filled, Outcome


def to_json(filled: Filled) -> str:
    """A line, with its end."""
    content = None if filled.content is None else [_piece(piece) for piece in filled.content]
    return json.dumps([filled.id, filled.outcome.value, content, *filled.notes], ensure_ascii=True) + "\n"


def from_json(line: str) -> Filled:
    """Read what `to_json` wrote.

    Raises:
        ValueError: it is something else.
    """
    try:
        name, outcome, pieces, *notes = json.loads(line)
        content = None if pieces is None else tuple(map(_read, pieces))
        return Filled(name, content, Outcome(outcome), tuple(notes))
    except (TypeError, AttributeError) as error:
        raise ValueError(str(error)) from None


def read_results(path: Path) -> Iterator[Filled]:
    """Read a file of such lines.

    Raises:
        DataError: a line is none.
    """
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                yield from_json(line)
            except ValueError as error:
                raise DataError(f"{path}:{number}: no translated segment ({error}). Delete it to begin anew.") from None


def _piece(piece: str | Code) -> Any:
    return piece if isinstance(piece, str) else [piece.number, piece.kind.value, piece.source, *_rare(piece)]


def _rare(code: Code) -> list[Any]:
    return [code.equivalent, code.is_opaque] if code.equivalent or code.is_opaque else []


def _read(piece: Any) -> str | Code:
    if isinstance(piece, str):
        return piece
    number, kind, source, *rare = piece
    return Code(number, CodeKind(kind), source, *rare)


def shown(content: Content | None) -> str:
    """A content as a person reads it, with its codes as the file has them."""
    return "".join(piece if isinstance(piece, str) else piece.source for piece in content or ())
