"""The numbers of the operations that a compiled test caller knows (operations.py)."""

from enum import IntEnum, auto


class Operation(IntEnum):
    """A function of the CPU's kernels."""

    EXP = auto()
    LOG = auto()
    ERF = auto()
    FOLD = auto()
    GREATER = auto()
    COPY = auto()
    QUANTISE = auto()
    LINEAR = auto()
    COLUMNS = auto()
    LAYER_NORM = auto()
    ACTIVATE = auto()
    EMBED = auto()
    ATTEND = auto()
    WEIGHTS = auto()
    RANK_TOKENS = auto()
    STEP_SLOT = auto()
    ENCODE = auto()
    DECODE_STEP = auto()
    RUN = auto()
