"""Lines for a model of several target languages: what is wrong with their tokens is said once."""

import pytest
from support.marian import ENGLISH, spm_model
from support.sentences import small_tokenizer

from mtcli.data.corpus import SentencePair
from mtcli.data.listed import ListedTokenizer, Vocabulary
from mtcli.data.tokenizer import Tokenizer
from mtcli.decoding.target_language import TargetLanguageCheck


def tokenizer(*languages: str, prefix: str = "") -> ListedTokenizer:
    pieces = ("</s>", "<unk>", *languages, "▁the", "▁dog")
    vocabulary = Vocabulary(source=pieces, unknown="<unk>", end="</s>", start=0, prefix=prefix)
    return ListedTokenizer(spm_model(ENGLISH, 70), vocabulary, "source")


def said(lines: list[str], model: Tokenizer) -> list[str]:
    warnings: list[str] = []
    assert list(TargetLanguageCheck(model, warnings.append).watch(lines)) == lines
    return warnings


def test_each_fault_is_said_once() -> None:
    lines = [">>fra<< the dog", "the dog", ">>xyz<< the dog", "a dog", ">>abc<<the dog", " >>fra<< the dog"]
    assert said(lines, tokenizer(">>fra<<", ">>deu<<")) == [
        "Warning: A line does not say which language to translate it into. It knows >>fra<<, >>deu<<: begin lines with "
        "one of them, as in `>>fra<< text`, or import the model with --target-lang fra.",
        "Warning: A line begins with >>xyz<<, which this model does not know as a language. It knows >>fra<<, >>deu<<: "
        "begin lines with one of them, as in `>>fra<< text`, or import the model with --target-lang fra.",
    ]


@pytest.mark.parametrize("line", ["", " ", "102", "🎉", ">>fra<< the dog", ">>fra<<the dog", "\u200b>>fra<< the dog"])
def test_nothing_is_said_of_lines_that_need_no_token_or_have_it(line: str) -> None:
    assert said([line], tokenizer(">>fra<<")) == []


def test_where_lines_have_a_language_by_default_only_unknown_ones_are_said() -> None:
    [warning] = said(["the dog", ">>xyz<< the dog"], tokenizer(">>fra<<", ">>deu<<", prefix=">>deu<<"))
    assert ">>xyz<<" in warning
    assert warning.endswith("Lines without one are translated into >>deu<<.")


def test_models_of_one_language_need_no_token() -> None:
    assert said(["the dog", ">>fra<< the dog"], tokenizer()) == []
    assert said(["the dog", ">>fra<< the dog"], small_tokenizer()) == []


def test_of_many_languages_a_few_are_listed() -> None:
    [warning] = said(["the dog"], tokenizer(*(f">>l{number:02}<<" for number in range(1500))))
    assert ">>l07<< and 1,492 more" in warning
    assert ">>l08<<" not in warning


def test_pairs_are_watched_by_their_sources() -> None:
    pairs, warnings = [SentencePair(">>fra<< the dog", "x"), SentencePair("the dog", ">>fra<< x")], list[str]()
    assert list(TargetLanguageCheck(tokenizer(">>fra<<"), warnings.append).watch_pairs(pairs)) == pairs
    assert len(warnings) == 1
