"""Every operation of the CPU's kernels behind one compiled function, to be called with addresses alone.

The kernels' own functions know nothing of Python: they are compiled into their callers. This module is such a caller,
as `mtcli_native.loop` is; it is imported only where it is compiled (compiling.py).
"""

import numpy as np
from support.native.numbers import Operation

from mtcli_native import records, vectors
from mtcli_native.attention import add_weights, attend
from mtcli_native.linear import columns, linear_add_to, linear_into, linear_relu_into, prepare, quantise
from mtcli_native.loop import run
from mtcli_native.network import decode_step, encode
from mtcli_native.normalise import activate, embed, layer_norm
from mtcli_native.search import candidates_of, rank_tokens, search_of, step_slot
from mtcli_native.vectors import jit, load, store, store_float, store_int
from mtcli_native.views import batch_at, int64s, network_at, record_at, rules_at, slots_at, work_at

linear_at, norm_at, embedding_at, side_at = (
    record_at(dtype) for dtype in (records.LINEAR, records.NORM, records.EMBEDDING, records.SIDE)
)
_EXP, _LOG, _ERF, _FOLD = Operation.EXP.value, Operation.LOG.value, Operation.ERF.value, Operation.FOLD.value
_QUANTISE, _LINEAR, _COLUMNS = Operation.QUANTISE.value, Operation.LINEAR.value, Operation.COLUMNS.value
_LAYER_NORM, _ACTIVATE, _EMBED = Operation.LAYER_NORM.value, Operation.ACTIVATE.value, Operation.EMBED.value
_ATTEND, _WEIGHTS = Operation.ATTEND.value, Operation.WEIGHTS.value
_RANK_TOKENS, _STEP_SLOT = Operation.RANK_TOKENS.value, Operation.STEP_SLOT.value
_ENCODE, _DECODE_STEP, _RUN = Operation.ENCODE.value, Operation.DECODE_STEP.value, Operation.RUN.value
_COPY, _GREATER = Operation.COPY.value, Operation.GREATER.value


@jit
def _elementwise(operation, a):
    for j in range(0, a[2] * 4, 64):
        x = load(a[0] + j)
        if operation == _EXP:
            store(a[1] + j, vectors.exp(x))
        elif operation == _LOG:
            store(a[1] + j, vectors.log(x))
        else:
            store(a[1] + j, vectors.erf(x))


@jit
def _fold(a):
    x = load(a[0])
    store_float(a[1], vectors.sum_of(x))
    store_float(a[1] + 4, vectors.max_of(x))
    store_float(a[1] + 8, vectors.sum_of(vectors.vector_below(x, a[2])))


@jit
def _greater(a):
    store_int(a[1], vectors.mask_of_greater(load(a[0]), vectors.first_of(load(a[2]))))


@jit
def _linear(a):
    layer, work = linear_at(a[0]), work_at(a[4])
    if a[5] == 1:
        linear_relu_into(layer, a[1], a[2], a[3], work)
    elif a[5] == 2:
        linear_add_to(layer, a[1], a[2], a[3], work)
    else:
        linear_into(layer, a[1], a[2], a[3], work)


@jit
def _columns(a):
    layer, work = linear_at(a[0]), work_at(a[7])
    prepare(layer, a[1], a[2], work)
    columns(layer, a[1], a[2], a[3], a[4], a[5], a[6], np.int64(0), np.int64(0), work)


@jit
def _rank_tokens(a):
    slots, rules, work = slots_at(a[1]), rules_at(a[2]), work_at(a[4])
    rank_tokens(network_at(a[0]), rules, a[3], candidates_of(slots, rules, work), work)


@jit
def _step_slot(a):
    slots, rules = slots_at(a[1]), rules_at(a[2])
    step_slot(a[0], search_of(slots, rules), rules, candidates_of(slots, rules, work_at(a[3])))


@jit
def _decode_step(a):
    slots, rules = slots_at(a[1]), rules_at(a[2])
    decode_step(network_at(a[0]), search_of(slots, rules), rules, a[3], work_at(a[4]))


@jit
def operate(operation, p_arguments):
    """Do one operation with arguments [10] int64, which are those of the kernel's function in order."""
    a = int64s(p_arguments, 10)
    if operation <= _ERF:
        _elementwise(operation, a)
    elif operation == _FOLD:
        _fold(a)
    elif operation == _GREATER:
        _greater(a)
    elif operation == _COPY:
        vectors.copy(a[0], a[1], a[2])
    elif operation == _QUANTISE:
        quantise(a[0], a[1], a[2], a[3], work_at(a[4]))
    elif operation == _LINEAR:
        _linear(a)
    elif operation == _COLUMNS:
        _columns(a)
    elif operation == _LAYER_NORM:
        layer_norm(norm_at(a[0]), a[1], a[2], a[3], a[4])
    elif operation == _ACTIVATE:
        activate(a[0], a[1], a[2])
    elif operation == _EMBED:
        embed(embedding_at(a[0]), a[1], a[2], a[3], a[4])
    elif operation == _ATTEND:
        attend(a[0], a[1], side_at(a[2]), a[3], work_at(a[4]))
    elif operation == _WEIGHTS:
        add_weights(a[0], side_at(a[1]), a[2], work_at(a[3]))
    elif operation == _RANK_TOKENS:
        _rank_tokens(a)
    elif operation == _STEP_SLOT:
        _step_slot(a)
    elif operation == _ENCODE:
        return encode(network_at(a[0]), batch_at(a[1]), work_at(a[2]))
    elif operation == _DECODE_STEP:
        _decode_step(a)
    elif operation == _RUN:
        return run(a[0])
    return np.int64(0)
