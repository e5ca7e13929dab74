"""Who trains, and with which settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

MTCLI, JOEYNMT, MARIAN = "mtcli", "JoeyNMT", "Hugging Face Marian"
STOCK, COMPILED = "PyTorch", "PyTorch, compiled"
FLOAT32 = "float32"
# JoeyNMT makes batches of what follows one another in its corpus, and has one dropout for everything.
AS_IT_COMES, BY_LENGTH = "corpus shuffled", "corpus sorted into batches"
DROPPING_EVERYWHERE = "dropout where JoeyNMT has it"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One contestant with one way to train.

    Attributes:
        contestant: MTCLI or a peer.
        dtype: number type of the matrix products.
        cores: that it may use, one thread on each.
        way: what else was chosen for it, in words; else empty.
    """

    contestant: str
    dtype: str
    cores: int
    way: str = ""

    @property
    def where(self) -> str:
        return "1 core" if self.cores == 1 else f"{self.cores} cores"

    @property
    def name(self) -> str:
        return ", ".join(filter(None, (self.contestant, self.dtype, self.where, self.way)))

    @property
    def kind(self) -> tuple[Any, ...]:
        """Each way is a kind of its own: all run in all rounds."""
        return self.contestant, self.dtype, self.cores, self.way

    @property
    def is_reference(self) -> bool:
        """Whether the others' ratios, on as many cores, are to this one."""
        return (self.contestant, self.dtype, self.way) == (MTCLI, FLOAT32, "")


def entries(dtypes: Mapping[str, Sequence[str]], cores: Sequence[int]) -> list[Entry]:
    """Everything there is to try, the contestants in turn; `dtypes` are those of each that takes part."""
    return [
        Entry(contestant=name, dtype=dtype, cores=count, way=way)
        for count in cores
        for dtype in dict.fromkeys(dtype for offered in dtypes.values() for dtype in offered)
        for name, offered in dtypes.items()
        if dtype in offered
        for way in _ways(name, beside_joeynmt=JOEYNMT in dtypes)
    ]


def _ways(name: str, *, beside_joeynmt: bool) -> tuple[str, ...]:
    if name == JOEYNMT:
        return BY_LENGTH, AS_IT_COMES
    return ("", DROPPING_EVERYWHERE) if name == MTCLI and beside_joeynmt else ("",)


def matching(found: Sequence[Entry], patterns: Sequence[str]) -> list[Entry]:
    """Those whose name fits one of the patterns; all, if there are none. References of the same cores stay."""
    wanted = [one for one in found if not patterns or any(fnmatch(one.name.lower(), text.lower()) for text in patterns)]
    cores = {one.cores for one in wanted}
    return [one for one in found if one in wanted or (one.is_reference and one.cores in cores)]
