"""Vectors of 16 float32 numbers for numba, as LLVM's vector instructions, and plain loads and stores.

A vector has 16 lanes whatever the processor: LLVM divides it where registers are narrower, and every sum over lanes
has one order. Memory is addressed by numbers: `p` is the address of the first byte. In a checked build each access is
tested first (memory.py).
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

from mtcli_native.targets import compiled

LANES = 16
VECTOR_BYTES = 64
IS_CHECKED = compiled().is_checked

I1, I8, I16, I32, I64, F32 = (*(ir.IntType(bits) for bits in (1, 8, 16, 32, 64)), ir.FloatType())
V16F, V16I = ir.VectorType(F32, LANES), ir.VectorType(I32, LANES)
INT, FLOAT, VOID = types.int64, types.float32, types.void


class _VectorType(types.Type):
    pass


vector = _VectorType(name="vector16f32")


@register_model(_VectorType)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, V16F)


jit = njit(nogil=True, error_model="numpy", boundscheck=IS_CHECKED, no_cpython_wrapper=True, no_cfunc_wrapper=True)
"""Compiles a kernel's function, to be called by compiled code alone: it knows nothing of Python."""


def operation(result: Any, arguments: tuple[Any, ...], emit: Callable[..., Any]) -> Any:
    """Make a function for compiled code of what `emit(builder, *values)` writes."""
    signature = result(*arguments)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        value = emit(builder, *values)
        return context.get_dummy_value() if signature.return_type == VOID else value

    def of_0(context: Any) -> Any:
        return signature, generate

    def of_1(context: Any, a: Any) -> Any:
        return signature, generate

    def of_2(context: Any, a: Any, b: Any) -> Any:
        return signature, generate

    def of_3(context: Any, a: Any, b: Any, c: Any) -> Any:
        return signature, generate

    return intrinsic((of_0, of_1, of_2, of_3)[len(arguments)])


def call(builder: Any, name: str, result: Any, *values: Any) -> Any:
    """Call a function that LLVM or another module defines."""
    kind = ir.FunctionType(result, [value.type for value in values])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), values)


def number(value: int) -> Any:
    """An address or a count."""
    return ir.Constant(I64, value)


def constant(value: float, kind: Any = V16F) -> Any:
    """The same number in each lane."""
    return ir.Constant(kind, [value] * kind.count)


def splat(builder: Any, value: Any, kind: Any = V16F) -> Any:
    """A vector with the value in each lane."""
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(I32, 0))
    nowhere = ir.Constant(ir.VectorType(I32, kind.count), [0] * kind.count)
    return builder.shuffle_vector(first, ir.Constant(kind, ir.Undefined), nowhere)


def load_at(builder: Any, address: Any, kind: Any, align: int = 4) -> Any:
    """What lies at an address."""
    value = builder.load(builder.inttoptr(address, kind.as_pointer()))
    value.align = align
    return value


def store_at(builder: Any, address: Any, value: Any, align: int = 4) -> None:
    """Put a value at an address."""
    builder.store(value, builder.inttoptr(address, value.type.as_pointer())).align = align


def fused(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """a * b + c, rounded once."""
    return call(builder, f"llvm.fma.v{a.type.count}f32", a.type, a, b, c)


def fold(builder: Any, value: Any, join: Callable[[Any, Any], Any]) -> Any:
    """Join lanes 0 and 8, 1 and 9 ...; then 0 and 4 ...; until one is left: on every processor in this order."""
    width = LANES
    while width > 1:
        width //= 2
        mask = ir.Constant(ir.VectorType(I32, width), list(range(width)))
        upper = ir.Constant(ir.VectorType(I32, width), list(range(width, 2 * width)))
        nothing = ir.Constant(value.type, ir.Undefined)
        value = join(builder.shuffle_vector(value, nothing, mask), builder.shuffle_vector(value, nothing, upper))
    return builder.extract_element(value, ir.Constant(I32, 0))


def _larger(builder: Any, a: Any, b: Any) -> Any:
    """a where it is larger; else b, not-a-number too."""
    return builder.select(builder.fcmp_ordered(">", a, b), a, b)


def _exp(builder: Any, x: Any) -> Any:
    """e ** x for x up to 88 within two units in the last place; e ** -87 below -87.

    x is n ln 2 + r; e ** r is a polynomial (Cephes, expf). Adding a number as large as 1.5 x 2 ** 23 rounds to an
    integer, whose bits are then the lowest: with 127 more they are the exponent of 2 ** n. What is no number stays so.
    """
    lowest, rounder = constant(-87.0), constant(12582912.0 + 127.0)
    x = builder.select(builder.fcmp_ordered("<", x, lowest), lowest, x)
    power = fused(builder, x, constant(1.44269504088896341), rounder)
    n = builder.fsub(power, rounder)
    r = fused(builder, n, constant(-0.693359375), x)
    r = fused(builder, n, constant(2.12194440e-4), r)
    y = constant(1.9875691500e-4)
    for c in (1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1, 1.0, 1.0):
        y = fused(builder, y, r, constant(c))
    scale = builder.shl(builder.bitcast(power, V16I), constant(23, V16I))
    return builder.fmul(y, builder.bitcast(scale, V16F))


def _log(builder: Any, x: Any) -> Any:
    """Natural logarithm of positive normal numbers, within a unit in the last place (Cephes, logf).

    Infinity and not-a-number stay what they are, so that a sum that is none is noticed.
    """
    bits = builder.bitcast(x, V16I)
    exponent = builder.sub(builder.ashr(bits, constant(23, V16I)), constant(126, V16I))
    mantissa = builder.or_(builder.and_(bits, constant(0x007FFFFF, V16I)), constant(0x3F000000, V16I))
    m = builder.bitcast(mantissa, V16F)  # in [0.5, 1)
    is_low = builder.fcmp_ordered("<", m, constant(0.707106781186547524))
    exponent = builder.select(is_low, builder.sub(exponent, constant(1, V16I)), exponent)
    m = builder.fsub(builder.select(is_low, builder.fadd(m, m), m), constant(1.0))
    e = builder.sitofp(exponent, V16F)
    square = builder.fmul(m, m)
    y = constant(7.0376836292e-2)
    for c in (
        -1.1514610310e-1,
        1.1676998740e-1,
        -1.2420140846e-1,
        1.4249322787e-1,
        -1.6668057665e-1,
        2.0000714765e-1,
        -2.4999993993e-1,
        3.3333331174e-1,
    ):
        y = fused(builder, y, m, constant(c))
    y = builder.fmul(builder.fmul(y, m), square)
    y = fused(builder, e, constant(-2.12194440e-4), y)
    y = fused(builder, square, constant(-0.5), y)
    y = fused(builder, e, constant(0.693359375), builder.fadd(m, y))
    return builder.select(builder.fcmp_ordered("<", x, constant(float("inf"))), y, x)


def _erf(builder: Any, x: Any) -> Any:
    """The error function within a few units in the last place: a quotient of polynomials of x², x cut off at ±4."""
    low, high = constant(-4.0), constant(4.0)
    x = builder.select(builder.fcmp_ordered("<", x, low), low, x)
    x = builder.select(builder.fcmp_ordered(">", x, high), high, x)
    square = builder.fmul(x, x)
    over = constant(-2.72614225801306e-10)
    for c in (
        2.77068142495902e-8,
        -2.10102402082508e-6,
        -5.69250639462346e-5,
        -7.34990630326855e-4,
        -2.95459980854025e-3,
        -1.60960333262415e-2,
    ):
        over = fused(builder, over, square, constant(c))
    under = constant(-1.45660718464996e-5)
    for c in (-2.13374055278905e-4, -1.68282697438203e-3, -7.37332916720468e-3, -1.42647390514189e-2):
        under = fused(builder, under, square, constant(c))
    return builder.fdiv(builder.fmul(x, over), under)


def _larger_magnitude(builder: Any, a: Any, b: Any) -> Any:
    """The larger of magnitudes, not-a-number if one is that: as integers, their bits have this order."""
    kind = ir.VectorType(I32, a.type.count)
    ints_a, ints_b = builder.bitcast(a, kind), builder.bitcast(b, kind)
    return builder.bitcast(builder.select(builder.icmp_unsigned(">", ints_a, ints_b), ints_a, ints_b), a.type)


def _lanes_or(builder: Any, x: Any, count: Any, other: Any) -> Any:
    """The first `count` lanes of x, and the others of another vector."""
    lanes = ir.Constant(V16I, list(range(LANES)))
    kept = builder.icmp_signed("<", lanes, splat(builder, builder.trunc(count, I32), V16I))
    return builder.select(kept, x, other)


def _mask_of_greater(builder: Any, a: Any, bound: Any) -> Any:
    """Bit i is set where lane i is greater than a number."""
    return builder.zext(builder.bitcast(builder.fcmp_ordered(">", a, splat(builder, bound)), I16), I64)


def _address_of_regions(builder: Any) -> Any:
    """Where the checked build's table of memory is written down: a variable that all modules share."""
    name = "mtcli_native_regions"
    if name in builder.module.globals:
        variable = builder.module.globals[name]
    else:
        variable = ir.GlobalVariable(builder.module, I64, name)
        variable.initializer, variable.linkage = ir.Constant(I64, 0), "linkonce_odr"
    return builder.ptrtoint(variable, I64)


_load_vector = operation(vector, (INT,), lambda b, p: load_at(b, p, V16F))
_store_vector = operation(VOID, (INT, vector), lambda b, p, v: store_at(b, p, v))
_load_float = operation(FLOAT, (INT,), lambda b, p: load_at(b, p, F32))
_store_float = operation(VOID, (INT, FLOAT), lambda b, p, v: store_at(b, p, v))
_load_int = operation(INT, (INT,), lambda b, p: load_at(b, p, I64, 8))
_store_int = operation(VOID, (INT, INT), lambda b, p, v: store_at(b, p, v, 8))
_regions = operation(INT, (), _address_of_regions)
trap = operation(VOID, (), lambda b: call(b, "llvm.trap", ir.VoidType()))

same = operation(vector, (FLOAT,), splat)
add = operation(vector, (vector, vector), lambda b, x, y: b.fadd(x, y))
sub = operation(vector, (vector, vector), lambda b, x, y: b.fsub(x, y))
mul = operation(vector, (vector, vector), lambda b, x, y: b.fmul(x, y))
div = operation(vector, (vector, vector), lambda b, x, y: b.fdiv(x, y))
fma = operation(vector, (vector, vector, vector), fused)
larger = operation(vector, (vector, vector), _larger)
larger_magnitude = operation(vector, (vector, vector), _larger_magnitude)
magnitude = operation(vector, (vector,), lambda b, x: call(b, "llvm.fabs.v16f32", V16F, x))
exp = operation(vector, (vector,), _exp)
log = operation(vector, (vector,), _log)
erf = operation(vector, (vector,), _erf)
root = operation(FLOAT, (FLOAT,), lambda b, x: call(b, "llvm.sqrt.f32", F32, x))
sum_of = operation(FLOAT, (vector,), lambda b, x: fold(b, x, b.fadd))
max_of = operation(FLOAT, (vector,), lambda b, x: fold(b, x, lambda p, q: _larger(b, p, q)))
max_of_magnitudes = operation(FLOAT, (vector,), lambda b, x: fold(b, x, lambda p, q: _larger_magnitude(b, p, q)))
first_of = operation(FLOAT, (vector,), lambda b, x: b.extract_element(x, ir.Constant(I32, 0)))
lanes_or = operation(vector, (vector, INT, vector), _lanes_or)
vector_below = operation(vector, (vector, INT), lambda b, x, count: _lanes_or(b, x, count, constant(0.0)))
mask_of_greater = operation(INT, (vector, FLOAT), _mask_of_greater)
lowest_bit = operation(INT, (INT,), lambda b, x: b.cttz(x, ir.Constant(I1, 0)))


@intrinsic
def never_inlined(context: Any) -> Any:
    """Keep LLVM from copying the function that calls this into its callers."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return VOID(), generate


@jit
def announce(p_regions):
    """Checked build: tell where the table of memory lies that may be used (memory.py)."""
    _store_int(_regions(), p_regions)


@jit
def check(p, size):
    """Checked build: end the process unless bytes p to p + size lie in one region; tables hold (start, end) pairs."""
    p_table = _load_int(_regions())
    if p_table == 0:
        return
    count = _load_int(p_table)
    for i in range(count):
        if _load_int(p_table + 8 + 16 * i) <= p and p + size <= _load_int(p_table + 16 + 16 * i):
            return
    trap()


def _checked(access: Any, size: int, stores: bool) -> Any:
    """An access that is tested first, in a checked build."""
    if not IS_CHECKED:
        return access
    if stores:

        @jit
        def store(p, value):
            check(p, size)
            access(p, value)

        return store

    @jit
    def load(p):
        check(p, size)
        return access(p)

    return load


load = _checked(_load_vector, VECTOR_BYTES, stores=False)
store = _checked(_store_vector, VECTOR_BYTES, stores=True)
load_float = _checked(_load_float, 4, stores=False)
store_float = _checked(_store_float, 4, stores=True)
load_int = _checked(_load_int, 8, stores=False)
store_int = _checked(_store_int, 8, stores=True)


@jit
def copy(p_to, p_from, size):
    """Copy whole vectors; size in bytes."""
    for at in range(0, size, VECTOR_BYTES):
        store(p_to + at, load(p_from + at))
