"""Whole searches, from sentences to hypotheses, against the definition: ids and the bits of scores."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.native.arrays import assert_same_bits
from support.native.kernels import Kernels
from support.native.networks import Sizes, random_network, sentences
from support.native.searching import NativeSearch, Outcome

from mtcli_native.records import CERTAIN, DONE, ESTIMATE, FLOAT32, FULL, GELU, INT8, NOT_A_NUMBER, RELU, SILU
from mtcli_native.reference.linear import Linear
from mtcli_native.reference.loop import force, translate
from mtcli_native.reference.network import Network
from mtcli_native.reference.search import Rules

STEPS = 10


def rules_of(**changes: object) -> Rules:
    norms = (np.arange(STEPS + 2) ** 0.6).astype(np.float32)
    return replace(Rules(beam=3, start=1, eos=2, length_norms=norms, n_best=2), **changes)  # type: ignore[arg-type]


def by_kernels(
    kernels: Kernels, network: Network, rules: Rules, sources: list[list[int]], limits: list[int], fill: int = 0xFF
) -> list[Outcome]:
    search = NativeSearch(
        kernels, network, rules, slots=len(sources), longest_source=max(map(len, sources)), steps=STEPS, fill=fill
    )
    search.begin(sources, limits, range(len(sources)))
    search.advance()
    return [search.outcome(slot) for slot in range(len(sources))]


def by_definition(network: Network, rules: Rules, source: list[int], limit: int) -> Outcome:
    search = translate(network, source, limit, rules)
    return Outcome(search.status, search.finished[: rules.n_best])


def check(kernels: Kernels, sizes: Sizes, rules: Rules, lengths: list[int], limits: list[int]) -> None:
    network = random_network(sizes)
    sources = sentences(np.random.default_rng(sizes.seed), lengths, sizes.vocabulary)
    found = by_kernels(kernels, network, rules, sources, limits)
    for outcome, source, limit in zip(found, sources, limits, strict=True):
        assert outcome == by_definition(network, rules, source, limit)


RULES = {
    "greedy": {"beam": 1, "n_best": 1},
    "a wide beam": {"beam": 6, "n_best": 6},
    "all that finishes is asked for": {"beam": 4, "n_best": 4, "stop": CERTAIN},
    "the estimate": {"beam": 2, "stop": ESTIMATE, "n_best": 1},
    "banned": {"banned": (0, 3, 5, 44)},
    "all banned but one": {"banned": tuple(range(3, 45)), "beam": 4},
    "banned without a share": {"banned": tuple(range(10, 40)), "renormalize": True},
    "at least eight": {"min_tokens": 8},
    "no end before the limit": {"min_tokens": STEPS},
    "a free end": {"free_end": True, "min_tokens": 5},
}


@pytest.mark.parametrize("name", RULES)
def test_rules(kernels: Kernels, name: str) -> None:
    check(kernels, Sizes(seed=3), rules_of(**RULES[name]), [1, 7], [STEPS, 6])


@pytest.mark.parametrize(
    "sizes",
    [
        Sizes(is_pre_norm=True, activation=GELU, decoder_heads=3, head=5),
        Sizes(is_pre_norm=True, activation=SILU, kind=INT8, vocabulary=300),
        Sizes(kind=INT8, activation=RELU, encoder_heads=1, head=17),
        Sizes(width=33, ffn=31, vocabulary=257, encoder_layers=2),
    ],
    ids=lambda sizes: f"seed-{sizes.vocabulary}-{sizes.kind}-{sizes.activation}",
)
def test_networks(kernels: Kernels, sizes: Sizes) -> None:
    check(kernels, sizes, rules_of(stop=CERTAIN, beam=2), [4, 1, 9], [STEPS, 5, 2])


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 4),
    st.sampled_from([FULL, ESTIMATE, CERTAIN]),
    st.sampled_from([FLOAT32, INT8]),
    st.integers(0, 5),
)
@pytest.mark.slow
def test_any_search(kernels: Kernels, seed: int, beam: int, stop: int, kind: int, min_tokens: int) -> None:
    rules = rules_of(beam=beam, stop=stop, n_best=1 + seed % beam, min_tokens=min_tokens)
    check(kernels, Sizes(seed=seed, kind=kind, head=1 + seed % 20), rules, [1 + seed % 9, 3], [2 + seed % 8, STEPS])


def with_output(network: Network, weight: object, bias: object) -> Network:
    return replace(network, output=Linear(np.float32(weight), np.float32(bias), network.output.kind))  # type: ignore[arg-type]


def test_of_equal_logits_the_lower_token_is_written(kernels: Kernels) -> None:
    network = with_output(random_network(Sizes()), np.zeros((45, 24)), np.zeros(45))
    rules = rules_of(beam=3)
    (outcome,) = by_kernels(kernels, network, rules, [[5, 6]], [4])
    assert outcome == by_definition(network, rules, [5, 6], 4)


@pytest.mark.parametrize("kind", [FLOAT32, INT8], ids=["float32", "int8"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_network_that_gives_no_numbers_is_reported(kernels: Kernels, kind: int, bad: float) -> None:
    network = random_network(Sizes(kind=kind))
    network.decoder.layers[0].up.weight[3, 4] = bad
    assert [outcome.status for outcome in by_kernels(kernels, network, rules_of(), [[5], [6, 7]], [4, 4])] == [
        NOT_A_NUMBER
    ] * 2


@pytest.mark.parametrize("kind", [FLOAT32, INT8], ids=["float32", "int8"])
def test_a_sentence_is_translated_alike_in_any_company_and_memory(kernels: Kernels, kind: int) -> None:
    network = random_network(Sizes(kind=kind))
    sources = sentences(np.random.default_rng(1), [1, 5, 9, 3, 7, 2, 8, 4, 6, 5, 1, 3, 9], 45)
    together = by_kernels(kernels, network, rules_of(), sources, [STEPS] * 13)
    assert {outcome.status for outcome in together} == {DONE}
    for source, outcome in zip(sources, together, strict=True):
        assert by_kernels(kernels, network, rules_of(), [source], [STEPS], fill=0x3F) == [outcome]
    assert by_kernels(kernels, network, rules_of(), sources[::-1], [STEPS] * 13, fill=0) == together[::-1]


def test_slots_are_refilled_while_others_go_on(kernels: Kernels) -> None:
    network, rules = random_network(Sizes()), rules_of(min_tokens=4)
    sources = sentences(np.random.default_rng(2), [3, 9, 5], 45)
    search = NativeSearch(kernels, network, rules, slots=2, longest_source=9, steps=STEPS)
    search.begin(sources[:2], [STEPS, 5], [0, 1])
    search.advance(enough_done=1)
    done = next(slot for slot in range(2) if search.outcome(slot).status == DONE)
    found = {done: search.outcome(done)}
    search.begin(sources[2:], [STEPS], [done])
    search.advance()
    assert found[done] == by_definition(network, rules, sources[done], [STEPS, 5][done])
    assert search.outcome(done) == by_definition(network, rules, sources[2], STEPS)
    other = 1 - done
    assert search.outcome(other) == by_definition(network, rules, sources[other], [STEPS, 5][other])


@pytest.mark.parametrize("kind", [FLOAT32, INT8], ids=["float32", "int8"])
def test_given_translations_are_scored_as_the_definition_scores_them(kernels: Kernels, kind: int) -> None:
    network, rng = random_network(Sizes(kind=kind, decoder_heads=3, head=7)), np.random.default_rng(5)
    sources, targets = sentences(rng, [3, 9, 1], 45), sentences(rng, [6, 1, 9], 45)
    inputs = [[1, *target[:-1]] for target in targets]
    search = NativeSearch(kernels, network, rules_of(), slots=3, longest_source=9, steps=STEPS)
    found, first = search.force(sources, inputs, targets), 0
    for source, given_inputs, target in zip(sources, inputs, targets, strict=True):
        log_probs, weights = force(network, source, given_inputs, target)
        rows = slice(first, first + len(target))
        assert_same_bits(found.log_probs[rows], log_probs)
        assert_same_bits(found.weights[:, rows, : len(source)], weights)
        first += len(target)
