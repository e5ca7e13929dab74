"""Sentences of a line, and how many lines of a corpus hold several."""

from collections.abc import Sequence

from sentencex import segment

_MEASURED = 10_000  # lines: enough to tell a share of 1 % from one of 2 %


def split_sentences(text: str) -> list[str]:
    """The sentences of a line, without the spaces between them; none of a blank line."""
    return [sentence for raw in segment("en", text) if (sentence := raw.strip())]


def multi_sentence_share(lines: Sequence[str]) -> float | None:
    """The share of lines with several sentences among lines that are not blank, 0 to 1; None where there are none.

    Of many lines some are looked at, spread evenly.
    """
    texts = [line for line in lines if line.strip()]
    texts = texts[:: -(-len(texts) // _MEASURED) or 1]
    if not texts:
        return None
    return round(sum(len(split_sentences(text)) > 1 for text in texts) / len(texts), 4)
