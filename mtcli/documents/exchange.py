"""Segments in a table that people edit, and back: inline codes are written as `<1>`, `</1>` and `<2/>`."""

import csv
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from mtcli.errors import DataError
from mtcli.files import Output, display_name
from mtcli.formats.documents.model import Code, CodeKind, Content, Filled, Outcome, Segment, codes_of, joined, pairs_of

COLUMNS = ("id", "source", "target", "context")
_CODE = re.compile(r"<(/?)(\d+)(/?)>")
_ESCAPED = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_UNESCAPED = {written: character for character, written in _ESCAPED.items()}


def marked(content: Content) -> str:
    """A content with its codes as numbers."""
    return "".join(piece if isinstance(piece, str) else _mark(piece) for piece in content)


def _mark(code: Code) -> str:
    number = code.number + 1
    return {CodeKind.OPEN: f"<{number}>", CodeKind.CLOSE: f"</{number}>", CodeKind.POINT: f"<{number}/>"}[code.kind]


def unmarked(text: str, source: Content) -> Content:
    """The content that a text with numbers stands for.

    Raises:
        ValueError: the codes are not those of the source, each once, or pairs overlap.
    """
    codes = {_mark(code): code for code in codes_of(source)}
    pieces: list[str | Code] = []
    place = 0
    for match in _CODE.finditer(text):
        if code := codes.get(match[0]):
            pieces += [text[place : match.start()], code]
            place = match.end()
    content = joined([*pieces, text[place:]])
    missing = sorted(map(_mark, codes_of(source)))
    found = sorted(map(_mark, codes_of(content)))
    if missing != found:
        raise ValueError(f"it has the codes {' '.join(found) or '(none)'}, and the source {' '.join(missing)}")
    try:
        pairs_of(content)
    except ValueError:
        if _pairs_nest(source):
            raise ValueError("its codes overlap") from None
    return content


def _pairs_nest(content: Content) -> bool:
    try:
        pairs_of(content)
    except ValueError:
        return False
    return True


def write_segments(segments: Iterable[Segment], output: Output, form: str) -> int:
    """Write those that are to be translated, as `tsv` with a header, or `jsonl`; returns how many."""
    count = 0
    if form == "tsv":
        output.write(("\t".join(COLUMNS) + "\n").encode())
    for segment in segments:
        if not segment.translate:
            continue
        target = marked(segment.target) if segment.target else ""
        row = (segment.id, marked(segment.content), target, segment.context)
        output.write(_line(row, form).encode())
        count += 1
    return count


def _line(row: tuple[str, ...], form: str) -> str:
    if form == "jsonl":
        return json.dumps(dict(zip(COLUMNS, row, strict=True)), ensure_ascii=False) + "\n"
    return "\t".join("".join(_ESCAPED.get(character, character) for character in cell) for cell in row) + "\n"


def read_targets(path: Path) -> dict[str, str]:
    """Read the translations of such a table, by the segments' ids; those without one are left out.

    Raises:
        DataError: the file cannot be read, or is no such table; names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines() if path.suffix == ".jsonl" else None
        rows = _jsonl(lines) if lines is not None else _tsv(path)
        return {name: target for name, target in rows if target}
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{display_name(path)} cannot be read: {error}.") from None
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        raise DataError(
            f"{display_name(path)} holds no segments as `mtcli extract` writes them ({error}). It needs the columns "
            f"{', '.join(COLUMNS[:3])}."
        ) from None


def _jsonl(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        if line.strip():
            row = json.loads(line)
            yield str(row["id"]), str(row["target"])


def _tsv(path: Path) -> Iterator[tuple[str, str]]:
    header, *rows = path.read_text(encoding="utf-8-sig").split("\n")
    names = header.rstrip("\r").split("\t")
    places = [names.index(name) for name in ("id", "target")]
    for number, row in enumerate(rows, start=2):
        if not row.strip():
            continue
        cells = row.rstrip("\r").split("\t")
        if len(cells) != len(names):
            raise ValueError(f"line {number} has {len(cells)} columns, and the first {len(names)}")
        name, target = (_unescaped(cells[place]) for place in places)
        yield name, target


def _unescaped(cell: str) -> str:
    return re.sub(r"\\[\\ntr]", lambda match: _UNESCAPED[match[0]], cell)


def with_targets(segments: Iterable[Segment], targets: dict[str, str], source: Path) -> Iterator[Filled]:
    """Put translations to segments; takes them out of `targets`.

    Raises:
        DataError: a translation's codes are not those of its segment.
    """
    for segment in segments:
        target = targets.pop(segment.id, None) if segment.translate else None
        if target is None:
            yield Filled(segment.id, None, Outcome.KEPT)
            continue
        try:
            yield Filled(segment.id, unmarked(target, segment.content))
        except ValueError as error:
            raise DataError(f"{display_name(source)}: segment {segment.id}: {error}. Mend its translation.") from None
