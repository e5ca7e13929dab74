"""Several threads for one product: who computes which of its columns.

One thread runs the network. Where a product is large, it lays the columns out in parts, and whoever is free takes the
next one: that thread itself, and those that help it, which do nothing else meanwhile (HELP in loop.py). A part is the
same arithmetic whoever does it, so that no result depends on who did, or on how many threads there are.

All of it rests on one word of memory: which product it is, how many parts it has, and which is the next to be taken.
A part is taken by exchanging the word for its successor, if nobody was faster. So a thread that was held up cannot take
a part of a product that is over; and as long as a part is taken and not done, the product is not over.

Where other programs want the processors too, a thread may be taken off its processor with a part in hand, and the
others wait for longer than they would have computed. Whoever waited so now and then computes alone for a while.
"""

import numpy as np
from llvmlite import ir

from mtcli_native.records import MOST_HELD_UP
from mtcli_native.targets import compiled
from mtcli_native.vectors import I32, I64, INT, IS_CHECKED, VOID, call, check, jit, number, operation

i64 = np.int64
PART = 128
"""Columns of a part: whole panels on every processor."""

_IS_X86 = "x86_64" in compiled().machine
_COUNT_BITS = 24  # of the word: how many parts, and above them which product; below them which part is next
_MOST = (1 << _COUNT_BITS) - 1
_WORD = 8
_MOST_WAITS = 1 << 13  # a third of a millisecond or more; a part takes less


def _pointer(builder, p):  # type: ignore[no-untyped-def]
    return builder.inttoptr(p, I64.as_pointer())


def _exchange(builder, p, before, after):  # type: ignore[no-untyped-def]
    found = builder.cmpxchg(_pointer(builder, p), before, after, "seq_cst", "seq_cst")
    return builder.zext(builder.extract_value(found, 1), I64)


def _pause(builder):  # type: ignore[no-untyped-def]
    if _IS_X86:
        return call(builder, "llvm.x86.sse2.pause", ir.VoidType())
    return call(builder, "mtcli_native_yield", ir.VoidType(), ir.Constant(I32, 1))


_read = operation(INT, (INT,), lambda builder, p: builder.load_atomic(_pointer(builder, p), "seq_cst", _WORD))
_write = operation(
    VOID, (INT, INT), lambda builder, p, value: builder.store_atomic(value, _pointer(builder, p), "seq_cst", _WORD)
)
_add_one = operation(
    INT, (INT,), lambda builder, p: builder.atomic_rmw("add", _pointer(builder, p), number(1), "seq_cst")
)
_exchange_if = operation(INT, (INT, INT, INT), _exchange)
_wait_a_little = operation(VOID, (), _pause)


@jit
def lay_out(team, parts):
    """Offer a product of so many parts, which the record describes."""
    if IS_CHECKED:
        check(team.p_word, _WORD)
        check(team.p_num_done, _WORD)
    product = (_read(team.p_word) >> i64(2 * _COUNT_BITS)) + i64(1)
    _write(team.p_num_done, i64(0))
    _write(team.p_word, (((product << i64(_COUNT_BITS)) | parts) << i64(_COUNT_BITS)))


@jit
def take_part(team):
    """A part that nobody has taken yet; -1 if there is none."""
    while True:
        word = _read(team.p_word)
        part = word & i64(_MOST)
        if part >= ((word >> i64(_COUNT_BITS)) & i64(_MOST)):
            return i64(-1)
        if _exchange_if(team.p_word, word, word + i64(1)) == i64(1):
            return part


@jit
def did_part(team):
    """Tell that a part is done."""
    _add_one(team.p_num_done)


@jit
def wait_for_parts(team, parts):
    """Wait until all parts are done; note whether one was held up."""
    waits = i64(0)
    while _read(team.p_num_done) < parts:
        _wait_a_little()
        waits += i64(1)
    if waits > _MOST_WAITS:
        team.num_held_up += i64(1)


@jit
def is_worth_it(team):
    """Whether the threads had their processors to themselves so far."""
    return team.num_held_up < MOST_HELD_UP


@jit
def is_over(team):
    """Whether nobody will lay out anything any more; waits a little if not."""
    _wait_a_little()
    return _read(team.p_is_over) != i64(0)


@jit
def end_help(team):
    """Let those who help go."""
    _write(team.p_is_over, i64(1))
