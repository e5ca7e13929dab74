"""Documents of text taken apart and put together: what every format is asked."""

import io
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from mtcli.formats.documents.model import Code, CodeKind, Content, DocumentFormat, Filled, ReadOptions, Segment

_KEPT = re.compile(r"%[^\s]*[a-zA-Z]|\{[^{}]*\}|\$\w+")


def write(form: DocumentFormat, path: Path, filled: Iterable[Filled], options: ReadOptions | None = None) -> bytes:
    """What a format writes."""
    output = io.BytesIO()
    form.write(path, iter(list(filled)), output, options or ReadOptions())
    return output.getvalue()


def read(form: DocumentFormat, path: Path, options: ReadOptions | None = None) -> list[Segment]:
    """A document's segments; their ids are once there, and their codes are paired as they should be."""
    segments = list(form.read(path, options or ReadOptions()))
    assert len({segment.id for segment in segments}) == len(segments)
    for segment in segments:
        check_content(segment.content)
    return segments


def check_content(content: Content) -> None:
    """No strings beside one another, none empty, pairs inside one another or apart."""
    waiting = []
    for before, piece in zip((None, *content), content, strict=False):
        assert piece != "" and not (isinstance(before, str) and isinstance(piece, str))
        if isinstance(piece, Code) and piece.kind is CodeKind.OPEN:
            waiting.append(piece.number)
        elif isinstance(piece, Code) and piece.kind is CodeKind.CLOSE:
            assert waiting.pop() == piece.number
    assert not waiting


def check_identity(form: DocumentFormat, path: Path, options: ReadOptions | None = None) -> list[Segment]:
    """Translations that change nothing leave every byte; returns the segments."""
    segments = read(form, path, options)
    data = path.read_bytes()
    assert write(form, path, (Filled(one.id, None) for one in segments), options) == data
    assert write(form, path, (Filled(one.id, one.content) for one in segments), options) == data
    return segments


def shout(content: Content) -> Content:
    """Translate: upper case, words in reversed order, codes where they were, what is opaque and placeholders kept."""
    pieces: list[str | Code] = []
    opaque = 0
    for piece in content:
        if isinstance(piece, Code):
            opaque += piece.is_opaque * ((piece.kind is CodeKind.OPEN) - (piece.kind is CodeKind.CLOSE))
            pieces.append(piece)
        else:
            pieces.append(piece if opaque else _shouted(piece))
    return tuple(pieces)


def _shouted(text: str) -> str:
    core = text.strip()
    start = text.find(core)
    words = [word if _KEPT.search(word) else word.upper() for word in core.split(" ")]
    return text[:start] + " ".join(reversed(words)) + text[start + len(core) :]


def translate(
    form: DocumentFormat,
    path: Path,
    translator: Callable[[Content], Content] = shout,
    options: ReadOptions | None = None,
) -> bytes:
    """What a format writes with every segment translated."""
    segments = read(form, path, options)
    return write(
        form, path, [Filled(one.id, translator(one.content) if one.translate else None) for one in segments], options
    )


def saved(directory: Path, name: str, content: str | bytes) -> Path:
    """A file of this content."""
    path = directory / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def texts(segments: Sequence[Segment]) -> list[str]:
    """What is to be translated."""
    return [segment.text for segment in segments if segment.translate]
