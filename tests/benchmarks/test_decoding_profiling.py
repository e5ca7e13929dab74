"""Groups of a profile: by name, and of a real search."""

import dataclasses

from benchmarks.questions.decoding.ours import search_options
from benchmarks.questions.decoding.profiling import (
    CROSS_ATTENTION,
    ENCODER,
    GROUPS,
    OTHER,
    OUTPUT,
    PRODUCTS,
    SEARCH,
    SELF_ATTENTION,
    group_of,
    profiled,
)
from benchmarks.questions.decoding.sources import random_work
from mtcli.bench.work.sentences import Words
from mtcli.bench.work.shapes import FORCED_TOKENS
from mtcli.config import ModelConfig, VocabularySizes
from mtcli.data.tokenizer import BOS_ID, EOS_ID
from mtcli.decoding.pool import Decoder
from mtcli.model.transformer import Transformer


def test_operations_are_grouped_by_the_range_around_them() -> None:
    assert group_of("aten::linear", []) == group_of("mkldnn::_linear_pointwise", []) == PRODUCTS
    assert group_of("aten::layer_norm", []) == OTHER
    assert group_of("aten::linear", ["group: output layer"]) == OUTPUT
    assert group_of("aten::bmm", ["group: self-attention", "group: search step"]) == SELF_ATTENTION
    assert group_of("aten::bmm", ["group: self-attention", "group: encoder"]) == ENCODER


def test_ranges_and_what_an_operation_calls_are_no_operations() -> None:
    assert group_of("group: encoder", []) is None
    assert group_of("aten::addmm", ["aten::linear"]) is None
    assert group_of("aten::addmm", ["aten::linear", "group: encoder"]) is None


def test_only_forced_outputs_must_not_end_early() -> None:
    special = {"start": BOS_ID, "eos": EOS_ID, "banned": [0, 3]}
    forced, _ = random_work(None, 3, Words.of(50), seed=1)
    options = search_options(special, forced, beam=2)
    assert (options.min_tokens, options.beam_size, options.banned) == (FORCED_TOKENS - 1, 2, (0, 3))
    assert search_options(special, dataclasses.replace(forced, forced=False), beam=2).min_tokens == 1


def test_a_search_shows_in_every_group() -> None:
    config = ModelConfig(encoder_layers=1, decoder_layers=1, d_model=16, ffn_dim=32, heads=2)
    network = Transformer(config, VocabularySizes(source=50, target=50, shared=True)).eval()
    work, _ = random_work(None, 3, Words.of(50), seed=1)
    options = search_options({"start": BOS_ID, "eos": EOS_ID, "banned": []}, work, beam=2)
    decoder = Decoder(network, options, workers=1)

    def call() -> float:
        decoder.decode(work.sources, work.limits)
        return 1.5

    wall, seconds = profiled(network, call)
    assert wall == 1.5
    assert set(seconds) == set(GROUPS)
    for group in (ENCODER, PRODUCTS, SELF_ATTENTION, CROSS_ATTENTION, OUTPUT, SEARCH, OTHER):
        assert 0 < seconds[group] < 60, group
    assert not {"encode", "forward"} & {*vars(network), *vars(network.output)}, "a range was left behind"
