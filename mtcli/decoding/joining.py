"""A line's parts put together again: from the translations of each to those of the line."""

from collections.abc import Sequence
from dataclasses import dataclass

from mtcli.decoding.frame import Frame
from mtcli.decoding.lines import Part, copied, is_invisible, one_line, rejoin
from mtcli.decoding.repair import Worded
from mtcli.translation import Candidate, Translation


@dataclass(frozen=True, slots=True)
class Prepared:
    """A line and what the model is to translate of it: nothing, one part, or several."""

    line: str
    parts: Sequence[Part]


def translation_of(
    prepared: Prepared, found: Sequence[Sequence[Worded]], length_penalty: float, n_best: int
) -> Translation:
    """Join a line's parts: rank r of its list has their translations of rank r.

    Of those with the same text, cut into other tokens, the best stays; the list has at most `n_best`.
    """
    line, parts = prepared.line, prepared.parts
    if not parts:
        return Translation(line, (Candidate(copied(line), 0.0, 0.0, 0),))
    frame = Frame.of(line)
    by_text: dict[str, Candidate] = {}
    for rank in range(max(map(len, found))):
        candidate = joined(parts, [part[min(rank, len(part) - 1)] for part in found], frame, length_penalty)
        by_text.setdefault(candidate.text, candidate)
    return Translation(line, tuple(by_text.values())[:n_best], tuple([part.text for part in parts]))


def joined(parts: Sequence[Part], chosen: Sequence[Worded], frame: Frame, length_penalty: float) -> Candidate:
    """One candidate of a line, from a translation of each part; what has none is copied from the source."""
    log_prob = sum([scored.log_prob for scored, _ in chosen])
    num_tokens = sum([scored.num_tokens for scored, _ in chosen])
    texts = [one_line(part.text) if is_invisible(text) else text for part, (_, text) in zip(parts, chosen, strict=True)]
    tokens = tuple([token for scored, _ in chosen for token in scored.tokens])
    whole = frame.around(rejoin(texts, [part.gap for part in parts]))
    return Candidate(whole, log_prob / max(1, num_tokens) ** length_penalty, log_prob, num_tokens, tuple(texts), tokens)
