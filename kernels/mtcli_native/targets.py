"""Kinds of processors that the kernels are compiled for. Nothing here imports numba or LLVM.

A target fixes the shape of the matrix tiles and how bytes are multiplied. Results do not depend on it: every element
of a product is one chain of fused multiply-adds over k, and integer sums are exact.
"""

import os
from dataclasses import dataclass, replace

VARIABLE = "MTCLI_NATIVE_TARGET"
"""Environment variable that names the target to compile for, or to load."""

STAND_INS = {"mtcli_native_sdot": "llvm.aarch64.neon.sdot.v4i32.v16i8", "mtcli_native_yield": "llvm.aarch64.hint"}
"""Instructions of other processors under names of our own: numba makes machine code for the one that it runs on, which
does not have them. `build.emit` puts in what LLVM calls them."""

_AVX2 = (
    "+avx,+avx2,+bmi,+bmi2,+cmov,+cx8,+cx16,+f16c,+fma,+fxsr,+lzcnt,"
    "+mmx,+movbe,+popcnt,+sse,+sse2,+sse3,+ssse3,+sse4.1,+sse4.2,+xsave,+crc32,+sahf"
)
_AVX512 = _AVX2 + ",+avx512f,+avx512bw,+avx512cd,+avx512dq,+avx512vl,+avx512vnni,+evex512"


@dataclass(frozen=True, kw_only=True)
class Int8:
    """How rows of activations become integers, and how many of them are multiplied at once.

    All forms give the same sums: the integers are the same, and so is their number of bits.

    Attributes:
        instruction: `vpdpbusd` (four u8 by s8), `pmaddwd` (two s16 by s16) or `sdot` (four s8 by s8).
        bytes: of an activation.
        group: activations that one instruction adds up in each lane.
        zero: added to an activation that may be negative (-127 to 127), so that it is stored as the instruction wants.
        positive_zero: the same for one of a row that is never negative (0 to 255).
    """

    instruction: str
    bytes: int
    group: int
    zero: int
    positive_zero: int = 0


VPDPBUSD = Int8(instruction="vpdpbusd", bytes=1, group=4, zero=128)
PMADDWD = Int8(instruction="pmaddwd", bytes=2, group=2, zero=0)
SDOT = Int8(instruction="sdot", bytes=1, group=4, zero=0, positive_zero=-128)


@dataclass(frozen=True, kw_only=True)
class Target:
    """A kind of processor.

    Attributes:
        name: known by this in files, messages and the environment.
        machine: as `platform.machine()` has it in lower case, or another word for it.
        needs: flags that a processor must have, as /proc/cpuinfo writes them.
        cpu, features: as LLVM has them.
        lanes: float32 numbers in a register.
        tile_rows: rows of a matrix tile; with `tile_registers` chosen so that a tile's sums fill the registers.
        tile_registers: columns of a matrix tile, in registers.
        int8: how bytes are multiplied.
        has_matrices: whether there are matrix registers (matrices.py), for products of many rows of integers.
        is_checked: whether every load and store is tested against the memory that was announced.
    """

    name: str
    machine: tuple[str, ...]
    needs: frozenset[str]
    cpu: str
    features: str
    lanes: int
    tile_rows: int
    tile_registers: int
    int8: Int8
    has_matrices: bool = False
    is_checked: bool = False

    @property
    def panel(self) -> int:
        """Columns of a panel of weights."""
        return self.lanes * self.tile_registers

    @property
    def checked(self) -> "Target":
        """The same with every load and store tested."""
        return replace(self, name=f"{self.name}-checked", is_checked=True)


_X86 = ("x86_64", "amd64")
AVX512 = Target(
    name="x86-64-avx512vnni",
    machine=_X86,
    needs=frozenset({"avx2", "fma", "bmi2", "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl", "avx512_vnni"}),
    cpu="x86-64-v4",
    features=_AVX512,
    lanes=16,
    tile_rows=12,
    tile_registers=2,
    int8=VPDPBUSD,
)
AMX = replace(
    AVX512,
    name="x86-64-amx",
    needs=AVX512.needs | {"amx_tile", "amx_int8"},
    features=_AVX512 + ",+amx-tile,+amx-int8",
    has_matrices=True,
)
AVX_VNNI = Target(
    name="x86-64-avxvnni",
    machine=_X86,
    needs=frozenset({"avx2", "fma", "bmi2", "avx_vnni"}),
    cpu="x86-64-v3",
    features=_AVX2 + ",+avxvnni",
    lanes=8,
    tile_rows=6,
    tile_registers=2,
    int8=VPDPBUSD,
)
AVX2 = Target(
    name="x86-64-avx2",
    machine=_X86,
    needs=frozenset({"avx2", "fma", "bmi2"}),
    cpu="x86-64-v3",
    features=_AVX2,
    lanes=8,
    tile_rows=6,
    tile_registers=2,
    int8=PMADDWD,
)
NEON = Target(
    name="aarch64-dotprod",
    machine=("aarch64", "arm64"),
    needs=frozenset({"asimd", "asimddp"}),
    cpu="generic",
    features="+neon,+dotprod,+fp-armv8",
    lanes=4,
    tile_rows=6,
    tile_registers=4,
    int8=SDOT,
)
ALL = (AMX, AVX512, AVX_VNNI, AVX2, NEON)
"""The fastest first, of those that a processor can run."""


def by_name(name: str) -> Target:
    """Find a target.

    Raises:
        KeyError: there is none of this name.
    """
    return {target.name: target for one in ALL for target in (one, one.checked)}[name]


def compiled() -> Target:
    """The target that this process compiles for, which the kernels' modules read when they are imported."""
    return by_name(os.environ.get(VARIABLE, AVX512.name))
