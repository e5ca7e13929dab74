"""Text cut into pieces at random: the pieces spell the text, in the proportions that the papers give."""

import io
import math
from collections import Counter
from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Any

import pytest
import sentencepiece as spm
from hypothesis import given
from hypothesis import strategies as st
from support.sentences import sentences

from mtcli.data.pieces import Kind, Pieces
from mtcli.data.segmentation import Sampler
from mtcli.data.tokenizer import Tokenizer, train_tokenizer
from mtcli.errors import DataError

NO_CHANCE = {"unigram": 500.0, "bpe": 0.0}
SOME_CHANCE = {"unigram": 0.2, "bpe": 0.3}
DRAWS = 5000
TEXTS = [*sentences(60, seed=5), "나는 é😀 x", "▁a ▁▁b▁", " ", "", "\x00 <s> <0x41> </s>"]
texts = st.text(st.characters(codec="utf-8"), max_size=30)


@cache
def tokenizer(model_type: str) -> Tokenizer:
    return train_tokenizer(sentences(400, seed=1), vocab_size=340, model_type=model_type)[0]


def foreign(model_type: str, **options: Any) -> Tokenizer:
    model = io.BytesIO()
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences(300, seed=2)),
        model_writer=model,
        **{"model_type": model_type, "vocab_size": 90, "hard_vocab_limit": False, "minloglevel": 2, **options},
    )
    return Tokenizer(model.getvalue())


@pytest.mark.parametrize("model_type", ["unigram", "bpe"])
@given(text=texts, seed=st.integers(0, 2**64))
def test_no_character_is_lost(model_type: str, text: str, seed: int) -> None:
    model = tokenizer(model_type)
    tokens = Sampler(model, SOME_CHANCE[model_type]).sample(text, Random(seed))
    assert model.decode(tokens) == model.decode(model.encode(text))


@pytest.mark.parametrize("model_type", ["unigram", "bpe"])
@pytest.mark.parametrize(
    "options",
    [
        None,
        {},
        {"user_defined_symbols": ["<x>", "og st"]},
        {"treat_whitespace_as_suffix": True},
        {"split_by_whitespace": False},
        {"add_dummy_prefix": False, "normalization_rule_name": "nfkc_cf"},
        {"byte_fallback": True, "vocab_size": 340},
    ],
)
def test_without_chance_tokens_are_the_tokenizers_own(model_type: str, options: dict[str, Any] | None) -> None:
    model = tokenizer(model_type) if options is None else foreign(model_type, **options)
    sampler = Sampler(model, NO_CHANCE[model_type])
    for text in [*TEXTS, "a <x> dog street <x><x>", "ＡＢＣ Cat"]:
        assert sampler.sample(text, Random(1)) == model.encode(text)


def segmentations(word: str, scores: dict[str, float]) -> Iterator[tuple[str, ...]]:
    if not word:
        yield ()
    for end in range(1, len(word) + 1):
        if word[:end] in scores:
            yield from ((word[:end], *rest) for rest in segmentations(word[end:], scores))


def assert_proportions(drawn: Counter[tuple[str, ...]], expected: dict[tuple[str, ...], float]) -> None:
    assert math.isclose(sum(expected.values()), 1.0)
    assert set(drawn) <= set(expected)
    for pieces, probability in expected.items():
        deviation = math.sqrt(DRAWS * probability * (1 - probability))
        assert abs(drawn[pieces] - DRAWS * probability) < 5 * deviation + 1, pieces


def draw(model: Tokenizer, strength: float, word: str) -> Counter[tuple[str, ...]]:
    sampler, random = Sampler(model, strength), Random(7)
    return Counter(tuple(model.pieces(sampler.sample(word, random))) for _ in range(DRAWS))


@pytest.mark.parametrize("smoothing", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("word", ["house", "under", "xs"])
def test_unigram_segmentations_are_drawn_by_their_smoothed_probability(word: str, smoothing: float) -> None:
    model = tokenizer("unigram")
    scores = {piece.text: piece.score for piece in Pieces.of(model.model).pieces}
    if "x" not in scores:  # a character that the model does not know is spelt in bytes
        scores["x"] = min(scores.values()) - 10
    weights = {
        tuple("<0x78>" if piece == "x" else piece for piece in pieces): math.exp(
            smoothing * sum(scores[piece] for piece in pieces)
        )
        for pieces in segmentations("▁" + word, scores)
    }
    total = sum(weights.values())
    assert_proportions(draw(model, smoothing, word), {pieces: weight / total for pieces, weight in weights.items()})


def dropout_outcomes(pieces: tuple[str, ...], scores: dict[str, float], dropout: float) -> dict[tuple[str, ...], float]:
    """All ends of the paper's algorithm with their probabilities: at each step the best merge that is not left out."""
    merges = [
        (scores[pieces[place] + pieces[place + 1]], -place)
        for place in range(len(pieces) - 1)
        if pieces[place] + pieces[place + 1] in scores
    ]
    outcomes = Counter({pieces: dropout ** len(merges)})
    for rank, (_, place) in enumerate(sorted(merges, reverse=True)):
        merged = (*pieces[:-place], pieces[-place] + pieces[1 - place], *pieces[2 - place :])
        for end, probability in dropout_outcomes(merged, scores, dropout).items():
            outcomes[end] += dropout**rank * (1 - dropout) * probability
    return outcomes


@pytest.mark.parametrize("dropout", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("word", ["house", "cats", "t"])
def test_bpe_leaves_merges_out_as_often_as_asked(word: str, dropout: float) -> None:
    model = tokenizer("bpe")
    scores = {piece.text: piece.score for piece in Pieces.of(model.model).pieces}
    expected = dropout_outcomes(tuple("▁" + word), scores, dropout)
    assert_proportions(draw(model, dropout, word), expected)


def test_symbols_are_hardly_ever_taken_apart() -> None:
    model = foreign("unigram", user_defined_symbols=["<x>"])
    scores = {piece.text: piece.score for piece in Pieces.of(model.model).pieces if piece.kind == Kind.NORMAL}
    smoothing, whole, unknown = 0.05, 3 * max(scores.values()) - 0.1, min(scores.values()) - 10
    scores = {**dict.fromkeys("<x>", unknown), **scores, "<x>": whole}
    weights = {
        pieces: math.exp(smoothing * sum(scores[piece] for piece in pieces)) for pieces in segmentations("▁<x>", scores)
    }
    share = sum(weight for pieces, weight in weights.items() if "<x>" in pieces) / sum(weights.values())
    drawn = sum(count for pieces, count in draw(model, smoothing, "<x>").items() if "<x>" in pieces)
    assert 0.5 < share < 1
    assert abs(drawn / DRAWS - share) < 5 * math.sqrt(share * (1 - share) / DRAWS)


def test_a_symbol_is_never_part_of_a_merge() -> None:
    model = tokenizer("bpe").model
    texts = [piece.text for piece in Pieces.of(model).pieces if piece.kind == Kind.NORMAL]
    symbol = next(text for text in texts if len(text) == 2 and any(text + other in texts for other in texts))
    marked = Tokenizer(with_symbol(model, symbol))
    sampler = Sampler(marked, NO_CHANCE["bpe"])
    changed = [text for text in TEXTS if marked.encode(text) != Tokenizer(model).encode(text)]
    assert changed
    for text in changed:
        assert sampler.sample(text, Random(1)) == marked.encode(text)


def with_symbol(model: bytes, text: str) -> bytes:
    """The model with one of its pieces turned into a symbol defined by its user: type 4."""
    name = b"\x0a" + bytes([len(text.encode())]) + text.encode()
    start = model.index(name + b"\x15") - 2
    end = start + 2 + model[start + 1]
    return model[:start] + bytes([0x0A, model[start + 1] + 2]) + model[start + 2 : end] + b"\x18\x04" + model[end:]


def test_long_text_without_spaces_takes_no_memory_and_loses_nothing() -> None:
    for model_type in ("unigram", "bpe"):
        model = tokenizer(model_type)
        sampler, text = Sampler(model, SOME_CHANCE[model_type]), "thehousebehindthetree" * 5
        assert model.decode(sampler.sample(text, Random(1))) == text
        assert Sampler(model, NO_CHANCE[model_type]).sample(text, Random(1)) == model.encode(text)


def test_without_any_merge_characters_are_left() -> None:
    model = tokenizer("bpe")
    assert model.pieces(Sampler(model, 1.0).sample("the dog", Random(1))) == list("▁the▁dog")


@pytest.mark.parametrize("model_type", ["unigram", "bpe"])
def test_what_is_drawn_follows_the_generator_alone(model_type: str) -> None:
    first, second = (Sampler(tokenizer(model_type), SOME_CHANCE[model_type]) for _ in range(2))
    for text in TEXTS:
        second.sample(text, Random(9))  # fills the memory of words
    drawn = [first.sample(text, Random(3)) for text in TEXTS]
    assert drawn == [second.sample(text, Random(3)) for text in TEXTS]
    assert drawn != [second.sample(text, Random(4)) for text in TEXTS]


@pytest.mark.parametrize("model_type", ["word", "char"])
def test_other_models_cannot_be_drawn_from(model_type: str) -> None:
    with pytest.raises(DataError, match=r"type unigram or bpe.*data\.sampling=0"):
        Sampler(foreign(model_type), 0.1)
