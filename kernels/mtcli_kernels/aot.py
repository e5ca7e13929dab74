"""What the ahead-of-time check compiles, described without importing Triton or PyTorch.

Each operation's `aot_cases.py` has a function `cases()` that yields every entry of its table of tiles with
the arguments a launch would pass; `kernels/aot` compiles them for GPUs that need not be there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mtcli_kernels.tuning import Tile


@dataclass(frozen=True, kw_only=True)
class Case:
    """One kernel as it is compiled for one kind of input.

    Attributes:
        tile: which kernel, GPU generation, width of numbers and head size, and the block sizes.
        arguments: type of every argument that is no constexpr, in any order: `*T` a pointer to the inputs' number
            type, `*fp32`, `*i32`, `*i64`, `*u8` other pointers, `i32`, `i64`, `fp32` scalars.
        constants: value of every constexpr that is not in `tile.blocks`.
        aligned: integer arguments that are divisible by 16 in practice, such as strides; pointers always are.
        tensor_cores: whether its `tl.dot` must become tensor-core instructions for 16-bit inputs.
        note: what sets this case apart from others of the same tile, such as `causal`.
    """

    tile: Tile
    arguments: Mapping[str, str]
    constants: Mapping[str, int | float | bool]
    aligned: tuple[str, ...] = ()
    tensor_cores: bool = True
    note: str = ""


Cases = Iterator[Case]
