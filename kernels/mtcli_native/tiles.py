"""Matrix tiles: a few rows of activations times one panel of weights, with all sums in registers.

A tile of 12 rows and 32 columns has 24 sums of 16 lanes in AVX-512's registers, two vectors of weights, and one
number of a row at a time in every lane. For each k it loads the two vectors of weights once and uses them for all
rows. Few rows leave registers free: then a tile is several panels wide, so that enough sums are under way at once to
hide how long each addition takes. Whatever the shape, each element of the product is one chain of additions over k
from 0 on, begun with the same number: that is why a row does not see its neighbours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llvmlite import ir
from numba.extending import intrinsic

from mtcli_native.targets import compiled
from mtcli_native.vectors import (
    F32,
    I8,
    I16,
    I32,
    I64,
    INT,
    VOID,
    call,
    constant,
    fused,
    load_at,
    number,
    splat,
    store_at,
)

TARGET = compiled()
PANEL, MOST_ROWS = TARGET.panel, TARGET.tile_rows
_LANES, _REGISTERS, _INT8 = TARGET.lanes, TARGET.tile_registers, TARGET.int8
_SIZE = 4 * _LANES  # bytes of a register


def panels_of(rows: int) -> int:
    """How many panels a tile of so many rows is wide: as many as fit, of 1, 2 and 4."""
    return next(n for n in (4, 2, 1) if rows * n <= MOST_ROWS)


@dataclass(frozen=True)
class Sides:
    """The operands of a tile: addresses and strides in bytes, as values of LLVM."""

    p_a: Any
    a_stride: Any
    p_weights: Any
    panel_stride: Any
    p_out: Any
    out_stride: Any
    steps: Any
    p_start: Any
    adds: Any
    is_relu: Any
    p_row_scales: Any
    p_scales: Any
    p_bias: Any


def _dot(builder: Any, total: Any, a: Any, weights: Any) -> Any:
    """total int32 [lanes] + the products of a group of activations, 32 bits in all, with the weights of each lane."""
    ints, shorts = ir.VectorType(I32, _LANES), ir.VectorType(I16, 2 * _LANES)
    if _INT8.instruction == "vpdpbusd":
        name = f"llvm.x86.avx512.vpdpbusd.{32 * _LANES}"
        return call(builder, name, ints, total, builder.bitcast(splat(builder, a, ints), weights.type), weights)
    if _INT8.instruction == "sdot":
        group = builder.bitcast(splat(builder, a, ints), weights.type)
        return call(builder, "mtcli_native_sdot", ints, total, group, weights)
    pair = builder.bitcast(splat(builder, a, ints), shorts)
    return builder.add(total, call(builder, "llvm.x86.avx2.pmadd.wd", ints, pair, builder.sext(weights, shorts)))


def _accumulate(builder: Any, rows: int, vectors: int, sides: Sides, is_int8: bool) -> list[list[Any]]:
    """The sums of a tile: [rows][vectors], after a loop over k."""
    kind = ir.VectorType(I32 if is_int8 else F32, _LANES)
    packed = ir.VectorType(I8, _INT8.group * _LANES) if is_int8 else kind
    size = _INT8.group * _LANES if is_int8 else _SIZE
    before = builder.block
    loop, end = builder.append_basic_block("over_k"), builder.append_basic_block("summed")
    row_at = [builder.add(sides.p_a, builder.mul(number(row), sides.a_stride)) for row in range(rows)]
    panel_at = [
        builder.add(sides.p_weights, builder.mul(number(panel), sides.panel_stride))
        for panel in range(-(-vectors // _REGISTERS))
    ]
    start = [load_at(builder, builder.add(sides.p_start, number(_SIZE * v)), kind) for v in range(vectors)]
    builder.branch(loop)
    builder.position_at_end(loop)
    k = builder.phi(I64)
    k.add_incoming(number(0), before)
    sums = [[builder.phi(kind) for _ in range(vectors)] for _ in range(rows)]
    a_offset, weights_offset = builder.mul(k, number(4)), builder.mul(k, number(size * _REGISTERS))
    weights = [
        load_at(
            builder,
            builder.add(builder.add(panel_at[v // _REGISTERS], weights_offset), number(size * (v % _REGISTERS))),
            packed,
            size,
        )
        for v in range(vectors)
    ]
    longer = []
    for row in range(rows):
        a = load_at(builder, builder.add(row_at[row], a_offset), I32 if is_int8 else F32, 1 if is_int8 else 4)
        if is_int8:
            longer.append([_dot(builder, sums[row][v], a, weights[v]) for v in range(vectors)])
        else:
            wide = splat(builder, a, kind)
            longer.append([fused(builder, wide, weights[v], sums[row][v]) for v in range(vectors)])
    next_k = builder.add(k, number(1))
    k.add_incoming(next_k, loop)
    for row in range(rows):
        for v in range(vectors):
            sums[row][v].add_incoming(start[v], before)
            sums[row][v].add_incoming(longer[row][v], loop)
    builder.cbranch(builder.icmp_signed("<", next_k, sides.steps), loop, end)
    builder.position_at_end(end)
    return longer


def units_of(builder: Any, vectors: int, sides: Sides) -> tuple[list[Any], list[Any]]:
    """The units of some columns, and their bias: what sums of integers become numbers by."""
    kind = ir.VectorType(F32, _LANES)
    scales = [load_at(builder, builder.add(sides.p_scales, number(_SIZE * v)), kind) for v in range(vectors)]
    return scales, [load_at(builder, builder.add(sides.p_bias, number(_SIZE * v)), kind) for v in range(vectors)]


def _in_units(
    builder: Any, sums: Sequence[Sequence[Any]], sides: Sides, units: tuple[list[Any], list[Any]]
) -> list[list[Any]]:
    """Integer sums as numbers: times the row's unit and the column's, plus the bias."""
    kind = ir.VectorType(F32, _LANES)
    scales, bias = units
    found = []
    for row, ints in enumerate(sums):
        unit = splat(builder, load_at(builder, builder.add(sides.p_row_scales, number(4 * row)), F32), kind)
        found.append(
            [
                fused(builder, builder.sitofp(ints[v], kind), builder.fmul(unit, scales[v]), bias[v])
                for v in range(len(ints))
            ]
        )
    return found


def put_away(
    builder: Any, sums: Sequence[Sequence[Any]], sides: Sides, *, units: tuple[list[Any], list[Any]] | None, adds: bool
) -> None:
    """Store a tile's sums [rows][vectors] as what they stand for; integers have `units`."""
    kind = ir.VectorType(F32, _LANES)
    values = sums if units is None else _in_units(builder, sums, sides, units)
    lowest = builder.select(sides.is_relu, constant(0.0, kind), constant(float("-inf"), kind))
    for row, of_row in enumerate(values):
        p_row = builder.add(sides.p_out, builder.mul(number(row), sides.out_stride))
        for v, x in enumerate(of_row):
            p = builder.add(p_row, number(_SIZE * v))
            value = builder.select(builder.fcmp_ordered(">", lowest, x), lowest, x)
            store_at(builder, p, builder.fadd(value, load_at(builder, p, kind)) if adds else value)


def _emit(builder: Any, rows: int, vectors: int, sides: Sides, is_int8: bool) -> None:
    """One shape of a tile, and what becomes of its sums."""
    sums = _accumulate(builder, rows, vectors, sides, is_int8)
    units = units_of(builder, vectors, sides) if is_int8 else None
    with builder.if_else(sides.adds) as (then, otherwise):
        for block, adds in ((then, True), (otherwise, False)):
            with block:
                put_away(builder, sums, sides, units=units, adds=adds)


def _make_tile(is_int8: bool) -> Any:
    signature = VOID(*[INT] * 15)

    @intrinsic
    def tile(
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
    ):
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            flags = [builder.icmp_signed("!=", values[i], number(0)) for i in (10, 11)]
            sides = Sides(*values[2:10], *flags, *values[12:])
            end = builder.append_basic_block("tile_done")
            choice = builder.switch(builder.add(builder.mul(values[0], number(8)), values[1]), end)
            for count in range(1, MOST_ROWS + 1):
                for panels in {1, panels_of(count)}:
                    block = builder.append_basic_block(f"tile_{count}_{panels}")
                    choice.add_case(number(8 * count + panels), block)
                    builder.position_at_end(block)
                    _emit(builder, count, _REGISTERS * panels, sides, is_int8)
                    builder.branch(end)
            builder.position_at_end(end)
            return context.get_dummy_value()

        return signature, generate

    return tile


tile_float32, tile_int8 = _make_tile(is_int8=False), _make_tile(is_int8=True)
"""tile(rows, panels, p_a, a_stride, p_weights, panel_stride, p_out, out_stride, steps, p_start, adds, is_relu,
p_row_scales, p_scales, p_bias): out [rows, panels x panel] = start + a @ weights, in `steps` steps over k; in int8
(sums) x the row's unit x scales + bias. Then relu, then plus what was in `out` if `adds`. Strides in bytes; panels
is 1, or `panels_of(rows)`."""
