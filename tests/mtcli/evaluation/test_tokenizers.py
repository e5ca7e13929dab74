"""The tokenizer that suits a script."""

import pytest

from mtcli.errors import BackendUnavailableError
from mtcli.evaluation import tokenizers
from mtcli.evaluation.metrics import score_corpus, validation_metrics
from mtcli.evaluation.tokenizers import advice, script_of, suited_tokenizer, tokenised_advice

TEXTS = {
    "spaced": ["The dog runs.", "Собака бежит.", "الكلب يجري", "कुत्ता दौड़ता है"],
    "Han": ["我喜欢看书。", "他在 2024 年去了 Berlin。"],
    "Japanese": ["私は本を読むのが好きです。", "東京都庁舎を見学した。"],
    "Korean": ["나는 집에 간다.", "학교에서 친구를 만났다."],
    "unspaced": ["สวัสดีครับ ผมชื่อทอม", "ຂ້ອຍມັກອ່ານ", "ខ្ញុំចូលចិត្តអាន", "ကျွန်တော် စာဖတ်"],
}


@pytest.mark.parametrize("script", TEXTS)
def test_scripts_are_told_apart(script: str) -> None:
    assert script_of(TEXTS[script]) == script
    assert script_of(["", "..."]) == "spaced"


def test_most_letters_decide() -> None:
    assert script_of(["The sign says 日本語.", "Yes."]) == "spaced"
    assert script_of(["他说 hello", "我们都知道这件事情很重要"]) == "Han"


@pytest.mark.parametrize(
    ("script", "with_packages", "without"),
    [
        ("spaced", "13a", "13a"),
        ("Han", "zh", "zh"),
        ("Japanese", "ja-mecab", "char"),
        ("Korean", "ko-mecab", "char"),
        ("unspaced", "char", "char"),
    ],
)
def test_what_suits_depends_on_what_is_installed(
    script: str, with_packages: str, without: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def installed(name: str, lowercase: bool) -> None:
        pass

    def missing(name: str, lowercase: bool) -> None:
        if name.endswith("mecab"):
            raise BackendUnavailableError("a package is missing")

    monkeypatch.setattr(tokenizers, "bleu_metric", installed)
    assert suited_tokenizer(TEXTS[script]) == with_packages
    monkeypatch.setattr(tokenizers, "bleu_metric", missing)
    assert suited_tokenizer(TEXTS[script]) == without


@pytest.mark.parametrize(
    ("tokenizer", "script", "warns"),
    [
        (None, "spaced", False),
        ("13a", "Han", True),
        (None, "Japanese", True),
        ("intl", "unspaced", True),
        ("zh", "Japanese", True),
        ("zh", "Han", False),
        ("char", "Japanese", False),
        ("none", "Han", False),
        ("flores200", "unspaced", False),
        ("13a", "Korean", True),
        ("ja-mecab", "spaced", True),
    ],
)
def test_what_does_not_suit_is_said(tokenizer: str | None, script: str, warns: bool) -> None:
    said = advice(tokenizer, TEXTS[script])
    assert (said is not None) == warns
    if said:
        assert f"--tokenize {suited_tokenizer(TEXTS[script])}" in said


def test_unspaced_text_is_scored_by_what_suits_it() -> None:
    references = ["我喜欢看书和电影。", "他昨天去了北京大学。"]
    hypotheses = ["我喜欢看电影和书。", "他昨天去过北京大学。"]
    by_words, by_characters = (validation_metrics(hypotheses, references, name) for name in ("13a", "zh"))
    assert by_words.bleu == 0 < by_characters.bleu < 100
    assert by_words.chrf == by_characters.chrf
    assert "tok:zh" in by_characters.signature


@pytest.mark.parametrize(("tokenizer", "lines", "warns"), [(None, 100, True), ("none", 100, False), (None, 99, False)])
def test_text_that_seems_tokenised_is_said_in_words_of_our_own(
    tokenizer: str | None, lines: int, warns: bool, caplog: pytest.LogCaptureFixture
) -> None:
    hypotheses = ["It seems so ."] * lines
    score_corpus(hypotheses, hypotheses, tokenize=tokenizer)
    assert not caplog.records
    said = tokenised_advice(tokenizer, hypotheses)
    assert (said is not None) == warns
    assert not said or "--tokenize none" in said
