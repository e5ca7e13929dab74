"""Matrix products with packed weights, and rows of activations as integers.

Axes: R rows, k inputs, n outputs; both padded (packing.py).
"""

import numpy as np
from llvmlite import ir

from mtcli_native.matrices import DEPTH, begin_matrices, end_matrices, tile_by_matrices, tile_rows
from mtcli_native.records import FLOAT32, INT8_POSITIVE
from mtcli_native.team import PART, did_part, is_over, is_worth_it, lay_out, take_part, wait_for_parts
from mtcli_native.tiles import (
    MOST_ROWS,
    PANEL,
    TARGET,
    panels_of,
    tile_float32,
    tile_int8,
)
from mtcli_native.vectors import (
    INT,
    IS_CHECKED,
    V16I,
    VOID,
    call,
    check,
    jit,
    larger_magnitude,
    load,
    magnitude,
    max_of_magnitudes,
    mul,
    never_inlined,
    operation,
    same,
    store_at,
    store_float,
    vector,
)
from mtcli_native.views import team_at

f32, i64 = np.float32, np.int64
_HAS_MATRICES, _FEWEST_ROWS = TARGET.has_matrices, 8  # with fewer, vectors are as fast
_MATRIX_ROWS = tile_rows
_LEAST_SHARED = 1 << 16  # weights of a product that is worth sharing: with less, waiting takes longer than computing
INTEGER_BYTES, GROUP_STEP = TARGET.int8.bytes, TARGET.int8.group
_ZERO, _POSITIVE_ZERO = float(TARGET.int8.zero), float(TARGET.int8.positive_zero)
_MOST, _MOST_POSITIVE = 127.0, 255.0
_PANELS = np.array([1, *(panels_of(rows) for rows in range(1, MOST_ROWS + 1))])


def _round(builder, p, value, zero):  # type: ignore[no-untyped-def]
    """Store 16 numbers as integers: rounded before the zero is added, so that all forms have the same integers."""
    nearest = call(builder, "llvm.rint.v16f32", value.type, value)
    ints = builder.fptosi(builder.fadd(nearest, zero), V16I)
    store_at(builder, p, builder.trunc(ints, ir.VectorType(ir.IntType(8 * INTEGER_BYTES), 16)), 1)


_put_integers = operation(VOID, (INT, vector, vector), _round)


@jit
def put_integers(p, value, zero):
    """Store 16 numbers, rounded to the nearest integer, ties to even."""
    if IS_CHECKED:
        check(p, 16 * INTEGER_BYTES)
    _put_integers(p, value, zero)


@jit
def quantise(p_x, rows, k, kind, work):
    """Turn rows [R, k] into integers, each with a unit of its own: its greatest magnitude is 127 of them.

    Rows that are never negative get twice the resolution (kind INT8_POSITIVE): 255 units. A row with not-a-number gets
    that for a unit, and so for all its outputs.
    """
    never_inlined()
    most, zero = f32(_MOST), same(f32(_ZERO))
    if kind == INT8_POSITIVE:
        most, zero = f32(_MOST_POSITIVE), same(f32(_POSITIVE_ZERO))
    for row in range(rows):
        p_row = p_x + row * k * 4
        greatest = same(f32(1e-20))
        for j in range(0, k * 4, 64):
            greatest = larger_magnitude(magnitude(load(p_row + j)), greatest)
        top = max_of_magnitudes(greatest)
        factor = same(most / top)
        store_float(work.p_scales + row * 4, top / most)
        for j in range(0, k, 16):
            put_integers(work.p_integers + (row * k + j) * INTEGER_BYTES, mul(load(p_row + 4 * j), factor), zero)


@jit
def _check_tile(linear, rows, columns, column, p_a, a_stride, p_out, out_stride, p_row_scales):
    k, is_int8 = linear.num_inputs, linear.kind != FLOAT32
    for row in range(rows):
        check(p_a + row * a_stride, k * (INTEGER_BYTES if is_int8 else 4))
        check(p_out + row * out_stride, columns * 4)
    check(linear.p_weights + column * k * (1 if is_int8 else 4), columns * k * (1 if is_int8 else 4))
    check(linear.p_start + column * 4, columns * 4)
    if is_int8:
        check(linear.p_scales + column * 4, columns * 4)
        check(linear.p_bias + column * 4, columns * 4)
        check(p_row_scales, rows * 4)


@jit
def _multiply(linear, rows, panels, column, p_a, a_stride, p_out, out_stride, adds, is_relu, p_row_scales):
    """One tile, `panels` wide, of the outputs from `column` on."""
    k = linear.num_inputs
    if IS_CHECKED:
        _check_tile(linear, rows, panels * PANEL, column, p_a, a_stride, p_out, out_stride, p_row_scales)
    p_start = linear.p_start + column * 4
    if linear.kind != FLOAT32:
        tile_int8(
            rows, panels, p_a, a_stride, linear.p_weights + column * k, PANEL * k, p_out, out_stride, k // GROUP_STEP,
            p_start, adds, is_relu, p_row_scales, linear.p_scales + column * 4, linear.p_bias + column * 4,
        )  # fmt: skip
    else:
        tile_float32(
            rows, panels, p_a, a_stride, linear.p_weights + column * k * 4, PANEL * k * 4, p_out, out_stride, k,
            p_start, adds, is_relu, i64(0), i64(0), i64(0),
        )  # fmt: skip


@jit
def _multiply_by_matrices(linear, rows, panels, column, p_a, a_stride, p_out, out_stride, adds, is_relu, p_row_scales):
    """One tile of up to 32 rows, as `_multiply`."""
    k = linear.num_inputs
    if IS_CHECKED:
        _check_tile(linear, rows, panels * PANEL, column, p_a, a_stride, p_out, out_stride, p_row_scales)
    tile_by_matrices(
        rows, panels, p_a, a_stride, linear.p_weights + column * k, PANEL * k, p_out, out_stride, k // DEPTH,
        linear.p_start + column * 4, adds, is_relu, p_row_scales, linear.p_scales + column * 4,
        linear.p_bias + column * 4,
    )  # fmt: skip


@jit
def _columns_by_matrices(linear, rows, first, last, p_out, out_stride, adds, is_relu, work):
    """As `columns`, of integers."""
    never_inlined()
    stride = linear.num_inputs
    begin_matrices()
    column = first
    while column < last:
        panels = i64(1)
        if 2 * rows <= _MATRIX_ROWS and column + 2 * PANEL <= last:
            panels = i64(2)
        for row in range(0, rows, _MATRIX_ROWS):
            _multiply_by_matrices(
                linear, min(_MATRIX_ROWS, rows - row), panels, column, work.p_integers + row * stride, stride,
                p_out + row * out_stride + (column - first) * 4, out_stride, adds, is_relu, work.p_scales + row * 4,
            )  # fmt: skip
        column += panels * PANEL
    end_matrices()


@jit
def _columns_alone(linear, p_x, rows, first, last, p_out, out_stride, adds, is_relu, work):
    """As `columns`, by one thread.

    Rows are divided evenly among as few tiles as hold them; a panel of weights is read by all of them in turn.
    """
    never_inlined()
    if _HAS_MATRICES and linear.kind != FLOAT32 and rows >= _FEWEST_ROWS and linear.num_inputs % DEPTH == 0:
        _columns_by_matrices(linear, rows, first, last, p_out, out_stride, adds, is_relu, work)
        return
    p_a, a_stride = p_x, linear.num_inputs * 4
    if linear.kind != FLOAT32:
        p_a, a_stride = work.p_integers, linear.num_inputs * INTEGER_BYTES
    tiles = (rows + MOST_ROWS - 1) // MOST_ROWS
    column = first
    while column < last:
        panels = i64(1)
        if tiles == 1 and column + _PANELS[rows] * PANEL <= last:
            panels = _PANELS[rows]
        row = i64(0)
        for tile in range(tiles):
            count = (rows - row + tiles - tile - 1) // (tiles - tile)
            _multiply(
                linear, count, panels, column, p_a + row * a_stride, a_stride,
                p_out + row * out_stride + (column - first) * 4, out_stride, adds, is_relu, work.p_scales + row * 4,
            )  # fmt: skip
            row += count
        column += panels * PANEL


@jit
def _do_part(team, part, work):
    """Some columns of the product that the team is told of."""
    first = team.first + part * PART
    _columns_alone(
        team.linear, team.p_x, team.rows, first, min(team.last, first + PART), team.p_out + (first - team.first) * 4,
        team.out_stride, team.adds, team.is_relu, work,
    )  # fmt: skip
    did_part(team)


@jit
def _columns_in_parts(linear, p_x, rows, first, last, p_out, out_stride, adds, is_relu, work):
    """As `columns`, by all threads of the team."""
    team = team_at(work.p_team)
    described = team.linear
    described.p_weights, described.p_start = linear.p_weights, linear.p_start
    described.p_scales, described.p_bias = linear.p_scales, linear.p_bias
    described.num_inputs, described.num_outputs, described.kind = linear.num_inputs, linear.num_outputs, linear.kind
    team.p_x, team.rows, team.first, team.last = p_x, rows, first, last
    team.p_out, team.out_stride, team.adds, team.is_relu = p_out, out_stride, adds, is_relu
    parts = (last - first + PART - 1) // PART
    lay_out(team, parts)
    part = take_part(team)
    while part >= 0:
        _do_part(team, part, work)
        part = take_part(team)
    wait_for_parts(team, parts)


@jit
def help_with_products(work):
    """Do parts of the products that another thread lays out, until it has no more."""
    team = team_at(work.p_team)
    while not is_over(team):
        part = take_part(team)
        if part >= 0:
            _do_part(team, part, work)


@jit
def columns(linear, p_x, rows, first, last, p_out, out_stride, adds, is_relu, work):
    """Outputs first to last, whole panels, of rows [R, k]: activations that `quantise` saw, where weights are int8."""
    never_inlined()
    is_large = (last - first) * linear.num_inputs >= _LEAST_SHARED
    if is_large and work.p_team != 0 and is_worth_it(team_at(work.p_team)):
        _columns_in_parts(linear, p_x, rows, first, last, p_out, out_stride, adds, is_relu, work)
    else:
        _columns_alone(linear, p_x, rows, first, last, p_out, out_stride, adds, is_relu, work)


@jit
def linear_into(linear, p_x, rows, p_out, work):
    """out [R, n] = x [R, k] @ weights + bias."""
    prepare(linear, p_x, rows, work)
    columns(linear, p_x, rows, i64(0), linear.num_outputs, p_out, linear.num_outputs * 4, i64(0), i64(0), work)


@jit
def linear_relu_into(linear, p_x, rows, p_out, work):
    """out [R, n] = max(x [R, k] @ weights + bias, 0)."""
    prepare(linear, p_x, rows, work)
    columns(linear, p_x, rows, i64(0), linear.num_outputs, p_out, linear.num_outputs * 4, i64(0), i64(1), work)


@jit
def linear_add_to(linear, p_x, rows, p_out, work):
    """out [R, n] += x [R, k] @ weights + bias."""
    prepare(linear, p_x, rows, work)
    columns(linear, p_x, rows, i64(0), linear.num_outputs, p_out, linear.num_outputs * 4, i64(1), i64(0), work)


@jit
def prepare(linear, p_x, rows, work):
    """Make the rows [R, k] what the weights are multiplied with."""
    if linear.kind != FLOAT32:
        quantise(p_x, rows, linear.num_inputs, linear.kind, work)
