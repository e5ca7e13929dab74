"""Forced decoding: how probable given translations are, and where the decoder looks while it writes them.

All positions of all targets are rows at once, as in training; each attends to those before it. Every row's arithmetic
is that of a search, so that a translation's own score is found again.

Axes: M target tokens of all sentences, d width.
"""

import numpy as np

from mtcli_native.attention import add_weights, attend
from mtcli_native.linear import columns, prepare
from mtcli_native.network import (
    after_source,
    attend_before,
    before_source,
    before_target,
    behind_layers,
    embed_sentences,
    encode,
    look_at,
    remember,
)
from mtcli_native.records import GROUP
from mtcli_native.search import add_to_sum, begin_sums, end_sums
from mtcli_native.vectors import jit, load_float, never_inlined
from mtcli_native.views import decoder_layer, float32s, int64s

i64 = np.int64


@jit
def attend_to_sources(network, index, batch, rows, work):
    """Encoder-decoder attention of every target position to its own sentence; its weights are noted where wanted."""
    never_inlined()
    side, count = network.decoder, batch.num_sentences
    inner, memories = side.heads * side.head_width * 4, int64s(batch.p_memories, count)
    starts, target_starts = int64s(batch.p_starts, count + 1), int64s(batch.p_target_starts, count + 1)
    for sentence in range(count):
        length = starts[sentence + 1] - starts[sentence]
        look_at(memories[sentence], index, length, side, work)
        for row in range(target_starts[sentence], target_starts[sentence + 1]):
            attend(work.p_wide + row * inner, length, side, work.p_context + row * inner, work)
            if batch.p_weights:
                add_weights(length, side, batch.p_weights + (index * rows + row) * batch.longest * 4, work)


@jit
def decode_targets(network, batch, work):
    """The decoder's top layer for all target positions, into p_x; returns how many rows."""
    side, count = network.decoder, batch.num_sentences
    target_starts = int64s(batch.p_target_starts, count + 1)
    rows = embed_sentences(network, side, batch.p_inputs, batch.p_target_starts, count, work)
    for index in range(side.num_layers):
        layer = decoder_layer(side, index)
        before_target(network, layer, rows, work)
        for sentence in range(count):
            length = target_starts[sentence + 1] - target_starts[sentence]
            attend_before(side, target_starts[sentence], length, work)
        before_source(network, layer, rows, work)
        attend_to_sources(network, index, batch, rows, work)
        after_source(network, layer, rows, work)
    behind_layers(network, side, rows, work)
    return rows


@jit
def score_rows(network, p_x, rows, targets, log_probs, work):
    """The log-probability of each row's target, from the top layer [rows, d]; no more rows than are ranked at once."""
    output = network.output
    largest, sums = float32s(work.p_largest, rows), float32s(work.p_sums, rows)
    begin_sums(rows, largest, sums)
    prepare(output, p_x, rows, work)
    for first in range(0, output.num_outputs, GROUP):
        last = min(output.num_outputs, first + GROUP)
        columns(output, p_x, rows, first, last, work.p_logits, GROUP * 4, i64(0), i64(0), work)
        for row in range(rows):
            p_logits = work.p_logits + row * GROUP * 4
            if first <= targets[row] < last:
                log_probs[row] = load_float(p_logits + 4 * (targets[row] - first))
            add_to_sum(p_logits, last - first, row, largest, sums)
    end_sums(rows, largest, sums)
    for row in range(rows):
        log_probs[row] -= largest[row]


@jit
def force(network, batch, work):
    """Decode the batch's targets; fills its log-probabilities and attention weights, as far as they are asked for."""
    never_inlined()
    remember(network, batch, encode(network, batch, work), work)
    rows = decode_targets(network, batch, work)
    if batch.p_log_probs:
        for first in range(0, rows, work.max_search_rows):
            some = min(rows - first, work.max_search_rows)
            targets, log_probs = (
                int64s(batch.p_targets + first * 8, some),
                float32s(batch.p_log_probs + first * 4, some),
            )
            score_rows(network, work.p_x + first * network.width * 4, some, targets, log_probs, work)
