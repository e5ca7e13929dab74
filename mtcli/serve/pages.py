"""Texts of HTML as their segments: what is one text to who reads the page is translated as one."""

from collections.abc import Sequence
from dataclasses import dataclass

from mtcli.formats.documents import html_text
from mtcli.formats.documents.html_tokens import tokens
from mtcli.formats.documents.model import Content, Filled, Segment
from mtcli.formats.documents.xml_source import Part, XmlSlot


@dataclass(frozen=True)
class HtmlPage:
    """Hold a text of HTML taken apart.

    Attributes:
        parts: what is copied, and what is translated.
    """

    parts: tuple[Part, ...]

    @classmethod
    def of(cls, text: str, left_as_they_are: frozenset[str] = frozenset()) -> "HtmlPage":
        """Take a text apart.

        Args:
            left_as_they_are: elements whose content is not translated, beside those that never are; in lower case.
        """
        return cls(tuple(html_text.parts("", list(tokens(text)), left_as_they_are)))

    @property
    def segments(self) -> list[Segment]:
        """What is translated."""
        return [segment for part in self.parts if isinstance(part, XmlSlot) for segment in part.segments]

    @property
    def texts(self) -> list[str]:
        """The segments without their tags."""
        return [segment.text for segment in self.segments]

    @property
    def unchanged(self) -> str:
        """The text as it came."""
        return "".join(part if isinstance(part, str) else part.raw for part in self.parts)

    def written(self, filled: Sequence[Filled]) -> str:
        """The text with translations of its segments."""
        left = iter(filled)
        return "".join(
            part if isinstance(part, str) else _encoded(part, [next(left) for _ in part.segments])
            for part in self.parts
        )


def _encoded(slot: XmlSlot, filled: Sequence[Filled]) -> str:
    contents: list[Content | None] = [
        one.content if one.content != segment.content else None
        for one, segment in zip(filled, slot.segments, strict=True)
    ]
    return slot.encode(contents) if any(content is not None for content in contents) else slot.raw
