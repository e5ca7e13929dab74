"""Inline Markdown as a content, and the reverse: text is escaped where it would become markup, and read again to see.

What is written is taken only if reading it gives what was to be written.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mtcli.formats.documents.inline_codes import Mark, numbered
from mtcli.formats.documents.model import Code, CodeKind, Content, codes_of, joined
from mtcli.formats.documents.wrapping import FIXED_SPACE

if TYPE_CHECKING:  # the parser says what to do where it is not installed
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_LINE_END = re.compile(r"[ \t]*\n[ \t]*")
_SPACES = re.compile(r"[ \t\r\n]+")
_TAG = re.compile(r"<(/?)([a-zA-Z][\w.:-]*)")
_VOID = frozenset(["area", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"])
_OPAQUE = frozenset(["code", "kbd", "math", "pre", "samp", "script", "style", "svg", "textarea", "var"])
_EMPHASIS = ("*", "**", "_", "__", "~~")
_TITLE = re.compile(r"(\(.*[ \t\n])(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|\((?:[^()\\]|\\.)*\))(\s*\))", re.DOTALL)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_ALL = re.compile(r"([\\`*_\[\]<>&~$!{}^:#])")
_SOME = re.compile(
    r"\\(?=[!-/:-@\[-`{-~\s]|\Z)|`|\*(?! )|(?<! )\*|(?<![^\W_])_|_(?![^\W_])|<(?=[a-zA-Z/!?])|&(?=#?\w+;)|~~"
)


@dataclass(frozen=True)
class Attribute:
    """Hold a text inside a code: an image's description, or a title.

    Attributes:
        code: the code's number.
        text: what it says.
        before, after: what is written around it in the code's source.
        quote: of a title, what it stands between; empty for a description.
    """

    code: int
    text: str
    before: str
    after: str
    quote: str = ""

    def written(self, text: str) -> str:
        """The text as it is put into the code's source."""
        text = _SPACES.sub(" ", text).strip()
        if not self.quote:
            return escaped(text)
        return re.sub(rf"([{re.escape(self.quote)}\\])", r"\\\1", text)


@dataclass(frozen=True)
class Inline:
    """Hold what inline Markdown says.

    Attributes:
        content: its text and codes.
        attributes: texts inside codes, in order.
    """

    content: Content
    attributes: tuple[Attribute, ...] = field(default=())


def read_inline(parser: "MarkdownIt", source: str, env: dict[str, Any]) -> Inline:
    """Take inline Markdown apart; lines become one."""
    marks = list(_marks(parser.inline.parse(source, parser, env, [])))
    content = _trimmed(numbered(marks))
    return Inline(content, tuple(_attributes(parser, content, env)))


def _trimmed(content: Content) -> Content:
    """The content without spaces beside line breaks and at its edges."""
    pieces: list[str | Code] = list(content)
    for place, piece in enumerate(content):
        if not isinstance(piece, str):
            continue
        text = _SPACES.sub(" ", piece)
        if place == 0 or _is_break(content[place - 1]):
            text = text.lstrip(" ")
        if place == len(content) - 1 or _is_break(content[place + 1]):
            text = text.rstrip(" ")
        pieces[place] = text
    return joined(pieces)


def _is_break(piece: str | Code) -> bool:
    return isinstance(piece, Code) and piece.source in ("\\\n", "  \n")


def _marks(tokens: "Iterable[Token]") -> Iterator[str | Mark]:
    """Text and marks of inline tokens; what is inside an automatic link is its own."""
    skipped = 0
    for token in tokens:
        source = _LINE_END.sub(" ", token.meta.get("source", ""))
        if skipped:
            skipped += token.nesting
        elif token.type in ("text", "text_special"):
            yield token.content
        elif token.type == "softbreak":
            yield " "
        elif token.type == "hardbreak":
            yield Mark("\\\n" if token.meta.get("source", "").startswith("\\") else "  \n", equivalent="\n")
        elif token.type == "link_open" and token.markup == "autolink":
            yield from _opaque(source, 1)
            skipped = 1
        elif token.type == "code_inline":
            yield from _opaque(source, len(source) - len(source.lstrip("`")))
        elif token.type.startswith("math_inline"):
            yield from _opaque(source, len(source) - len(source.lstrip("$")))
        elif token.type == "link_open":
            yield Mark("[", CodeKind.OPEN, "link")
        elif token.type == "link_close":
            yield Mark(f"]{_rest(token)}", CodeKind.CLOSE, "link")
        elif token.type == "image":
            yield Mark(f"![{_LINE_END.sub(' ', token.meta['label'])}]{_rest(token)}")
        elif token.type == "html_inline":
            yield _tag(_LINE_END.sub(" ", token.content))
        elif token.type.endswith(("_open", "_close")):
            kind = CodeKind.OPEN if token.nesting > 0 else CodeKind.CLOSE
            yield Mark(token.markup, kind, token.type.rpartition("_")[0])
        else:
            yield Mark(source or token.content)


def _opaque(source: str, edge: int) -> tuple[str | Mark, ...]:
    """A pair around what is kept."""
    name = source[:edge]
    return (
        Mark(source[:edge], CodeKind.OPEN, name, is_opaque=True),
        source[edge:-edge],
        Mark(source[-edge:], CodeKind.CLOSE, name, is_opaque=True),
    )


def _rest(token: "Token") -> str:
    """What follows a label: where it leads; a label that is a name itself becomes one apart from the text."""
    rest, label = (_LINE_END.sub(" ", token.meta[name]) for name in ("rest", "label"))
    return rest if rest not in ("", "[]") else f"[{label}]"


def _tag(source: str) -> Mark:
    match = _TAG.match(source)
    name = match[2].lower() if match else ""
    if match is None or name in _VOID or source.endswith("/>"):
        return Mark(source, equivalent="\n" if name == "br" else "")
    return Mark(source, CodeKind.CLOSE if match[1] else CodeKind.OPEN, f"<{name}", is_opaque=name in _OPAQUE)


def _attributes(parser: "MarkdownIt", content: Content, env: dict[str, Any]) -> Iterator[Attribute]:
    """Descriptions of images without markup of their own, titles of images and links."""
    for code in codes_of(content):
        is_image = code.source.startswith("![")
        if not (is_image or (code.kind is CodeKind.CLOSE and code.source.startswith("]("))):
            continue
        label_end = _label_end(code.source) if is_image else 0
        if is_image:
            label = _marks(parser.inline.parse(code.source[2:label_end], parser, env, []))
            texts = list(label)
            if texts and all(isinstance(piece, str) for piece in texts):
                yield Attribute(code.number, "".join(map(str, texts)), "![", code.source[label_end:])
        if title := _TITLE.fullmatch(code.source, label_end + 1):
            quote = title[2][-1] if title[2][0] != "(" else "()"
            text = _ESCAPED.sub(r"\1", title[2][1:-1])
            before = code.source[: title.start(2) + 1]
            yield Attribute(code.number, text, before, code.source[title.end(2) - 1 :], quote)


def _label_end(source: str) -> int:
    """Where an image's label ends: brackets in it are in pairs or escaped."""
    depth, place = 0, 1
    while place < len(source):
        if source[place] == "\\":
            place += 1
        elif source[place] == "[":
            depth += 1
        elif source[place] == "]":
            depth -= 1
            if not depth:
                break
        place += 1
    return place


def escaped(text: str) -> str:
    """Text in which nothing is markup."""
    return _ALL.sub(r"\\\1", text)


def _lightly_escaped(text: str) -> str:
    """Text in which what is surely or probably markup is escaped: `2 * 3` and `snake_case` stay readable."""
    return _SOME.sub(lambda match: "".join(f"\\{character}" for character in match[0]), text)


def write_inline(parser: "MarkdownIt", content: Content, sources: Mapping[int, str], env: dict[str, Any]) -> str | None:
    """Write a content as inline Markdown, line breaks as newlines; None where it cannot be.

    Spaces inside codes are `FIXED_SPACE`. `sources` are those of codes whose attributes changed, by their numbers.
    """
    content = _trimmed(content)
    for rearranged in (lambda given: given, _moved, lambda given: _spaced(_moved(given))):
        wanted = _trimmed(rearranged(content))
        for escape in (_lightly_escaped, escaped):
            written = _joined(wanted, sources, escape)
            if _same(read_inline(parser, _plainly(written), env).content, wanted, sources):
                return written
    return None


def _plainly(written: str) -> str:
    return written.replace(FIXED_SPACE, " ")


def _joined(content: Content, sources: Mapping[int, str], escape: Callable[[str], str]) -> str:
    pieces = []
    raw = False
    for piece in content:
        if isinstance(piece, str):
            pieces.append(piece.replace(" ", FIXED_SPACE) if raw else escape(piece))
            continue
        source = _source(piece, sources)
        pieces.append(source if _is_break(piece) else source.replace(" ", FIXED_SPACE))
        raw = piece.is_opaque and piece.kind is CodeKind.OPEN and not _TAG.match(piece.source)
    return "".join(pieces)


def _source(code: Code, sources: Mapping[int, str]) -> str:
    return code.source if code.kind is CodeKind.OPEN else sources.get(code.number, code.source)


def _same(found: Content, wanted: Content, sources: Mapping[int, str]) -> bool:
    """Whether two contents have the same text and the same codes, whatever their numbers."""

    def key(content: Content, changed: Mapping[int, str]) -> list[object]:
        return [
            piece if isinstance(piece, str) else (piece.kind, _source(piece, changed).replace("_", "*"))
            for piece in content
        ]

    return key(found, {}) == key(wanted, sources)


def _moved(content: Content) -> Content:
    """The content with spaces outside emphasis, which is written in stars."""
    pieces: list[str | Code] = []
    for piece in content:
        if isinstance(piece, str):
            start = len(pieces)
            while start and _is_emphasis(pieces[start - 1], CodeKind.OPEN):
                start -= 1
            if start < len(pieces) and piece.startswith(" "):
                pieces.insert(start, " ")
                piece = piece.lstrip(" ")
            pieces.append(piece)
        elif _is_emphasis(piece):
            before = pieces[-1] if pieces else None
            star = Code(piece.number, piece.kind, piece.source.replace("_", "*"))
            if piece.kind is CodeKind.CLOSE and isinstance(before, str) and before.endswith(" "):
                pieces[-1:] = [before.rstrip(" "), star, " "]
            else:
                pieces.append(star)
        else:
            pieces.append(piece)
    return joined(pieces)


def _spaced(content: Content) -> Content:
    """The content with a space outside each emphasis, where a letter beside it would keep it from being one."""
    pieces: list[str | Code] = []
    for place, piece in enumerate(content):
        before = content[place - 1] if place else ""
        after = content[place + 1] if place + 1 < len(content) else ""
        is_opening = isinstance(piece, Code) and piece.kind is CodeKind.OPEN
        if _is_emphasis(piece) and is_opening and isinstance(before, str) and before[-1:].isalnum():
            pieces.append(" ")
        pieces.append(piece)
        if _is_emphasis(piece) and not is_opening and isinstance(after, str) and after[:1].isalnum():
            pieces.append(" ")
    return joined(pieces)


def _is_emphasis(piece: str | Code, kind: CodeKind | None = None) -> bool:
    return isinstance(piece, Code) and piece.source in _EMPHASIS and (kind is None or piece.kind is kind)
