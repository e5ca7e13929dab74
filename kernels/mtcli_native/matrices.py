"""Products of integers on processors with matrix registers (Intel's AMX): 32 rows by 32 columns at once.

A matrix register holds 16 rows of 64 bytes. One instruction multiplies 16 rows of 64 activations with a panel's half,
64 weights of 16 columns, which lie in memory just as it wants them: groups of four weights of a column, column by
column (packing.py). It adds all products to 16 x 16 integers, which no order of addition can change; so what comes out
are the bits of tiles.py, where a register holds the sums of one row.

A tile has two registers of rows and two of columns, and so four of sums: each that is loaded is used twice, and four
chains of additions are under way. Up to 16 rows one register of rows meets the columns of two panels. Registers are
always read whole: behind the last row of activations lies memory whose sums are not looked at.
"""

from dataclasses import replace
from typing import Any

from llvmlite import ir
from numba.core import cgutils
from numba.extending import intrinsic

from mtcli_native.records import MATRIX_ROWS
from mtcli_native.tiles import Sides, put_away, units_of
from mtcli_native.vectors import I8, I16, I64, INT, V16I, VOID, call, load_at, number

DEPTH = 64
"""Inputs that an instruction multiplies."""

ROWS = MATRIX_ROWS
_REGISTERS = 8
_BYTES = 1024  # of a register
_ROW = 64  # bytes of a row of a register

tile_rows = 2 * ROWS
"""Rows of a tile."""


def _which(register: int) -> Any:
    return ir.Constant(I8, register)


def _pointer(builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, I8.as_pointer())


def _configure(context: Any, builder: Any) -> None:
    """Make all registers 16 rows of 64 bytes."""
    layout = cgutils.alloca_once(builder, ir.ArrayType(I8, 64))
    layout.align = 64
    start = builder.ptrtoint(layout, I64)
    builder.store(ir.Constant(ir.ArrayType(I8, 64), [1, *[0] * 63]), layout)  # the first byte: palette 1
    for register in range(_REGISTERS):
        for at, value, kind in ((16 + 2 * register, _ROW, I16), (48 + register, ROWS, I8)):
            builder.store(ir.Constant(kind, value), builder.inttoptr(builder.add(start, number(at)), kind.as_pointer()))
    call(builder, "llvm.x86.ldtilecfg", ir.VoidType(), _pointer(builder, start))


@intrinsic
def begin_matrices(context):  # type: ignore[no-untyped-def]
    """Make the matrix registers ready."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        _configure(context, builder)
        return context.get_dummy_value()

    return VOID(), generate


@intrinsic
def end_matrices(context):  # type: ignore[no-untyped-def]
    """Give the matrix registers up, so that the system need not keep them."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        call(builder, "llvm.x86.tilerelease", ir.VoidType())
        return context.get_dummy_value()

    return VOID(), generate


def _sum_up(builder: Any, row_blocks: int, vectors: int, sides: Sides, room: Any) -> None:
    """Put the sums of a tile into `room`: row after row, each as `vectors` registers of 16 integers."""
    sums = [[row * vectors + v for v in range(vectors)] for row in range(row_blocks)]
    rows, weights = range(4, 4 + row_blocks), [4 + row_blocks + v % (4 - row_blocks) for v in range(vectors)]
    for register in (register for row in sums for register in row):
        call(builder, "llvm.x86.tilezero", ir.VoidType(), _which(register))
    block_stride = builder.mul(sides.a_stride, number(ROWS))
    with cgutils.for_range(builder, sides.steps, intp=I64) as loop:
        p_rows = builder.add(sides.p_a, builder.mul(loop.index, number(DEPTH)))
        for block, register in enumerate(rows):
            p = builder.add(p_rows, builder.mul(number(block), block_stride))
            call(builder, "llvm.x86.tileloadd64", ir.VoidType(), _which(register), _pointer(builder, p), sides.a_stride)
        p_weights = builder.add(sides.p_weights, builder.mul(loop.index, number(2 * _BYTES)))
        for v, register in enumerate(weights):
            panel = builder.mul(number(v // 2), sides.panel_stride)
            p = builder.add(builder.add(p_weights, panel), number(_ROW * (v % 2)))
            call(
                builder, "llvm.x86.tileloadd64", ir.VoidType(), _which(register), _pointer(builder, p), number(2 * _ROW)
            )
            for block in range(row_blocks):
                names = (_which(sums[block][v]), _which(rows[block]), _which(register))
                call(builder, "llvm.x86.tdpbusd", ir.VoidType(), *names)
    for block in range(row_blocks):
        for v in range(vectors):
            p = builder.add(room, number(block * ROWS * vectors * _ROW + v * _ROW))
            stride = number(vectors * _ROW)
            call(builder, "llvm.x86.tilestored64", ir.VoidType(), _which(sums[block][v]), _pointer(builder, p), stride)


def _emit(builder: Any, row_blocks: int, vectors: int, rows: Any, sides: Sides, room: Any) -> None:
    """One shape of a tile, and what becomes of its sums."""
    _sum_up(builder, row_blocks, vectors, sides, room)
    start = [load_at(builder, builder.add(sides.p_start, number(_ROW * v)), V16I) for v in range(vectors)]
    units = units_of(builder, vectors, sides)
    with builder.if_else(sides.adds) as (then, otherwise):
        for block, adds in ((then, True), (otherwise, False)):
            with block, cgutils.for_range(builder, rows, intp=I64) as loop:
                p = builder.add(room, builder.mul(loop.index, number(vectors * _ROW)))
                found = [load_at(builder, builder.add(p, number(_ROW * v)), V16I, 64) for v in range(vectors)]
                of_row = replace(
                    sides,
                    p_out=builder.add(sides.p_out, builder.mul(loop.index, sides.out_stride)),
                    p_row_scales=builder.add(sides.p_row_scales, builder.mul(loop.index, number(4))),
                )
                ints = [builder.add(x, first) for x, first in zip(found, start, strict=True)]
                put_away(builder, [ints], of_row, units=units, adds=adds)


@intrinsic
def tile_by_matrices(
    context,
    rows,
    panels,
    p_a,
    a_stride,
    p_weights,
    panel_stride,
    p_out,
    out_stride,
    steps,
    p_start,
    adds,
    is_relu,
    p_row_scales,
    p_scales,
    p_bias,
):  # type: ignore[no-untyped-def]
    """As `tiles.tile_int8`, with `steps` of 64 inputs; panels is 1, or up to 16 rows 2."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        flags = [builder.icmp_signed("!=", values[i], number(0)) for i in (10, 11)]
        sides = Sides(*values[2:10], *flags, *values[12:])
        kept = cgutils.alloca_once(builder, ir.ArrayType(I8, 4 * _BYTES))
        kept.align = 64
        room = builder.ptrtoint(kept, I64)
        is_high = builder.icmp_signed(">", values[0], number(ROWS))
        is_wide = builder.icmp_signed("==", values[1], number(2))
        with builder.if_else(is_high) as (high, low):
            with high:
                _emit(builder, 2, 2, values[0], sides, room)
            with low, builder.if_else(is_wide) as (wide, narrow):
                with wide:
                    _emit(builder, 1, 4, values[0], sides, room)
                with narrow:
                    _emit(builder, 1, 2, values[0], sides, room)
        return context.get_dummy_value()

    return VOID(*[INT] * 15), generate
