"""Decoding against a plain Python search over whole sequences, with neither caches nor batches."""

import math
from collections.abc import Sequence

import pytest
from support.forced import score_targets
from support.searching import BANNED, EOS, SOURCES, START, VOCABULARY, network, next_log_probs, options, plain_search

from mtcli.decoding.engines.torch import TorchEngines
from mtcli.decoding.pool import EnginePool
from mtcli.decoding.search import Hypothesis, SearchOptions
from mtcli.model.transformer import Transformer


def search(
    model: Transformer, sources: Sequence[Sequence[int]], limits: Sequence[int], how: SearchOptions
) -> list[list[Hypothesis]]:
    return EnginePool(TorchEngines(model, how, independent=False), num_workers=1).decode(sources, limits)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("beam", [1, 2, 4])
@pytest.mark.parametrize("length_penalty", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("n_best", [1, None])
def test_search_finds_what_a_plain_search_finds(
    seed: int, beam: int, length_penalty: float, n_best: int | None
) -> None:
    model, limits = network(seed), [6, 3, 8, 5]
    found = search(model, SOURCES, limits, options(beam, length_penalty, n_best))
    for source, limit, hypotheses in zip(SOURCES, limits, found, strict=True):
        expected = plain_search(model, source, limit, options(beam, length_penalty, n_best))
        assert [h.tokens for h in hypotheses] == [h.tokens for h in expected]
        for ours, theirs in zip(hypotheses, expected, strict=True):
            assert ours.score == pytest.approx(theirs.score, abs=1e-4)
            assert ours.log_prob == pytest.approx(theirs.log_prob, abs=1e-4)


def test_a_search_that_outgrows_its_first_caches_finds_the_same() -> None:
    model, limits = network(2, sharpness=1.0), [45, 3, 40, 5]
    found = search(model, SOURCES, limits, options(2, 1.0))
    assert max(len(hypothesis.tokens) for hypotheses in found for hypothesis in hypotheses) > 33
    for source, limit, hypotheses in zip(SOURCES, limits, found, strict=True):
        expected = plain_search(model, source, limit, options(2, 1.0))
        assert [h.tokens for h in hypotheses] == [h.tokens for h in expected]


@pytest.mark.parametrize("attention", ["sdpa", "reference"])
@pytest.mark.parametrize("beam", [1, 4])
def test_every_form_of_the_operations_finds_the_same_tokens(attention: str, beam: int) -> None:
    model, limits = network(3).float(), [6, 9, 20, 5]
    expected = search(model, SOURCES, limits, options(beam))
    model.attention = attention
    for ours, theirs in zip(search(model, SOURCES, limits, options(beam)), expected, strict=True):
        assert [h.tokens for h in ours] == [h.tokens for h in theirs]
        assert [h.score for h in ours] == pytest.approx([h.score for h in theirs], abs=1e-4)


def test_a_beam_of_one_is_greedy() -> None:
    model = network(11)
    for source, [hypothesis] in zip(SOURCES, search(model, SOURCES, [10] * 4, options(1)), strict=True):
        tokens: list[int] = []
        while len(tokens) < 9:
            row = next_log_probs(model, source, tokens)
            allowed = [t for t in range(VOCABULARY) if t not in BANNED and (tokens or t != EOS)]
            best = max(allowed, key=row.__getitem__)
            if best == EOS:
                break
            tokens.append(best)
        assert hypothesis.tokens == tokens


@pytest.mark.parametrize("beam", [1, 5])
def test_scoring_a_hypothesis_gives_what_decoding_reported(beam: int) -> None:
    model = network(5).float()
    for source, hypotheses in zip(SOURCES, search(model, SOURCES, [12] * 4, options(beam)), strict=True):
        for hypothesis in hypotheses:
            [scored] = score_targets(model, [source], [[*hypothesis.tokens, EOS]], START)
            assert scored.log_prob == pytest.approx(hypothesis.log_prob, abs=1e-4)
            assert scored.num_tokens == hypothesis.num_tokens
            assert scored.normalised(1.0) == pytest.approx(hypothesis.score, abs=1e-4)


def test_a_sentence_is_translated_alike_alone_and_in_a_batch() -> None:
    model = network(6)
    together = search(model, SOURCES, [9] * 4, options(3))
    backwards = search(model, SOURCES[::-1], [9] * 4, options(3))[::-1]
    for source, a, b in zip(SOURCES, together, backwards, strict=True):
        [alone] = search(model, [source], [9], options(3))
        assert [h.tokens for h in a] == [h.tokens for h in b] == [h.tokens for h in alone]


def test_no_output_is_empty_banned_or_longer_than_its_limit() -> None:
    limits = [2, 3, 4, 5]
    for limit, hypotheses in zip(limits, search(network(7), SOURCES, limits, options(4)), strict=True):
        assert hypotheses
        for hypothesis in hypotheses:
            assert 1 <= len(hypothesis.tokens) <= limit - 1
            assert not set(hypothesis.tokens) & {*BANNED, EOS}


def test_hypotheses_come_best_first_and_differ() -> None:
    for hypotheses in search(network(8), SOURCES, [10] * 4, options(4)):
        scores = [hypothesis.score for hypothesis in hypotheses]
        assert scores == sorted(scores, reverse=True)
        assert len({tuple(hypothesis.tokens) for hypothesis in hypotheses}) == len(hypotheses)
        assert all(math.isfinite(score) for score in scores)


def test_scores_of_a_batch_equal_those_of_its_pairs() -> None:
    model = network(9)
    targets = [[5, 6, EOS], [7, EOS], [8, 9, 10, EOS], [11, EOS]]
    together = score_targets(model, SOURCES, targets, START)
    for source, target, score in zip(SOURCES, targets, together, strict=True):
        assert score_targets(model, [source], [target], START)[0].log_prob == pytest.approx(score.log_prob, abs=1e-5)
        by_hand = sum(next_log_probs(model, source, target[:i])[token] for i, token in enumerate(target))
        assert score.log_prob == pytest.approx(by_hand, abs=1e-5)
