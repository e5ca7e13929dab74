"""What compiled code is told, as records: the network, the rules, the sentences in work, the memory to compute in.

A record is a row of named numbers; `p_` fields are addresses of what the comment says. The functions of the kernels
take records where others would take twenty arguments. Records lie in numpy arrays (memory.py), so that Python reads
and writes them too. Nothing here imports numba.

Axes: S slots, K beam, R rows computed at once, T steps there is room for, N packed tokens, d width, V vocabulary;
sizes are padded (packing.py).
"""

import numpy as np

_INT, _FLOAT = np.int64, np.float32


def _record(*fields: tuple[str, object]) -> np.dtype:  # type: ignore[type-arg]
    return np.dtype(list(fields), align=True)


LINEAR = _record(
    ("p_weights", _INT),  # panels: [n / panel][k][panel] float32, or [n / panel][k / group][panel][group] int8
    ("p_start", _INT),  # [n] what sums begin with: the bias in float32, else int32 that makes up for the zero
    ("p_scales", _INT),  # [n] float32 of an integer's unit; int8 alone
    ("p_bias", _INT),  # [n] float32; int8 alone
    ("num_inputs", _INT),  # k
    ("num_outputs", _INT),  # n
    ("kind", _INT),  # FLOAT32, INT8 or INT8_POSITIVE
)
FLOAT32, INT8, INT8_POSITIVE = range(3)
"""How a matrix is stored. The last is for activations that are never negative, which get a bit more for it."""

NORM = _record(
    ("p_gain", _INT),  # [d] float32
    ("p_shift", _INT),  # [d] float32
    ("width", _INT),  # d, unpadded
)

EMBEDDING = _record(
    ("p_tokens", _INT),  # [V][d] float32
    ("p_positions", _INT),  # [positions][d] float32
    ("scale", _FLOAT),  # of token vectors
)

ENCODER_LAYER = _record(
    ("qkv", LINEAR), ("out", LINEAR), ("up", LINEAR), ("down", LINEAR), ("attention_norm", NORM), ("feed_norm", NORM)
)

DECODER_LAYER = _record(
    ("qkv", LINEAR),
    ("self_out", LINEAR),
    ("cross_q", LINEAR),
    ("cross_kv", LINEAR),  # of the encoder's top layer, once a sentence
    ("cross_out", LINEAR),
    ("up", LINEAR),
    ("down", LINEAR),
    ("self_norm", NORM),
    ("cross_norm", NORM),
    ("feed_norm", NORM),
)

SIDE = _record(
    ("embedding", EMBEDDING),
    ("norm", NORM),  # behind the last layer, of pre-norm networks
    ("p_layers", _INT),  # ENCODER_LAYER or DECODER_LAYER
    ("num_layers", _INT),
    ("heads", _INT),
    ("head_width", _INT),  # padded
    ("head_scale", _FLOAT),  # 1 / root of the unpadded head width
)

NETWORK = _record(
    ("encoder", SIDE),
    ("decoder", SIDE),
    ("output", LINEAR),
    ("width", _INT),  # d, padded
    ("is_pre_norm", _INT),
    ("activation", _INT),  # RELU, GELU or SILU
)
RELU, GELU, SILU = range(3)

RULES = _record(
    ("beam", _INT),
    ("start", _INT),  # the decoder's first token
    ("eos", _INT),
    ("min_tokens", _INT),
    ("n_best", _INT),
    ("stop", _INT),  # FULL, ESTIMATE or CERTAIN
    ("free_end", _INT),
    ("renormalize", _INT),
    ("p_length_norms", _INT),  # [more than T] float32: n ** length_penalty
    ("p_withheld", _INT),  # int64, ascending: banned tokens and the end token
    ("num_withheld", _INT),
)
FULL, ESTIMATE, CERTAIN = range(3)

SLOTS = _record(
    ("num_slots", _INT),  # S
    ("max_steps", _INT),  # T
    ("p_status", _INT),  # [S] int64
    ("p_positions", _INT),  # [S] int64: tokens written so far
    ("p_max_tokens", _INT),  # [S] int64
    ("p_source_lengths", _INT),  # [S] int64
    ("p_past", _INT),  # [S] int64: where each slot's own keys and values lie, [step][layer][K][k | v]
    ("p_past_room", _INT),  # [S] int64: steps there is room for
    ("p_memory", _INT),  # [S] int64: where its encoder keys and values lie, [layer][source token][k | v]
    ("p_log_probs", _INT),  # [S, K] float32; -inf where no hypothesis lives
    ("p_last_tokens", _INT),  # [S, K] int64
    ("p_ancestry", _INT),  # [S, K, T] int32: the place of a hypothesis's ancestor at each step
    ("p_tokens", _INT),  # [S, T, K] int32: what was written
    ("p_parents", _INT),  # [S, T, K] int32: whose successor it is
    ("p_finished_scores", _INT),  # [S, K] float32, best first; -inf where there is none
    ("p_finished_log_probs", _INT),  # [S, K] float32
    ("p_finished_steps", _INT),  # [S, K] int64: tokens, end token included
    ("p_finished_places", _INT),  # [S, K] int64
    ("p_outputs", _INT),  # [S, K, T] int32: the tokens of finished hypotheses, once the slot is DONE
)
FREE, LIVE, DONE, NOT_A_NUMBER = range(4)

WORK = _record(
    ("max_search_rows", _INT),  # rows that may be ranked at once
    ("p_team", _INT),  # TEAM of the threads that share large products; 0 for one thread alone
    ("p_x", _INT),  # [R, d] float32, the residual stream
    ("p_h", _INT),  # [R, d] what a sublayer reads
    ("p_wide", _INT),  # [R, widest] q, k, v together, or the feed-forward's inner layer
    ("p_context", _INT),  # [R, heads x head width] what attention found
    ("p_logits", _INT),  # [search rows, GROUP] of some columns at a time
    ("p_integers", _INT),  # [R rounded up to MATRIX_ROWS, widest] activations in 8 or 16 bits
    ("p_scales", _INT),  # [R] float32: their units
    ("p_addresses", _INT),  # int64: of the entries that a query attends to
    ("p_probs", _INT),  # float32: how much it attends to each
    ("p_row_slots", _INT),  # [R] int64: the slot of each hypothesis that lives
    ("p_row_places", _INT),  # [R] int64
    ("p_row_of", _INT),  # [S, K] int64: the row of each hypothesis that lives
    ("p_best_values", _INT),  # [R, K + 1] float32: logits of a row's best tokens, best first
    ("p_best_ids", _INT),  # [R, K + 1] int64
    ("p_end_logits", _INT),  # [R] float32
    ("p_largest", _INT),  # [R] float32: greatest logit so far; then the log-sum-exp
    ("p_sums", _INT),  # [R] float32: of e ** (logit - greatest)
    ("p_heads", _INT),  # [K] int64: how many of a row's candidates are ranked
    ("p_new_log_probs", _INT),  # [K] float32
    ("p_new_parents", _INT),  # [K] int64
    ("p_new_tokens", _INT),  # [K] int64
    ("p_new_ancestry", _INT),  # [K, T] int32
)

TEAM = _record(
    ("p_word", _INT),  # int64, team.py
    ("p_num_done", _INT),  # int64: parts
    ("p_is_over", _INT),  # int64: whether those who help may go
    ("num_held_up", _INT),  # products that waited long for a part
    ("linear", LINEAR),  # what is multiplied, as `columns` in linear.py is told of it
    ("p_x", _INT),
    ("rows", _INT),
    ("first", _INT),
    ("last", _INT),
    ("p_out", _INT),
    ("out_stride", _INT),
    ("adds", _INT),
    ("is_relu", _INT),
)

MOST_HELD_UP = 4
"""Products of a call that may wait long for another thread before one thread goes on alone."""

BATCH = _record(
    ("num_sentences", _INT),
    ("p_tokens", _INT),  # [N] int64: source tokens, sentence after sentence
    ("p_starts", _INT),  # [sentences + 1] int64: where each begins
    ("p_memories", _INT),  # [sentences] int64: where its encoder keys and values go, [layer][source token][k | v]
    ("p_slots", _INT),  # ENCODE: [sentences] int64, where each is to go
    ("p_inputs", _INT),  # FORCE: [M] int64, what the decoder reads, the start token first
    ("p_targets", _INT),  # FORCE: [M] int64, what it is to write, end token included
    ("p_target_starts", _INT),  # FORCE: [sentences + 1] int64, where each begins
    ("p_log_probs", _INT),  # FORCE: [M] float32, of each, found; 0 for none
    ("p_weights", _INT),  # FORCE: [layer][M][longest] float32, how much it looks at each source token; 0 for none
    ("longest", _INT),  # source tokens of the longest sentence
)

CALL = _record(
    ("command", _INT),  # ENCODE, ADVANCE, FORCE, HELP or ANNOUNCE
    ("p_network", _INT),
    ("p_rules", _INT),
    ("p_slots", _INT),
    ("p_work", _INT),
    ("p_batch", _INT),
    ("most_row_steps", _INT),  # ADVANCE: return after so many steps of one hypothesis
    ("enough_done", _INT),  # ADVANCE: return when so many sentences are done
    ("num_done", _INT),  # result of ADVANCE
)
ENCODE, ADVANCE, FORCE, HELP, ANNOUNCE = range(5)

GROUP = 256
"""Columns of the output matrix whose logits exist at one time."""

MATRIX_ROWS = 16
"""Rows of integers that a matrix register reads at once (matrices.py): there is memory for whole registers."""
