"""Scores of given translations: of any pair, in the parts that its translation is made of."""

from collections.abc import Sequence
from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.examples import examples
from support.forced import backend_of, score_targets
from support.hostile import line_text
from support.tiny import untrained_model

from mtcli import Translator
from mtcli.data.corpus import SentencePair
from mtcli.decoding.backend import Backend
from mtcli.decoding.lines import is_invisible
from mtcli.decoding.scoring import TargetScore, score_pairs
from mtcli.model_directory.model import Model

LONGEST = 16  # tokens that the untrained model reads


def score(src: str, tgt: str, mode: str = "auto", backend: Backend | None = None) -> TargetScore:
    [found] = score_pairs(backend or backend_of(untrained_model(LONGEST)), [SentencePair(src, tgt)], mode)
    assert found is not None
    return found


def of_tokens(src: Sequence[int], tgt: Sequence[int]) -> TargetScore:
    model = untrained_model(LONGEST)
    eos, start = model.tokenizers.src.eos_id, model.tokenizers.tgt.start_id
    [found] = score_targets(model.network, [[*src, eos]], [[*tgt, eos]], start)
    return found


def encode(text: str) -> list[int]:
    return untrained_model(LONGEST).tokenizers.tgt.encode(text)


def test_what_is_one_part_is_scored_as_it_is() -> None:
    pairs = [SentencePair(src, tgt) for src, tgt in (("the dog", "a cat"), ("the cat", "a dog"), ("a dog", "the cat"))]
    model = untrained_model(LONGEST)
    eos = model.tokenizers.src.eos_id
    sources = [[*encode(pair.src), eos] for pair in pairs]
    targets = [[*encode(pair.tgt), eos] for pair in pairs]
    assert list(score_pairs(backend_of(model), pairs)) == score_targets(
        model.network, sources, targets, model.tokenizers.tgt.start_id
    )


line = st.one_of(
    line_text, st.lists(st.sampled_from(["the dog", "runs.", "A cat", "。", "🙂", "x" * 40])).map(" ".join)
)


@examples(60, 800)
@given(line, line, st.sampled_from(["auto", "split", "keep"]))
def test_any_pair_has_a_score(src: str, tgt: str, mode: str) -> None:
    [found] = score_pairs(backend_of(untrained_model(LONGEST)), [SentencePair(src, tgt)], mode)
    if is_invisible(src) or not encode(src):
        assert found is None
    else:
        assert found is not None
        assert isfinite(found.log_prob)
        assert found.log_prob < 0
        assert found.num_tokens >= max(found.parts, 1)


def test_the_others_of_a_pair_that_is_too_long_are_scored_as_alone() -> None:
    pairs = [
        ("the dog", "a cat"),
        ("the dog runs " * 50, "a cat"),
        ("", "a"),
        ("a cat", "the dog " * 90),
        ("a cat", ""),
    ]
    together = list(score_pairs(backend_of(untrained_model(LONGEST)), [SentencePair(*pair) for pair in pairs]))
    for pair, found in zip(pairs, together, strict=True):
        if pair[0]:
            alone = score(*pair)
            assert found is not None
            assert found.log_prob == pytest.approx(alone.log_prob, abs=1e-4)
            assert (found.num_tokens, found.parts) == (alone.num_tokens, alone.parts)
        else:
            assert found is None


@pytest.mark.parametrize("mode", ["auto", "split"])
def test_sentences_are_scored_beside_their_sentences(mode: str) -> None:
    sources, targets = ("The dog runs.", "A cat sleeps."), ("A cat runs.", "The dog sleeps.")
    singles = [score(*pair) for pair in zip(sources, targets, strict=True)]
    found = score(" ".join(sources), "  ".join(targets), mode)
    assert found.parts == 2
    assert found.num_tokens == sum(single.num_tokens for single in singles)
    assert found.log_prob == pytest.approx(sum(single.log_prob for single in singles), abs=1e-4)


def test_where_sentences_have_no_partners_the_line_is_scored_whole() -> None:
    src, tgt = "A dog. A cat.", "The cat"
    assert score(src, tgt) == of_tokens(encode(src), encode(tgt))
    assert score(src, tgt, "keep") == of_tokens(encode(src), encode(tgt))


def test_the_target_is_shared_out_by_the_lengths_of_the_sources_parts() -> None:
    src, tgt = "the dog runs " * 20, "a cat sleeps under the house " * 20
    found = score(src, tgt)
    assert found.parts > 2
    assert found.num_tokens == len(encode(tgt)) + found.parts


def test_a_target_alone_may_be_too_long() -> None:
    found = score("a dog", "the cat " * 40)
    assert found.num_tokens == len(encode("the cat " * 40)) + found.parts
    assert found.parts == -(-len(encode("the cat " * 40)) // (untrained_model(LONGEST).network.max_positions - 1))


def test_an_empty_target_is_scored_by_its_end_token() -> None:
    assert score("the dog", "") == of_tokens(encode("the dog"), [])
    assert score("the dog", " \u200b") == of_tokens(encode("the dog"), [])
    long = score("the dog runs " * 200, "")
    assert long.num_tokens == long.parts > 1


@pytest.mark.parametrize("engine", ["torch", "native"])
@pytest.mark.parametrize("mode", ["auto", "split", "keep"])
def test_what_a_model_wrote_has_the_score_that_it_was_found_with(mode: str, engine: str) -> None:
    translator = Translator(device="cpu", engine=engine)
    joined = "Where is the station? I don't know. Tom is reading a book."
    lines = ["Where is the station?", joined, " ".join([joined] * 70)]
    for translation in translator.translate(lines, sentences=mode):
        best = translation.n_best[0]
        found = score(translation.source, best.text, mode, translator.backend)
        if encode_all(translator.model, best.parts) == list(best.tokens):
            assert found.num_tokens == best.num_tokens
            assert found.log_prob == pytest.approx(best.log_prob, abs=1e-3 * best.num_tokens)
    assert found.parts == 210


def encode_all(model: Model, texts: Sequence[str]) -> list[int]:
    return [token for text in texts for token in model.tokenizers.tgt.encode(text)]


def test_the_native_engine_scores_as_pytorch_does() -> None:
    model = untrained_model(LONGEST)
    pairs = [SentencePair("the dog", "a cat"), SentencePair("", "a"), SentencePair("a cat", "the dog " * 90)]
    native, torch = (list(score_pairs(backend_of(model, engine), pairs)) for engine in ("native", "torch"))
    for ours, theirs in zip(native, torch, strict=True):
        if ours is None or theirs is None:
            assert ours is theirs
        else:
            assert (ours.num_tokens, ours.parts) == (theirs.num_tokens, theirs.parts)
            assert ours.log_prob == pytest.approx(theirs.log_prob, abs=1e-5 * theirs.num_tokens)
