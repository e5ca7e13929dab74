"""Which of several validations is the best.

By `training.stop_metric`: the lowest loss, or the highest BLEU. Of equal BLEU chrF decides (Popović 2015), and where
BLEU is 0, perplexity does: before a model has its first four words in a row right BLEU says nothing. Scores count as
they are written down, rounded.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeVar

Metric = Literal["bleu", "loss"]
METRICS: tuple[Metric, ...] = ("bleu", "loss")
Record = Mapping[str, Any]  # of one validation: step, nll, perplexity, bleu, chrf, bleu_tokenizer, signature
_Validation = TypeVar("_Validation", bound=Record)
_EARLIER_TOKENIZER = "13a"  # of records that name none


def rank(record: Record, metric: Metric) -> tuple[float, ...]:
    """A key that is larger for better validations."""
    if metric == "loss":
        return (-record["nll"],)
    bleu = record["bleu"]
    return bleu, record.get("chrf", 0.0) if bleu else 0.0, -record["nll"]


def best(records: Iterable[_Validation], metric: Metric, tokenizer: str) -> _Validation | None:
    """The best validation, of equal ones the first; BLEU of other tokenizers than this is not comparable."""
    comparable = [record for record in records if metric == "loss" or tokenizer_of(record) == tokenizer]
    return max(comparable, key=lambda record: rank(record, metric), default=None)


def tokenizer_of(record: Record) -> str:
    """The tokenizer of a validation's BLEU."""
    return str(record.get("bleu_tokenizer", _EARLIER_TOKENIZER))


def criterion(record: Record, metric: Metric) -> str:
    """By what a validation is the best, in words behind a comma; "" where it is BLEU."""
    if metric == "loss":
        return ", by loss"
    return "" if record["bleu"] else ", by perplexity, as BLEU is 0"
