"""The network gives one answer, however its input is batched and whether or not it caches."""

import copy

import pytest
import torch
from torch import Tensor

from mtcli.config import ModelConfig, VocabularySizes
from mtcli.errors import ConfigError
from mtcli.model.cache import DecoderCache
from mtcli.model.transformer import Transformer, sinusoids
from mtcli_kernels.decoding_layout import BeamPlaces
from mtcli_kernels.packing import Packing

SOURCES = [[5, 6, 7, 2], [8, 2], [9, 10, 11, 12, 13, 2]]
TARGETS = [[1, 20, 21], [1, 22, 23, 24, 25], [1, 26]]
OPTIONS = {
    "post-norm": {},
    "pre-norm": {"norm": "pre"},
    "gelu": {"activation": "gelu"},
    "silu": {"activation": "silu"},
    "learned positions": {"positions": "learned"},
    "tied target": {"tied_embeddings": "target"},
    "untied": {"tied_embeddings": "none"},
    "deep encoder": {"encoder_layers": 3, "decoder_layers": 1},
}


def build(**options: object) -> Transformer:
    torch.manual_seed(7)
    settings = {"encoder_layers": 2, "decoder_layers": 2, "d_model": 16, "ffn_dim": 32, "heads": 2, "max_length": 32}
    config = ModelConfig.model_validate({**settings, **options})
    return Transformer(config, VocabularySizes(source=40, target=40, shared=True)).eval()


def packed(sentences: list[list[int]]) -> tuple[Tensor, Packing]:
    return torch.tensor([token for s in sentences for token in s]), Packing.of([len(s) for s in sentences])


@pytest.mark.parametrize("name", OPTIONS)
def test_a_sentence_alone_and_in_a_batch_agree(name: str) -> None:
    network = build(**OPTIONS[name])
    together = network(*packed(SOURCES), *packed(TARGETS)).split([len(t) for t in TARGETS])
    for src, tgt, states in zip(SOURCES, TARGETS, together, strict=True):
        alone = network(*packed([src]), *packed([tgt]))
        torch.testing.assert_close(states, alone, rtol=1e-5, atol=1e-5)


def at_step(step: int, slots: int, beam: int, parents: list[list[int]] | None = None) -> BeamPlaces:
    """All slots at one step; every hypothesis has always been at its own place, or came by way of `parents`."""
    ancestry = torch.arange(beam, dtype=torch.int32).repeat(slots, step + 1, 1).transpose(1, 2).contiguous()
    if parents is not None:
        ancestry[:, :, :step] = torch.tensor(parents, dtype=torch.int32)
    return BeamPlaces(ancestry, torch.full((slots,), step, dtype=torch.int32), longest=step)


@pytest.mark.parametrize("attention", ["padded", "sdpa", "reference"])
@pytest.mark.parametrize("name", OPTIONS)
def test_step_by_step_with_caches_equals_the_whole_target_at_once(name: str, attention: str) -> None:
    network = build(**OPTIONS[name])
    network.attention = attention
    target = [1, 20, 21, 22, 23]
    src, packing = packed(SOURCES)
    cache = network.start(network.encode(src, packing), packing)
    rows = [network.step(torch.full((3,), token), cache, at_step(i, 3, 1)) for i, token in enumerate(target)]
    steps = torch.stack(rows, dim=1)
    whole = network.output(network(src, packing, *packed([target] * 3))).view(3, len(target), -1)
    torch.testing.assert_close(steps, whole, rtol=1e-5, atol=1e-5)


def test_hypotheses_of_a_sentence_share_its_source() -> None:
    network = build()
    src, packing = packed(SOURCES)
    cache = network.start(network.encode(src, packing), packing, beam=2)
    assert cache.cross[0].keys.shape == (len(SOURCES), 2, max(map(len, SOURCES)), 8)  # of no hypothesis in particular
    logits = network.step(torch.tensor([1, 1, 1, 1, 1, 1]), cache, at_step(0, 3, 2))
    torch.testing.assert_close(logits[0::2], logits[1::2])
    assert not torch.allclose(logits[0], logits[2])


@pytest.mark.parametrize("attention", ["padded", "sdpa", "reference"])
def test_the_cache_grows_and_hypotheses_change_their_past_without_moving_it(attention: str) -> None:
    network = build(max_length=64)
    network.attention = attention
    src, packing = packed([SOURCES[0]])
    cache = network.start(network.encode(src, packing), packing, beam=2, max_steps=8)
    first, second = [1, 20] * 20, [1, 30] * 20
    for step, tokens in enumerate(zip(first, second, strict=True)):
        if step == cache.max_steps:
            cache = cache.grown(slots=1, max_steps=2 * step, max_source=cache.max_source)
        network.step(torch.tensor(tokens), cache, at_step(step, 1, 2))
    assert cache.max_steps == 64
    both_from_second = at_step(40, 1, 2, parents=[[1] * 40, [1] * 40])
    logits = network.step(torch.tensor([3, 4]), cache, both_from_second)
    for row, last in enumerate((3, 4)):
        whole = network.output(network(src, packing, *packed([[*second, last]])))[-1]
        torch.testing.assert_close(logits[row], whole, rtol=1e-4, atol=1e-4)


def admit(network: Transformer, cache: DecoderCache, *sources: list[int], slots: list[int]) -> None:
    src, packing = packed(list(sources))
    network.admit(network.encode(src, packing), packing, cache, torch.tensor(slots))


def at(positions: list[int]) -> BeamPlaces:
    """Slots with one hypothesis each, at these steps."""
    ancestry = torch.zeros(len(positions), 1, 8, dtype=torch.int32)
    return BeamPlaces(ancestry, torch.tensor(positions, dtype=torch.int32), max(positions))


def assert_like_the_whole(network: Transformer, logits: Tensor, pairs: list[tuple[list[int], list[int]]]) -> None:
    """Each row is what the decoder says after that target of that source, without a cache."""
    for row, (source, target) in zip(logits, pairs, strict=True):
        whole = network.output(network(*packed([source]), *packed([target])))[-1]
        torch.testing.assert_close(row, whole, rtol=1e-5, atol=1e-5)


def numbers(cache: DecoderCache) -> list[Tensor]:
    return [tensor for layer in (*cache.cross, *cache.self_attention) for tensor in (layer.keys, layer.values)]


@pytest.mark.parametrize("attention", ["padded", "sdpa", "reference"])
def test_sentences_come_and_go_while_others_go_on(attention: str) -> None:
    """Two slots of a cache for three: one sentence leaves, a longer one takes its slot, a third moves up."""
    network = build()
    network.attention = attention
    cache = network.empty_cache(3, max_steps=8, max_source=6)
    admit(network, cache, SOURCES[0], SOURCES[1], slots=[0, 2])
    steps = cache.first(3, longest=4)
    network.step(torch.tensor([1, 9, 1]), steps, at([0, -1, 0]))
    network.step(torch.tensor([20, 9, 30]), steps, at([1, -1, 1]))

    admit(network, cache, SOURCES[2], slots=[0])
    cache.move(torch.tensor([2]), torch.tensor([1]))
    steps = cache.first(2, longest=6)
    logits = network.step(torch.tensor([1, 31]), steps, at([0, 2]))
    assert_like_the_whole(network, logits, [(SOURCES[2], [1]), (SOURCES[1], [1, 30, 31])])
    logits = network.step(torch.tensor([25, 32]), steps, at([1, 3]))
    assert_like_the_whole(network, logits, [(SOURCES[2], [1, 25]), (SOURCES[1], [1, 30, 31, 32])])


@pytest.mark.parametrize("attention", ["padded", "sdpa", "reference"])
def test_a_cache_grows_by_slots_steps_and_source_tokens(attention: str) -> None:
    network = build()
    network.attention = attention
    cache = network.empty_cache(1, max_steps=2, max_source=2)
    admit(network, cache, SOURCES[1], slots=[0])
    network.step(torch.tensor([1]), cache.first(1, 2), at([0]))
    small, cache = cache, cache.grown(slots=3, max_steps=5, max_source=6)
    assert (cache.num_slots, cache.max_steps, cache.max_source, cache.beam) == (3, 5, 6, 1)
    assert (small.num_slots, small.max_steps, small.max_source) == (1, 2, 2)
    assert all(tensor.isfinite().all() for tensor in numbers(cache))
    admit(network, cache, SOURCES[2], slots=[2])
    network.step(torch.tensor([20, 9, 1]), cache.first(3, 6), at([1, -1, 0]))
    logits = network.step(torch.tensor([21, 9, 25]), cache.first(3, 6), at([2, -1, 1]))
    assert_like_the_whole(network, logits[::2], [(SOURCES[1], [1, 20, 21]), (SOURCES[2], [1, 25])])


def test_a_cache_starts_with_finite_numbers_and_a_view_of_it_shares_its_memory() -> None:
    cache = build().empty_cache(4, beam=2, max_steps=3, max_source=5)
    assert (cache.num_slots, cache.beam, cache.max_steps, cache.max_source) == (4, 2, 3, 5)
    assert all(tensor.isfinite().all() for tensor in numbers(cache))
    first = cache.first(3, longest=4)
    assert (first.num_slots, first.longest, first.max_source) == (3, 4, 5)
    first.lengths.fill_(7)
    for tensor in numbers(first):
        tensor.fill_(2.0)
    assert cache.lengths.tolist() == [7, 7, 7, 1]
    for tensor in numbers(cache):
        assert tensor[:3].eq(2.0).all()
        assert tensor[3].eq(0.0).all()


def test_rows_behind_the_last_sentence_are_not_admitted() -> None:
    network = build()
    src, packing = packed(SOURCES)
    memory = network.encode(src, packing)
    cache, other = (network.empty_cache(3, max_source=6) for _ in range(2))
    network.admit(memory, packing, cache, torch.arange(3))
    network.admit(torch.cat([memory, torch.full_like(memory, 1e3)]), packing, other, torch.arange(3))
    for ours, expected in zip(numbers(other), numbers(cache), strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("attention", ["sdpa", "reference"])
def test_every_form_of_attention_gives_the_same_states(attention: str) -> None:
    network = build()
    expected = network(*packed(SOURCES), *packed(TARGETS))
    network.attention = attention
    torch.testing.assert_close(network(*packed(SOURCES), *packed(TARGETS)), expected, rtol=1e-5, atol=1e-5)


def test_every_decoder_layer_has_its_own_view_of_the_source() -> None:
    network = build()
    src, packing = packed([SOURCES[0]])
    first, second = network.start(network.encode(src, packing), packing).cross
    assert not torch.allclose(first.keys, second.keys)
    assert not torch.allclose(first.values, second.values)


def test_cross_attention_weights_are_distributions_over_the_source() -> None:
    network = build()
    layers = network.cross_attention_weights(*packed(SOURCES), *packed(TARGETS))
    assert len(layers) == 2
    for weights in layers:
        assert weights.shape == (3, 2, 5, 6)
        torch.testing.assert_close(weights.sum(-1), torch.ones(3, 2, 5))
        assert weights[1, :, :, 2:].eq(0).all()  # the second source has two tokens


def test_cross_attention_weights_are_those_the_decoder_uses() -> None:
    network = build(decoder_layers=1)
    layer = network.decoder.layers[0]
    src, src_packing = packed([SOURCES[0]])
    tgt, tgt_packing = packed([TARGETS[0]])
    memory = network.encode(src, src_packing)
    x = layer._attend_to_target(network.tgt_embedding(tgt, tgt_packing.positions), tgt_packing)
    weights = network.cross_attention_weights(src, src_packing, tgt, tgt_packing)[0][0]  # [H, T, S]
    values = layer.cross_attention.split_heads(layer.cross_attention.v_proj(memory))
    by_hand = layer.cross_attention.out_proj(torch.einsum("hts,shd->thd", weights, values).flatten(1))
    torch.testing.assert_close(by_hand, layer.cross_attention(x, memory, tgt_packing, src_packing))


@pytest.mark.parametrize(("tied", "matrices"), [("all", 1), ("target", 2), ("none", 3)])
def test_tied_matrices_are_counted_once(tied: str, matrices: int) -> None:
    sizes = [build(tied_embeddings=other).num_parameters() for other in ("all", tied)]
    assert sizes[1] - sizes[0] == (matrices - 1) * 40 * 16


def test_one_matrix_for_two_vocabularies_is_refused() -> None:
    with pytest.raises(ConfigError, match="tied_embeddings=target"):
        Transformer(ModelConfig(d_model=16, heads=2), VocabularySizes(source=30, target=40, shared=False))


def test_an_allocated_skeleton_is_tied_and_has_its_sinusoids() -> None:
    full = build()
    empty = Transformer.skeleton(full.config, full.vocabulary)
    empty.allocate(torch.device("cpu"))
    assert empty.output.weight is empty.tgt_embedding.tokens.weight
    assert empty.tgt_embedding.positions.equal(full.tgt_embedding.positions)


def test_sinusoids_follow_their_formula() -> None:
    table = sinusoids(50, 8)
    assert table[0].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert table[7, 1].item() == pytest.approx(torch.tensor(7 / 10000 ** (2 / 8)).sin().item(), abs=1e-5)
    assert table[7, 5].item() == pytest.approx(torch.tensor(7 / 10000 ** (2 / 8)).cos().item(), abs=1e-5)


def decode(network: Transformer) -> Tensor:
    src, packing = packed(SOURCES)
    cache = network.start(network.encode(src, packing), packing)
    return torch.stack(
        [network.step(torch.full((3,), token), cache, at_step(i, 3, 1)) for i, token in enumerate([1, 20, 21])]
    )


@torch.inference_mode()
def test_joined_projections_decode_as_the_single_ones_do() -> None:
    network = build()
    expected = decode(network)
    network.join_projections()
    assert all(layer.self_attention._joined is not None for layer in network.decoder.layers)
    torch.testing.assert_close(decode(network), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("through", ["training", "a copy"])
def test_joined_projections_are_not_those_of_other_weights(through: str) -> None:
    network = build()
    network.join_projections()
    other = copy.deepcopy(network) if through == "a copy" else network.train().eval()
    with torch.no_grad():
        for layer in other.decoder.layers:
            layer.self_attention.q_proj.weight.neg_()
        ours = decode(other)
        other.join_projections()
        torch.testing.assert_close(decode(other), ours, rtol=1e-5, atol=1e-5)
