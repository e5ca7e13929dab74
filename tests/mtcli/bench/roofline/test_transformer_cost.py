"""Whole work against counts made by hand, on a model of width 2: encoder of 1 layer, decoder of 2, 11 pieces."""

import pytest

from mtcli.bench.roofline.formulas import Cost
from mtcli.bench.roofline.transformer_cost import (
    BACKWARD,
    FORWARD_DECODER,
    FORWARD_ENCODER,
    LOSS,
    OPTIMIZER,
    TransformerSizes,
    decoding,
    update,
)
from mtcli.config import ModelConfig

SIZES = TransformerSizes(encoder_layers=1, decoder_layers=2, d_model=2, encoder_ffn=3, decoder_ffn=5, vocab=11)
ENCODER = 4 * 4 + 2 * (2 * 3)  # q, k, v, out; up and down
MEMORY = 2 * (2 * 4)  # k and v of two layers
DECODER = 2 * (4 * 4 + 2 * 4 + 2 * (2 * 5))  # self-attention's four, the other's q and out, up and down
OUTPUT = 11 * 2


def test_numbers_in_the_matrices() -> None:
    assert (SIZES.encoder, SIZES.memory, SIZES.decoder, SIZES.output) == (ENCODER, MEMORY, DECODER, OUTPUT)


def test_sizes_of_a_configuration() -> None:
    config = ModelConfig(encoder_layers=1, decoder_layers=2, d_model=8, heads=2, ffn_dim=3, decoder_ffn_dim=5)
    expected = TransformerSizes(encoder_layers=1, decoder_layers=2, d_model=8, encoder_ffn=3, decoder_ffn=5, vocab=11)
    assert TransformerSizes.of(config, 11) == expected


def test_one_sentence_searched_greedily() -> None:
    # 3 source tokens, 2 steps, numbers of 4 bytes.
    cost = decoding(SIZES, [3], [2], beam=1, slots=1, width=4)
    written = 3 * 2 * 2 * 2  # tokens, k and v, layers, width
    assert cost["encoder"].bytes == 4 * (ENCODER + MEMORY + written)
    assert cost["encoder"].flops == 2 * 3 * (ENCODER + MEMORY) + 9 * 2 * 2 * 2  # 9 pairs: q k and p v, of 2 numbers
    cross = 2 * written  # read in both steps
    new = 2 * 2 * 2 * 2  # k and v, layers, width, steps
    past = 1 * 2 * 2 * 2  # the second step reads the first's
    logits = 2 * 11
    assert cost["decoder"].bytes == 4 * (2 * (DECODER + OUTPUT) + cross + new + past + logits)
    pairs = 2 * (2 * 3) + 2 * (1 + 2)  # layers: steps with 3 source tokens; with 1 and 2 target tokens
    assert cost["decoder"].flops == 2 * 2 * (DECODER + OUTPUT) + pairs * 2 * 2 * 2
    assert cost["search"] == Cost(4 * logits)


def test_hypotheses_share_what_they_can() -> None:
    # Beam 3, 3 steps: the second step's hypotheses have an entry each, the third's one in common and one each.
    one, three = (decoding(SIZES, [3], [3], beam=beam, slots=1, width=1) for beam in (1, 3))
    entry = 2 * 2 * 2  # k and v, layers, width
    owned = (3 + 4) - (1 + 2)
    new, logits = 2 * 3, 2 * 3 * 11  # of two more hypotheses in three steps
    assert three["decoder"].bytes - one["decoder"].bytes == entry * (owned + new) + logits
    assert three["decoder"].flops == 3 * one["decoder"].flops
    assert three["encoder"] == one["encoder"]


def test_slots_share_what_is_read_of_the_weights() -> None:
    apart, together = (decoding(SIZES, [3] * 4, [5] * 4, beam=2, slots=slots, width=1) for slots in (1, 4))
    assert apart["decoder"].flops == together["decoder"].flops
    assert apart["encoder"].bytes - together["encoder"].bytes == 3 * (ENCODER + MEMORY)
    assert apart["decoder"].bytes - together["decoder"].bytes == 15 * (DECODER + OUTPUT)


@pytest.mark.parametrize(("slots", "passes"), [(1, 12), (2, 7), (3, 7), (8, 7)])
def test_a_long_sentence_takes_its_steps(slots: int, passes: int) -> None:
    cost = decoding(SIZES, [3, 3, 3], [7, 2, 3], beam=1, slots=slots, width=1)
    without = decoding(SIZES, [3, 3, 3], [7, 2, 3], beam=1, slots=100, width=1)
    assert cost["decoder"].bytes - without["decoder"].bytes == (passes - 7) * (DECODER + OUTPUT)


def test_an_update() -> None:
    # Sentences of 2 and 3 source tokens and 3 and 4 target tokens; attention's pairs are of 2 numbers.
    cost = update(SIZES, [2, 3], [3, 4], parameters=100)
    of_encoder, of_decoder = 4 + 9, 2 * (6 + 10) + 2 * (6 + 12)  # a sentence's pairs; triangles, and across
    encoder, decoder = 2 * 5 * ENCODER, 2 * (5 * MEMORY + 7 * DECODER)
    output = 2 * 7 * OUTPUT
    assert cost[FORWARD_ENCODER] == Cost(0, encoder + 2 * of_encoder * 2 * 2)
    assert cost[FORWARD_DECODER] == Cost(0, decoder + 2 * of_decoder * 2 * 2)
    assert cost[LOSS] == Cost(0, output)
    assert cost[BACKWARD] == Cost(0, 2 * (encoder + decoder + output) + 5 * (of_encoder + of_decoder) * 2 * 2)
    assert cost[OPTIMIZER] == Cost(100 * (2 * 4 + 3 * 4 + 3 * 4))  # gradient twice, weight and moments; those again


def test_where_the_loss_computes_its_gradients_changes_no_sum() -> None:
    late, early = (
        update(SIZES, [2, 3], [3, 4], parameters=100, gradients_with_loss=with_loss) for with_loss in (False, True)
    )
    assert sum(one.flops for one in early.values()) == sum(one.flops for one in late.values())
    assert early[LOSS].flops == 3 * late[LOSS].flops
