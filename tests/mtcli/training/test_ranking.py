"""Which validation is the best."""

from typing import Any

import pytest

from mtcli.training.ranking import best, criterion


def record(step: int, bleu: float, nll: float, **others: Any) -> dict[str, Any]:
    return {"step": step, "bleu": bleu, "nll": nll, **others}


def test_the_highest_bleu_or_the_lowest_loss_is_the_best() -> None:
    records = [record(1, 5.0, 3.0), record(2, 7.0, 2.0), record(3, 6.0, 1.0)]
    assert best(records, "bleu", "13a") == records[1]
    assert best(records, "loss", "13a") == records[2]
    assert best([], "bleu", "13a") is None


def test_chrf_decides_between_equal_bleu() -> None:
    records = [record(1, 7.0, 1.0, chrf=30.0), record(2, 7.0, 2.0, chrf=31.0), record(3, 7.0, 0.5, chrf=31.0)]
    assert best(records[:2], "bleu", "13a") == records[1]
    assert best(records, "bleu", "13a") == records[2], "and of equal chrF perplexity"
    assert best([records[0], record(2, 7.0, 1.0, chrf=30.0)], "bleu", "13a") == records[0], "and then the first"


def test_where_bleu_stays_0_perplexity_decides() -> None:
    records = [record(1, 0.0, 5.85, chrf=9.0), record(2, 0.0, 5.27, chrf=2.0), record(3, 0.0, 5.5, chrf=3.0)]
    assert best(records, "bleu", "zh") is None
    records = [{**record, "bleu_tokenizer": "zh"} for record in records]
    assert best(records, "bleu", "zh") == records[1]
    assert criterion(records[1], "bleu") == ", by perplexity, as BLEU is 0"
    assert best([*records, record(4, 0.01, 9.0, bleu_tokenizer="zh")], "bleu", "zh") == record(
        4, 0.01, 9.0, bleu_tokenizer="zh"
    )


@pytest.mark.parametrize(("metric", "said"), [("bleu", ""), ("loss", ", by loss")])
def test_it_is_said_by_what(metric: Any, said: str) -> None:
    assert criterion(record(1, 2.0, 3.0), metric) == said


def test_bleu_of_two_tokenizers_is_not_compared_and_loss_is() -> None:
    records = [record(1, 50.0, 3.0), record(2, 7.0, 4.0, bleu_tokenizer="char")]
    assert best(records, "bleu", "char") == records[1]
    assert best(records, "loss", "char") == records[0]
