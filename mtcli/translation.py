"""A line and its translations: what decoding makes, files are written from and callers get."""

from dataclasses import dataclass

from mtcli.checking.findings import Finding


@dataclass(frozen=True)
class Candidate:
    """One translation of a line.

    Attributes:
        text: detokenised, never with a line break or a tab but a soft break that its line ends with
            (`mtcli.decoding.frame.Frame`).
        score: log_prob / num_tokens ** length_penalty.
        log_prob: summed natural-log probability of its tokens, end tokens included.
        num_tokens: how many those are.
        parts: what `text` was joined from, one text a part of the line; none for a line the model did not see.
        tokens: target ids, without end tokens.
    """

    text: str
    score: float
    log_prob: float
    num_tokens: int
    parts: tuple[str, ...] = ()
    tokens: tuple[int, ...] = ()


@dataclass(frozen=True)
class Translation:
    """A line and its translations, the best first; a blank line has one empty candidate.

    Attributes:
        source: the line as it came.
        n_best: one candidate at least, no two of one text.
        source_parts: what the line was split into, as the model read it; none for a line it did not see.
        findings: what checks have against the best candidate, where somebody asked for them; once it was repaired,
            what is still wrong.
        repaired: names of the steps (`mtcli.decoding.repair.steps`) that the best candidate comes from, with commas
            between them; empty where it is the plain search's.
    """

    source: str
    n_best: tuple[Candidate, ...]
    source_parts: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    repaired: str = ""

    @property
    def text(self) -> str:
        return self.n_best[0].text

    @property
    def score(self) -> float:
        return self.n_best[0].score

    @property
    def tokens(self) -> tuple[int, ...]:
        return self.n_best[0].tokens
