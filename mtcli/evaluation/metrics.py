"""BLEU (Papineni et al. 2002), chrF (Popović 2015) and TER (Snover et al. 2006), by sacreBLEU (Post 2018)."""

from collections.abc import Sequence
from dataclasses import dataclass

from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER

from mtcli.errors import DataError


@dataclass(frozen=True)
class Scores:
    """Corpus-level scores, each with the signature that makes it comparable.

    Attributes:
        bleu, chrf: 0 to 100, higher is better.
        ter: edits per 100 reference words, lower is better.
        signatures: sacreBLEU's description of each metric's settings.
        lines: sentence pairs scored.
    """

    bleu: float
    chrf: float
    ter: float
    signatures: dict[str, str]
    lines: int


def score_corpus(
    hypotheses: Sequence[str],
    references: Sequence[str],
    *,
    tokenize: str | None = None,
    lowercase: bool = False,
    target_language: str = "",
) -> Scores:
    """Score translations, line by line beside their references.

    Args:
        tokenize: BLEU's tokenizer, as sacreBLEU names them; None is its default (13a).
        lowercase: compare in lower case.
        target_language: ISO 639-1 code, for sacreBLEU to choose a default tokenizer by (ko, ja, zh).

    Raises:
        DataError: the sides have different numbers of lines, or none.
    """
    if len(hypotheses) != len(references):
        raise DataError(
            f"There are {len(hypotheses)} translations and {len(references)} references: as many of each were expected."
        )
    if not references:
        raise DataError("There is nothing to score: the references are empty.")
    bleu = BLEU(tokenize=tokenize, lowercase=lowercase, trg_lang=target_language)
    metrics = {"bleu": bleu, "chrf": CHRF(lowercase=lowercase), "ter": TER(case_sensitive=not lowercase)}
    scores = {name: metric.corpus_score(hypotheses, [references]).score for name, metric in metrics.items()}
    signatures = {name: f"{name}|{metric.get_signature()}" for name, metric in metrics.items()}
    return Scores(scores["bleu"], scores["chrf"], scores["ter"], signatures, len(references))


def corpus_bleu(hypotheses: Sequence[str], references: Sequence[str]) -> float:
    """Cased BLEU with sacreBLEU's default tokenizer, 0 to 100."""
    return float(BLEU().corpus_score(hypotheses, [references]).score)
