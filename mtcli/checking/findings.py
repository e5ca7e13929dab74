"""What a check says: which fault, how grave, and where."""

from dataclasses import dataclass
from enum import StrEnum

Where = tuple[int, int]
"""Start and end of a piece of a line, in characters: `line[start:end]`."""


class Severity(StrEnum):
    """Say how grave a fault is."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """Hold one fault of a translation.

    Attributes:
        check: the id of the check that found it, such as `loop`.
        severity: ERROR where the translation should not be used as it is, WARNING where somebody should look.
        message: what is wrong, in words.
        source: the pieces of the source that it is about.
        target: the pieces of the target that it is about.
    """

    check: str
    severity: Severity
    message: str
    source: tuple[Where, ...] = ()
    target: tuple[Where, ...] = ()


def quoted(text: str, most: int = 40) -> str:
    """A piece of a line as messages show it: shortened in its middle, in quotation marks."""
    if len(text) > most:
        half = (most - 1) // 2
        text = f"{text[:half]}…{text[-half:]}"
    return f'"{text}"'
