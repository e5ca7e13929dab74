"""What stands around a line and not in its text: marks of its direction, and a soft break at its end.

The model does not see them, and they are put around its translation again. They belong to the format: a line that a
program shows from right to left, whatever stands in it, should still be shown so, and a title that goes on in the next
line should still go on.
"""

import re
from dataclasses import dataclass

from mtcli.data.normalisation import BIDI_MARKS

_ALONE = "\u061c\u200e\u200f"  # marks that need no partner
_CLOSED_BY = {**dict.fromkeys("\u202a\u202b\u202d\u202e", "\u202c"), **dict.fromkeys("\u2066\u2067\u2068", "\u2069")}
_SOFT_ENDS = "\u00ad\v\u2028"  # hyphen, and the line ends of word processors
_BEFORE = re.compile(f"[{BIDI_MARKS}]*")
_BEHIND = re.compile(f"([{BIDI_MARKS}]*)([{_SOFT_ENDS}]*)$")


@dataclass(frozen=True)
class Frame:
    """What stands before and behind a line's text."""

    before: str
    behind: str

    @classmethod
    def of(cls, line: str) -> "Frame":
        """Find it; embeddings and isolates belong to it where they open before the text and close behind."""
        line = line.strip(" ")
        before, behind = _BEFORE.match(line), _BEHIND.search(line)
        assert before is not None, "it may be empty"
        assert behind is not None, "it may be empty"
        opened, closed, soft_end = before[0], behind[1], behind[2]
        if not _is_balanced(opened + closed):
            opened, closed = (re.sub(f"[^{_ALONE}]", "", marks) for marks in (opened, closed))
        return cls(opened, closed + soft_end)

    def around(self, text: str) -> str:
        """The text with this frame."""
        return f"{self.before}{text}{self.behind}"


def _is_balanced(marks: str) -> bool:
    awaited: list[str] = []
    for mark in marks:
        if mark in _CLOSED_BY:
            awaited.append(_CLOSED_BY[mark])
        elif mark not in _ALONE and (not awaited or awaited.pop() != mark):
            return False
    return not awaited
