"""Scores are sacreBLEU's own, each with its signature."""

from typing import Any

import pytest
import sacrebleu
from sacrebleu.metrics import BLEU, CHRF, TER
from support.sentences import sentences

from mtcli.errors import BackendUnavailableError, DataError, UsageError
from mtcli.evaluation.metrics import corpus_bleu, score_corpus

REFERENCES = sentences(30, seed=6)
HYPOTHESES = [" ".join(line.split()[: 3 + index % 8]).replace("dog", "Dog") for index, line in enumerate(REFERENCES)]


def test_scores_are_sacrebleus_own() -> None:
    scores = score_corpus(HYPOTHESES, REFERENCES)
    assert scores.bleu == sacrebleu.corpus_bleu(HYPOTHESES, [REFERENCES]).score
    assert scores.chrf == sacrebleu.corpus_chrf(HYPOTHESES, [REFERENCES]).score
    assert scores.ter == TER(case_sensitive=True).corpus_score(HYPOTHESES, [REFERENCES]).score
    assert scores.lines == 30
    assert 0 < scores.bleu < 100


def test_validation_uses_the_same_bleu() -> None:
    assert corpus_bleu(HYPOTHESES, REFERENCES) == score_corpus(HYPOTHESES, REFERENCES).bleu


def test_scores_are_cased_unless_told_otherwise() -> None:
    cased = score_corpus(HYPOTHESES, REFERENCES)
    uncased = score_corpus(HYPOTHESES, REFERENCES, lowercase=True)
    lower = [[line.lower() for line in lines] for lines in (HYPOTHESES, REFERENCES)]
    assert uncased.bleu > cased.bleu
    assert uncased.chrf > cased.chrf
    assert uncased.ter < cased.ter
    assert uncased.bleu == score_corpus(*lower).bleu
    assert uncased.chrf == CHRF(lowercase=True).corpus_score(HYPOTHESES, [REFERENCES]).score


def test_a_tokenizer_is_passed_on() -> None:
    scores = score_corpus(HYPOTHESES, REFERENCES, tokenize="char")
    assert scores.bleu == BLEU(tokenize="char").corpus_score(HYPOTHESES, [REFERENCES]).score
    assert "tok:char" in scores.signatures["bleu"]


@pytest.mark.parametrize(
    ("options", "case", "tokenizer"),
    [({}, "mixed", "13a"), ({"lowercase": True}, "lc", "13a"), ({"tokenize": "intl"}, "mixed", "intl")],
)
def test_every_score_carries_its_signature(options: dict[str, Any], case: str, tokenizer: str) -> None:
    signatures = score_corpus(HYPOTHESES, REFERENCES, **options).signatures
    assert list(signatures) == ["bleu", "chrf", "ter"]
    for name, signature in signatures.items():
        assert signature.lower().startswith(name)
        assert f"case:{case}" in signature
        assert f"version:{sacrebleu.__version__}" in signature
    assert f"tok:{tokenizer}" in signatures["bleu"]


def test_a_perfect_translation_has_perfect_scores() -> None:
    scores = score_corpus(REFERENCES, REFERENCES)
    assert (scores.bleu, scores.chrf, scores.ter) == (pytest.approx(100), pytest.approx(100), 0)


def test_blank_translations_are_scored_not_dropped() -> None:
    halved = [line if index % 2 else "" for index, line in enumerate(REFERENCES)]
    assert score_corpus(halved, REFERENCES).bleu < 70


def test_different_numbers_of_lines_are_an_error() -> None:
    with pytest.raises(DataError, match="29 translations and 30 references"):
        score_corpus(HYPOTHESES[1:], REFERENCES)


def test_nothing_to_score_is_an_error() -> None:
    with pytest.raises(DataError, match="nothing to score"):
        score_corpus([], [])


def test_an_unknown_tokenizer_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"--tokenize words: expected one of .*13a.*intl"):
        score_corpus(HYPOTHESES, REFERENCES, tokenize="words")


def test_a_tokenizer_that_is_not_installed_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise RuntimeError("\nPlease install:\n\n    pip install sacrebleu[ko]\n")

    monkeypatch.setattr(sacrebleu.metrics.bleu, "_get_tokenizer", missing)
    with pytest.raises(BackendUnavailableError, match=r"Please install: pip install sacrebleu\[ko\]"):
        score_corpus(HYPOTHESES, REFERENCES, tokenize="ko-mecab")


def test_tokenised_text_is_scored_without_sacrebleus_advice(caplog: pytest.LogCaptureFixture) -> None:
    """It names a parameter that mtcli has not; `tokenised_advice` says it in words of our own."""
    lines = ["ein hund läuft ."] * 120
    announced = score_corpus(lines, lines, tokenize="none")
    assert "tok:none" in announced.signatures["bleu"]
    assert corpus_bleu(lines, lines) == pytest.approx(100)
    score_corpus(lines, lines)
    assert not caplog.records
