"""BLEU (Papineni et al. 2002), chrF (Popović 2015) and TER (Snover et al. 2006), by sacreBLEU (Post 2018)."""

from collections.abc import Sequence
from dataclasses import dataclass

from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER

from mtcli.errors import BackendUnavailableError, DataError, UsageError


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


def bleu_metric(tokenize: str | None, lowercase: bool) -> BLEU:
    """BLEU with one of sacreBLEU's tokenizers; None is its default (13a).

    Raises:
        UsageError: sacreBLEU has no such tokenizer.
        BackendUnavailableError: the tokenizer needs a package or a download that is not there.
    """
    if tokenize is not None and tokenize not in BLEU.TOKENIZERS:
        raise UsageError(f"--tokenize {tokenize}: expected one of {', '.join(BLEU.TOKENIZERS)}.")
    try:
        # `force` only keeps sacreBLEU from asking whether text was meant to be tokenised, in words for its own users.
        return BLEU(tokenize=tokenize, lowercase=lowercase, force=True)
    except RuntimeError as error:  # sacreBLEU misses an extra for this tokenizer and says which
        raise BackendUnavailableError(" ".join(str(error).split())) from error
    except OSError as error:
        raise BackendUnavailableError(
            f"sacreBLEU's tokenizer {tokenize} needs a file that it could not download ({error}). "
            "Connect to the network once, or use another --tokenize."
        ) from error


def score_corpus(
    hypotheses: Sequence[str],
    *references: Sequence[str],
    tokenize: str | None = None,
    lowercase: bool = False,
) -> Scores:
    """Score translations, line by line beside their references.

    Args:
        references: one list of lines or several; what agrees with any of them counts.
        tokenize: BLEU's tokenizer, as sacreBLEU names them; None is its default (13a).
        lowercase: compare in lower case.

    Raises:
        DataError: the sides have different numbers of lines, or none.
        UsageError, BackendUnavailableError: as `bleu_metric` does.
    """
    for lines in references:
        if len(hypotheses) != len(lines):
            raise DataError(
                f"There are {len(hypotheses)} translations and {len(lines)} references: as many of each were expected."
            )
    if not hypotheses:
        raise DataError("There is nothing to score: the references are empty.")
    bleu = bleu_metric(tokenize, lowercase)
    metrics = {"bleu": bleu, "chrf": CHRF(lowercase=lowercase), "ter": TER(case_sensitive=not lowercase)}
    scores = {name: metric.corpus_score(hypotheses, references).score for name, metric in metrics.items()}
    signatures = {name: f"{name}|{metric.get_signature()}" for name, metric in metrics.items()}
    return Scores(scores["bleu"], scores["chrf"], scores["ter"], signatures, len(hypotheses))


@dataclass(frozen=True)
class ValidationMetrics:
    """What validations, and number types, are compared by.

    Attributes:
        bleu, chrf: cased, 0 to 100.
        signature, chrf_signature: sacreBLEU's descriptions of that BLEU and that chrF.
    """

    bleu: float
    chrf: float
    signature: str
    chrf_signature: str = ""


def validation_metrics(hypotheses: Sequence[str], references: Sequence[str], tokenize: str) -> ValidationMetrics:
    """Score translations by BLEU with one of sacreBLEU's tokenizers, and by chrF.

    Raises:
        UsageError, BackendUnavailableError: as `bleu_metric` does.
    """
    bleu, chrf = bleu_metric(tokenize, lowercase=False), CHRF()
    of_bleu, of_chrf = (float(metric.corpus_score(hypotheses, [references]).score) for metric in (bleu, chrf))
    return ValidationMetrics(of_bleu, of_chrf, str(bleu.get_signature()), str(chrf.get_signature()))


def corpus_bleu(hypotheses: Sequence[str], references: Sequence[str]) -> float:
    """Cased BLEU with sacreBLEU's default tokenizer, 0 to 100."""
    return float(BLEU(force=True).corpus_score(hypotheses, [references]).score)
