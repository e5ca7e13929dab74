"""Markdown (.md, .markdown): paragraphs, headings, list items, quotes, cells of tables, and titles before the text.

Code, addresses, HTML, references, footnote marks, mathematics and what site generators put between stay as they are.
A paragraph of several lines is one text for translating, and is wrapped again as wide as it was.
"""

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mtcli.formats.documents.markdown_inline import Inline, read_inline, write_inline
from mtcli.formats.documents.markdown_parsing import parser
from mtcli.formats.documents.model import Content, ReadOptions, Segment, plain
from mtcli.formats.documents.source_text import Slot, SourceText, TextFormat, is_text
from mtcli.formats.documents.wrapping import width_of, wrap
from mtcli.formats.documents.yaml_scalars import scalar_slots

if TYPE_CHECKING:  # the parser says what to do where it is not installed
    from markdown_it.token import Token

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|\Z)")
_FRONT_MATTER = re.compile(r"---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_TITLE_KEYS = frozenset(
    (
        *("title", "description", "summary", "subtitle", "excerpt", "abstract", "caption", "headline", "tagline"),
        *("lead", "intro", "linktitle", "linkTitle", "sidebar_label", "sidebarTitle", "short_title", "shortTitle"),
        *("navTitle", "nav_title", "page_title", "seo_title", "seoTitle", "seoDescription"),
        *("meta_title", "meta_description"),
    )
)
_TASK = re.compile(r"\[[ xX]\][ \t]+")
_ALERT = re.compile(r"\[!\w+\][^\n]*(?:\n|\Z)")
_PIPE = re.compile(r"(?<!\\)\|")
# Words with which a line would be a heading, a list, a quote, a rule, code or markup.
_BEGINS_BLOCK = re.compile(
    r"(?:#{1,6}|[-+*]|=+|-+|\d{1,9}[.)])$|(?:>|~~~|```|:::|!!!|\?\?\?|[<|{$:]|\[[^\]]*\]:|%%|[-*_]{3}).*"
    r"|(?:import|export)$"
)
_BEGINS_LINE = re.compile(
    r"#{1,6}(?=\s|$)|[-+*](?=\s|$)|[=-]+\s*$|>|:::|!!!|\?\?\?|\||%%|(?:[-*_] *){3,}$"
    r"|\[[^\]]*\]:|\[[ x]\]\s|\[!\w+\]|\[?\[_?toc_?\]",
    re.IGNORECASE,
)
_BREAK = re.compile(r"(\\\n|  \n)")
_NO_WIDTH = 1 << 30
_NUMBERED = re.compile(r"(\d{1,9})([.)])(?=\s|$)")


@dataclass(frozen=True)
class _Place:
    """Say where inline Markdown is.

    Attributes:
        start, end: in the file.
        source: it, without what stands before its lines.
        first, prefix: what stands before its first line, and before those that follow.
        width: columns that its lines may take; 0: it is one line.
        is_paragraph: whether a line of it could begin another block.
        is_whole: from what is written, to whether it would be read as the same block.
    """

    start: int
    end: int
    source: str
    first: str = ""
    prefix: str = ""
    width: int = 0
    is_paragraph: bool = False
    is_whole: Callable[[str], bool] = lambda written: True


def _slots(text: SourceText, options: ReadOptions) -> Iterator[Slot]:
    """Front matter, then the document."""
    start = 0
    if match := _FRONT_MATTER.match(text.text):
        start = match.end()
        yield from scalar_slots(text, match.start(1), match.end(1), _is_title, "front")
    yield from _Blocks(text, start).slots()


def _is_title(path: Sequence[str]) -> bool:
    return len(path) == 1 and path[0] in _TITLE_KEYS


class _Blocks:
    """Find the inline Markdown of a document."""

    def __init__(self, text: SourceText, start: int) -> None:
        self._text, self._parser, self._env = text, parser(), dict[str, Any]()
        self._starts, self._lines = list[int](), list[str]()
        place = start
        while place < len(text.text):
            match = _LINE.match(text.text, place)
            assert match is not None
            self._starts.append(place)
            self._lines.append(match[0].rstrip("\r\n"))
            place = match.end()
        self._first_line = text.line(start)

    def slots(self) -> Iterator[Slot]:
        """Yield the slots, in order."""
        self._parser.core.ruler.disable(["inline", "text_join"])
        try:
            tokens = self._parser.parse("\n".join(self._lines), self._env)
        except RecursionError:
            raise self._text.error(0, "the document nests too deeply to be read as Markdown.") from None
        row: list[Token] = []
        for number, token in enumerate(tokens):
            if token.type == "tr_open":
                row = []
            elif token.type == "tr_close":
                yield from self._row(row)
            elif token.type == "inline":
                before = tokens[number - 1]
                if before.type in ("td_open", "th_open"):
                    row.append(token)
                elif (place := self._place(before, token, tokens[number - 2].type == "list_item_open")) is not None:
                    yield from self._slot(place, str(self._first_line + (token.map or [0])[0]))

    def _place(self, opening: "Token", token: "Token", in_item: bool) -> _Place | None:
        """Where a paragraph or a heading is; None where its source is not as it was read."""
        if opening.type == "heading_open" and set(opening.markup) == {"#"}:
            return self._heading(opening, token)
        content = token.content
        skipped = 0
        if match := _ALERT.match(content):
            skipped = 1
            content = content[match.end() :]
        if not content:
            return None
        task = _TASK.match(content) if in_item else None
        content = content[task.end() :] if task else content
        lines = content.split("\n")
        first = (token.map or [0])[0] + skipped
        starts = []
        for number, line in enumerate(lines, start=first):
            source = self._lines[number].rstrip()
            if not source.endswith(line.strip()):
                return None
            starts.append(len(source) - len(line.strip()))
        last = self._lines[first + len(lines) - 1].rstrip()
        prefixes = [self._lines[first + number][:start] for number, start in enumerate(starts)]
        is_one = len(lines) == 1
        return _Place(
            self._starts[first] + starts[0],
            self._starts[first + len(lines) - 1] + len(last),
            content,
            prefixes[0],
            "" if is_one else prefixes[1],
            0 if is_one else max(width_of(self._lines[first + number].rstrip()) for number in range(len(lines))),
            True,
            lambda written: self._reads_as("paragraph_open", written, written),
        )

    def _heading(self, opening: "Token", token: "Token") -> _Place | None:
        number = (token.map or [0])[0]
        line = self._lines[number]
        start = line.find(token.content, line.index("#") + len(opening.markup))
        if start < 0 or not token.content:
            return None
        place = self._starts[number] + start
        return _Place(
            place,
            place + len(token.content),
            token.content,
            is_whole=lambda written: self._reads_as("heading_open", f"{opening.markup} {written}", written),
        )

    def _row(self, cells: "Sequence[Token]") -> Iterator[Slot]:
        """The slots of a table's row."""
        if not cells:
            return
        number = (cells[0].map or [0])[0]
        line = self._lines[number]
        cuts = [-1, *(match.start() for match in _PIPE.finditer(line)), len(line)]
        spans = [(before + 1, after) for before, after in itertools.pairwise(cuts)]
        for skipped in (0, 1):
            found = list(zip(cells, spans[skipped:], strict=False))
            if all(_is_cell(line[slice(*span)], cell.content, place == 0) for place, (cell, span) in enumerate(found)):
                break
        else:
            return
        for column, (cell, (_, end)) in enumerate(found, start=1):
            written = cell.content.replace("|", "\\|")
            end -= len(line[:end]) - len(line[:end].rstrip())
            place = _Place(
                self._starts[number] + end - len(written),
                self._starts[number] + end,
                cell.content,
                is_paragraph=column == 1 and not skipped,
                is_whole=self._is_cell if skipped or column > 1 else self._is_first_cell,
            )
            if cell.content:
                yield from self._slot(place, f"{self._first_line + number}.{column}", _piped)

    def _is_cell(self, written: str) -> bool:
        return self._reads_as("th_open", f"|{_piped(written)}|\n|-|", written)

    def _is_first_cell(self, written: str) -> bool:
        """Whether a cell at the beginning of its line is read as one."""
        return self._is_cell(written) and self._reads_as("paragraph_open", written, written)

    def _reads_as(self, opening: str, block: str, content: str) -> bool:
        """Whether a block of its own is read as one of a kind, with this content."""
        tokens = self._parser.parse(block, {})
        read = [one for one in tokens if one.type in (opening, "inline")]
        return (
            [one.type for one in read] == [opening, "inline"]
            and _stripped(read[1].content) == _stripped(content)
            and sum(one.level == 0 for one in tokens) == 2
        )

    def _slot(self, place: _Place, name: str, finish: Callable[[str], str] = lambda written: written) -> Iterator[Slot]:
        inline = read_inline(self._parser, place.source, self._env)
        segments = []
        if is_text(plain(inline.content)):
            segments.append(Segment(id=name, content=inline.content))
        has_main = bool(segments)
        for number, attribute in enumerate(inline.attributes, start=1):
            if is_text(attribute.text):
                segments.append(Segment(id=f"{name}#{number}", content=(attribute.text,)))
        if not segments:
            return
        original = self._text.text[place.start : place.end]

        def encode(contents: Sequence[Content | None]) -> str:
            content = contents[0] if has_main else None
            attributes = contents[1:] if has_main else contents
            sources = _sources(inline, attributes)
            written = write_inline(self._parser, content or inline.content, sources, self._env)
            lines = self._wrapped(place, written) if written is not None else []
            if not lines or not place.is_whole("\n".join(lines)):
                return original
            return finish(f"{self._text.newline}{place.prefix}".join(lines))

        yield Slot(place.start, place.end, tuple(segments), encode)

    def _wrapped(self, place: _Place, written: str) -> list[str]:
        """What is written on lines as wide as they were; they begin no block."""
        width = place.width - width_of(place.prefix) if place.width else _NO_WIDTH
        taken = max(width_of(place.first) - width_of(place.prefix), 0)
        lines: list[str] = []
        parts = _BREAK.split(written)
        for part, end in zip(parts[::2], [*parts[1::2], ""], strict=True):
            broken = wrap(part, width, 0 if lines else taken, lambda word: not _BEGINS_BLOCK.match(word))
            if place.is_paragraph:
                broken[0] = _safe(broken[0])
            broken[-1] += end.rstrip("\n")
            lines += broken
        return lines


def _stripped(content: str) -> list[str]:
    return [line.strip() for line in content.split("\n")]


def _is_cell(source: str, content: str, is_first: bool) -> bool:
    """Whether a piece of a row is a cell; before the first may be what marks a list or a quote."""
    source = source.strip().replace("\\|", "|")
    return source == content or (is_first and bool(content) and source.endswith(content))


def _piped(written: str) -> str:
    return _PIPE.sub(r"\\|", written)


def _safe(line: str) -> str:
    """A line that begins no block."""
    if match := _NUMBERED.match(line):
        return f"{match[1]}\\{line[match.start(2) :]}"
    return f"\\{line}" if _BEGINS_LINE.match(line) else line


def _sources(inline: Inline, contents: Sequence[Content | None]) -> Mapping[int, str]:
    """Sources of codes in which a text changed."""
    originals = {piece.number: piece.source for piece in inline.content if not isinstance(piece, str)}
    found: dict[int, str] = {}
    texts = [attribute for attribute in inline.attributes if is_text(attribute.text)]
    # Titles first: a description's place is the same before and after.
    for attribute, content in reversed(list(zip(texts, contents, strict=True))):
        if content is None:
            continue
        source = found.get(attribute.code, originals[attribute.code])
        after = source[len(originals[attribute.code]) - len(attribute.after) :]
        found[attribute.code] = attribute.before + attribute.written(plain(content)) + after
    return found


FORMAT = TextFormat(name="markdown", title="Markdown", slots=_slots)
