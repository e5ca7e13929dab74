"""Texts with markup: their tags stay, what stands between them is translated.

A text is taken apart into the runs of characters between tags. Each is translated as a line of its own, with its
entities resolved, and escaped again when it is put back: nothing that was text becomes a tag.
"""

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.parsers import expat

_COPIED = frozenset({"script", "style", "code", "kbd", "samp", "var", "math", "svg", "textarea"})
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_TAG_NAME = re.compile(r"</?([A-Za-z_][^\s/>]*)")
_UNTRANSLATED = re.compile(r"""\stranslate\s*=\s*["']?no\b|\sclass\s*=\s*["'][^"']*\bnotranslate\b""", re.IGNORECASE)
_TAG_STOP = re.compile(r"['\">]")
_LONGEST_TAG = 8192  # characters within which a quoted attribute may hold a >
_SPACES = re.compile(r"\s+")
_DECLARATIONS = (("<!--", "-->"), ("<![CDATA[", "]]>"), ("<!", ">"), ("<?", ">"))


@dataclass(frozen=True)
class Runs:
    """A text as its runs between tags (`mtcli.serve.service.Marked`).

    Attributes:
        kept: what stands before each run, and behind the last: tags, and the spaces around runs.
        texts: the runs, with entities resolved.
    """

    kept: Sequence[str]
    texts: Sequence[str]

    @classmethod
    def of(cls, text: str, *, also_copied: frozenset[str] = frozenset(), is_html: bool = True) -> "Runs":
        """Take a text apart.

        Args:
            also_copied: elements whose content is left as it is, in lower case for HTML; in HTML those of code are too.
            is_html: whether names are those of HTML, in upper or lower case; else it is XML.
        """
        copied = also_copied | _COPIED if is_html else also_copied
        kept, texts, before = [], [], ""
        inside, depth = "", 0  # the copied element that we are in, and how many of its name
        for piece, is_tag in _pieces(text):
            if is_tag:
                name, closes, empty = _tag(piece, is_html)
                if inside and name == inside and not empty:
                    depth += -1 if closes else 1
                    inside = inside if depth else ""
                elif not inside and name and not closes and not empty and _is_copied(piece, name, copied, is_html):
                    inside, depth = name, 1
            bare = piece.strip()
            if is_tag or inside or not bare:
                before += piece
                continue
            start = piece.index(bare)
            kept.append(before + piece[:start])
            texts.append(_SPACES.sub(" ", html.unescape(bare)))
            before = piece[start + len(bare) :]
        return cls([*kept, before], texts)

    @property
    def unchanged(self) -> str:
        """The text as it came."""
        return self.filled(self.texts)

    def filled(self, translations: Sequence[str]) -> str:
        """The whole, with translations escaped."""
        *before, last = self.kept
        parts = [f"{kept}{_escaped(text)}" for kept, text in zip(before, translations, strict=True)]
        return "".join([*parts, last])


def _is_copied(piece: str, name: str, copied: frozenset[str], is_html: bool) -> bool:
    return name in copied or (is_html and _UNTRANSLATED.search(piece) is not None)


def _tag(piece: str, is_html: bool) -> tuple[str, bool, bool]:
    """A tag's name, whether it closes, and whether it is an element of its own; no name for comments and the like."""
    found = _TAG_NAME.match(piece)
    if found is None:
        return "", False, True
    name = found[1].lower() if is_html else found[1]
    return name, piece.startswith("</"), piece.endswith("/>") or (is_html and name in _VOID)


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """The tags, comments and declarations of a text, and what is between; of each whether it is one."""
    last, place = text.rfind(">"), 0
    unclosed: set[str] = set()
    start = text.find("<")
    while 0 <= start < last:
        end = _tag_end(text, start, unclosed)
        if end is None:
            start = text.find("<", start + 1)
            continue
        if start > place:
            yield text[place:start], False
        yield text[start:end], True
        place = end
        start = text.find("<", end)
    if place < len(text):
        yield text[place:], False


def _tag_end(text: str, start: int, unclosed: set[str]) -> int | None:
    """Where the tag that begins here ends; None where there is none. There is a > behind it.

    Args:
        unclosed: ends of declarations that do not come any more: looked for once, not once for each beginning.
    """
    for begin, end in _DECLARATIONS:
        if text.startswith(begin, start):
            found = -1 if end in unclosed else text.find(end, start + len(begin))
            if found < 0:
                unclosed.add(end)
                return None
            return found + len(end)
    if not _TAG_NAME.match(text, start):
        return None
    place, limit = start, start + _LONGEST_TAG
    while (stop := _TAG_STOP.search(text, place, limit)) is not None:
        if stop[0] == ">":
            return stop.end()
        place = text.find(stop[0], stop.end(), limit) + 1
        if not place:
            break
    return text.find(">", start) + 1  # a quote that nobody closes


def _escaped(text: str) -> str:
    """The text as it stands between tags; a bare quotation mark is no danger there."""
    return html.escape(text, quote=False)


def well_formed(text: str) -> bool:
    """Whether a text is the content of an XML element."""
    parser = expat.ParserCreate()
    try:
        parser.Parse(f"<t>{text}</t>".encode(), True)
    except (expat.ExpatError, UnicodeEncodeError):
        return False
    return True
