"""What an examination finds."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """Say how a finding is: as it should be, worth knowing, or wrong."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """Hold one finding.

    Attributes:
        subject: what was looked at.
        status: how it is.
        found: what was found, in a sentence or less.
        advice: what to do; empty where there is nothing to do.
    """

    subject: str
    status: Status
    found: str
    advice: str = ""
