"""What the results of the server's questions hold."""

from benchmarks.contest.records import Record, Result


class IdentificationRow(Record):
    """How often a library tells the language of the first words of a line.

    `texts` names the test set, `among` the languages that are possible; `right` is a share, 0 to 1, of `number` texts;
    `microseconds` are for a text.
    """

    library: str
    texts: str
    among: list[str]
    words: int
    number: int
    right: float
    microseconds: float


class Identification(Result):
    """serve-languages.json."""

    rows: list[IdentificationRow]
