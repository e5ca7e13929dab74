"""The encoder-decoder Transformer (Vaswani et al. 2017, arXiv:1706.03762), as mtcli/model/transformer.py has it.

Every function takes rows: each a token of a source sentence, or the newest token of a hypothesis. In every decoder
layer masked self-attention makes q, k and v from the target so far; encoder-decoder attention takes q from the
decoder, and k and v from the encoder's top layer through that layer's own W_k and W_v, projected once a sentence
(`remember`).

Axes: R rows, d width, S slots, K beam.
"""

import numpy as np

from mtcli_native.attention import attend
from mtcli_native.linear import linear_add_to, linear_into, linear_relu_into
from mtcli_native.normalise import activate, embed, layer_norm
from mtcli_native.records import RELU
from mtcli_native.vectors import copy, jit, never_inlined, store_int
from mtcli_native.views import decoder_layer, encoder_layer, int64s

i64 = np.int64


@jit
def enter(network, norm, rows, work):
    """Where a sublayer finds what it reads: x, or with pre-norm its norm."""
    if network.is_pre_norm:
        layer_norm(norm, work.p_x, rows, network.width, work.p_h)
        return work.p_h
    return work.p_x


@jit
def leave(network, norm, rows, work):
    """What follows a sublayer that was added to x: with post-norm, its norm."""
    if not network.is_pre_norm:
        layer_norm(norm, work.p_x, rows, network.width, work.p_x)


@jit
def feed_forward(network, up, down, norm, rows, work):
    """x += W_down activation(W_up x)."""
    p_in = enter(network, norm, rows, work)
    if network.activation == RELU:
        linear_relu_into(up, p_in, rows, work.p_wide, work)
    else:
        linear_into(up, p_in, rows, work.p_wide, work)
        activate(network.activation, work.p_wide, rows * up.num_outputs)
    linear_add_to(down, work.p_wide, rows, work.p_x, work)
    leave(network, norm, rows, work)


@jit
def embed_sentences(network, side, p_tokens, p_starts, count, work):
    """Rows of sentences, one after another, each from position 0 on; returns how many rows."""
    starts = int64s(p_starts, count + 1)
    tokens, size = int64s(p_tokens, starts[count]), network.width * 4
    for sentence in range(count):
        for row in range(starts[sentence], starts[sentence + 1]):
            embed(side.embedding, tokens[row], row - starts[sentence], network.width, work.p_x + row * size)
    return starts[count]


@jit
def attend_within(side, first, length, work):
    """Self-attention of `length` rows from `first` on, whose q, k, v are in p_wide, to one another."""
    inner = side.heads * side.head_width * 4
    for t in range(length):
        store_int(work.p_addresses + 8 * t, work.p_wide + (first + t) * 3 * inner + inner)
    for row in range(first, first + length):
        attend(work.p_wide + row * 3 * inner, length, side, work.p_context + row * inner, work)


@jit
def attend_before(side, first, length, work):
    """Masked self-attention of such rows: each to itself and those before it."""
    inner = side.heads * side.head_width * 4
    for t in range(length):
        p_row = work.p_wide + (first + t) * 3 * inner
        store_int(work.p_addresses + 8 * t, p_row + inner)
        attend(p_row, t + 1, side, work.p_context + (first + t) * inner, work)


@jit
def behind_layers(network, side, rows, work):
    """What follows a side's last layer: with pre-norm, a norm of its own."""
    if network.is_pre_norm:
        layer_norm(side.norm, work.p_x, rows, network.width, work.p_x)


@jit
def encode(network, batch, work):
    """The encoder's top layer for the batch's sentences, into p_x, row after row; returns how many rows."""
    never_inlined()
    side, starts = network.encoder, int64s(batch.p_starts, batch.num_sentences + 1)
    rows = embed_sentences(network, side, batch.p_tokens, batch.p_starts, batch.num_sentences, work)
    for index in range(side.num_layers):
        layer = encoder_layer(side, index)
        linear_into(layer.qkv, enter(network, layer.attention_norm, rows, work), rows, work.p_wide, work)
        for sentence in range(batch.num_sentences):
            attend_within(side, starts[sentence], starts[sentence + 1] - starts[sentence], work)
        linear_add_to(layer.out, work.p_context, rows, work.p_x, work)
        leave(network, layer.attention_norm, rows, work)
        feed_forward(network, layer.up, layer.down, layer.feed_norm, rows, work)
    behind_layers(network, side, rows, work)
    return rows


@jit
def remember(network, batch, rows, work):
    """Project the top layer in p_x to every decoder layer's keys and values, each sentence's to a place of its own."""
    side, starts = network.decoder, int64s(batch.p_starts, batch.num_sentences + 1)
    memories, entry = int64s(batch.p_memories, batch.num_sentences), 2 * side.heads * side.head_width * 4
    for index in range(side.num_layers):
        linear_into(decoder_layer(side, index).cross_kv, work.p_x, rows, work.p_wide, work)
        for sentence in range(batch.num_sentences):
            first, length = starts[sentence], starts[sentence + 1] - starts[sentence]
            copy(memories[sentence] + index * length * entry, work.p_wide + first * entry, length * entry)


@jit
def look_at(p_memory, index, length, side, work):
    """Make a sentence's entries in one layer those that are attended to."""
    entry = 2 * side.heads * side.head_width * 4
    for t in range(length):
        store_int(work.p_addresses + 8 * t, p_memory + (index * length + t) * entry)


@jit
def attend_to_past(network, index, search, rules, rows, work):
    """Self-attention of each row's hypothesis to itself and its ancestors, whose entries lie where each wrote them."""
    never_inlined()
    side, beam = network.decoder, rules.beam
    inner = side.heads * side.head_width * 4
    step_bytes = side.num_layers * beam * 2 * inner
    row_slots, row_places = int64s(work.p_row_slots, rows), int64s(work.p_row_places, rows)
    for row in range(rows):
        slot, place = row_slots[row], row_places[row]
        position, p_layer = search.positions[slot], search.past[slot] + index * beam * 2 * inner
        p_row, p_own = work.p_wide + row * 3 * inner, p_layer + position * step_bytes + place * 2 * inner
        copy(p_own, p_row + inner, 2 * inner)
        for t in range(position):
            p_entry = p_layer + t * step_bytes + search.ancestry[slot, place, t] * 2 * inner
            store_int(work.p_addresses + 8 * t, p_entry)
        store_int(work.p_addresses + 8 * position, p_own)
        attend(p_row, position + 1, side, work.p_context + row * inner, work)


@jit
def attend_to_source(network, index, search, rows, work):
    """Encoder-decoder attention of each row, whose query is in p_wide, to its sentence."""
    never_inlined()
    side = network.decoder
    inner, row_slots, seen = side.heads * side.head_width * 4, int64s(work.p_row_slots, rows), i64(-1)
    for row in range(rows):
        slot = row_slots[row]
        if slot != seen:
            look_at(search.memory[slot], index, search.source_lengths[slot], side, work)
            seen = slot
        p_row = work.p_wide + row * inner
        attend(p_row, search.source_lengths[slot], side, work.p_context + row * inner, work)


@jit
def before_target(network, layer, rows, work):
    """A decoder layer up to its self-attention: q, k and v of every row, into p_wide."""
    linear_into(layer.qkv, enter(network, layer.self_norm, rows, work), rows, work.p_wide, work)


@jit
def before_source(network, layer, rows, work):
    """From what self-attention found, in p_context, to the queries of encoder-decoder attention, into p_wide."""
    linear_add_to(layer.self_out, work.p_context, rows, work.p_x, work)
    leave(network, layer.self_norm, rows, work)
    linear_into(layer.cross_q, enter(network, layer.cross_norm, rows, work), rows, work.p_wide, work)


@jit
def after_source(network, layer, rows, work):
    """From what encoder-decoder attention found to the layer's end."""
    linear_add_to(layer.cross_out, work.p_context, rows, work.p_x, work)
    leave(network, layer.cross_norm, rows, work)
    feed_forward(network, layer.up, layer.down, layer.feed_norm, rows, work)


@jit
def decode_step(network, search, rules, rows, work):
    """The decoder's top layer for the newest token of each row's hypothesis, into p_x."""
    never_inlined()
    side, size = network.decoder, network.width * 4
    row_slots, row_places = int64s(work.p_row_slots, rows), int64s(work.p_row_places, rows)
    for row in range(rows):
        slot = row_slots[row]
        token = search.last_tokens[slot, row_places[row]]
        embed(side.embedding, token, search.positions[slot], network.width, work.p_x + row * size)
    for index in range(side.num_layers):
        layer = decoder_layer(side, index)
        before_target(network, layer, rows, work)
        attend_to_past(network, index, search, rules, rows, work)
        before_source(network, layer, rows, work)
        attend_to_source(network, index, search, rows, work)
        after_source(network, layer, rows, work)
    behind_layers(network, side, rows, work)
