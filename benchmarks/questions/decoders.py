"""Who decodes, and with which settings."""

import sys
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from typing import Any

from benchmarks.contest.contestants import MTCLI, NAMES, PEERS_PYTHON, Entry
from benchmarks.contest.records import tuned_kind

MODULES = {
    "mtcli": "benchmarks.questions.ours",
    "ct2": "benchmarks.peers.ct2",
    "hf": "benchmarks.peers.marian",
    "joeynmt": "benchmarks.peers.joeynmt",
    "torch": "benchmarks.peers.stock_decoding",
    "torch-compiled": "benchmarks.peers.stock_decoding",
}
ON_CUDA = ("mtcli", "ct2", "hf", "torch")
CT2_BATCHES, BATCHES = (32, 64, 128), (32, 64)
SLOTS, CUDA_BATCHES = (1024, 256, 64, 16, 1), (256, 64, 32)
FIRST_OF_SLOW = 64  # forced sentences that JoeyNMT decodes: for one figure it takes some minutes with a large model
REFILLS, FEWEST = 4, 16  # sentences for each that a GPU decodes at once, so that slots are filled again; and at least

Settings = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class DecodingEntry(Entry):
    """One contestant with one way to decode.

    Attributes:
        beam: 1 is greedy.
        settings: what else was chosen for it.
        first: it decodes so many of the first sentences; None for all.
    """

    beam: int
    settings: Settings = field(default_factory=dict)
    first: int | None = None

    @property
    def search(self) -> str:
        return "greedy" if self.beam == 1 else f"beam {self.beam}"

    @property
    def way(self) -> str:
        """The settings in words, as `batch 64, 1 x 2 threads`, and how much is decoded where that is not all."""
        settings, words = self.settings, []
        if "batch" in settings:
            words.append(f"{'slots' if self.short == MTCLI else 'batch'} {settings['batch']}")
        if "inter_threads" in settings:
            words.append(f"{settings['inter_threads']} x {settings['intra_threads']} threads")
        words += ["PyTorch"] if settings.get("engine") == "torch" and "batch" not in settings else []
        for name, missing in (("independent", "not independent"), ("graphs", "no graphs")):
            words += [] if settings.get(name, True) else [missing]
        words += ["lines to lines"] if settings.get("lines") else []
        if (self.first is not None and "batch" not in settings) or (self.short == "joeynmt" and self.first):
            words.append(f"first {self.first} sentences")
        return ", ".join(words)

    @property
    def words(self) -> tuple[str, ...]:
        return self.search, self.way

    @property
    def kind(self) -> Hashable:
        return tuned_kind(self.contestant, self.dtype, self.search, self.settings)

    @property
    def checked(self) -> Hashable:
        """Entries of which this is alike are right or wrong together."""
        own = tuple(sorted((key, value) for key, value in self.settings.items() if key != "batch"))
        return (self.dtype, own) if self.short == MTCLI else self.short


def command_of(short: str, device: str) -> list[str]:
    """Return what starts a contestant."""
    return [str(PEERS_PYTHON) if short == "joeynmt" else sys.executable, "-m", MODULES[short], device]


def cpu_entries(
    dtypes: Mapping[str, Sequence[str]], beams: Sequence[int], *, cores: int, batches: bool, lines: bool, forced: int
) -> list[DecodingEntry]:
    """Return everything there is to try on a processor, the contestants in turn.

    Args:
        dtypes: by contestant; one that is not here does not take part.
        beams: to search with.
        cores: that the contestants may use.
        batches: whether many sentences are decoded at once.
        lines: whether mtcli is also timed from lines to lines.
        forced: sentences, where outputs are forced; else 0.
    """
    by_contestant = [
        [
            DecodingEntry(
                short=short,
                dtype=dtype,
                beam=beam,
                settings=settings,
                first=FIRST_OF_SLOW if short == "joeynmt" and forced > FIRST_OF_SLOW else None,
                is_reference=(short, dtype, settings) == (MTCLI, "float32", {"engine": "native", "lines": False}),
            )
            for beam in beams
            # PyTorch in another type would be compiled apart, for minutes.
            for dtype in (["float32"] if short == "torch-compiled" else dtypes[short])
            for settings in _cpu_settings(short, dtype, cores=cores, batches=batches, lines=lines)
        ]
        for short in NAMES
        if short in dtypes
    ]
    return [entry for entry in chain.from_iterable(zip_longest(*by_contestant)) if entry is not None]


def _cpu_settings(short: str, dtype: str, *, cores: int, batches: bool, lines: bool) -> list[Settings]:
    if short == MTCLI:
        engines = ["native", "torch"] if dtype == "float32" else ["native"]
        ways = [(engine, False) for engine in engines] + ([("native", True)] if lines else [])
        return [{"engine": engine, "lines": to_lines} for engine, to_lines in ways]
    if short == "ct2":
        layouts = dict.fromkeys([(1, cores), (cores, 1) if batches else (1, 1)])
        sizes = CT2_BATCHES if batches else (1,)
        return [_ct2(batch, inter, intra) for batch in sizes for inter, intra in layouts]
    compiled = {"compiled": "inductor"} if short == "torch-compiled" else {}
    return [{"batch": batch, **compiled} for batch in (BATCHES if batches else (1,))]


def _ct2(batch: int, inter: int = 1, intra: int = 1) -> Settings:
    return {"batch": batch, "inter_threads": inter, "intra_threads": intra}


def cuda_entries(
    dtypes: Mapping[str, Sequence[str]], beams: Sequence[int], *, batches: bool, most: int
) -> list[DecodingEntry]:
    """Return what there is to measure on a GPU in float16, the most wanted first: time may not suffice for the last.

    Args:
        dtypes: by contestant; one that has no float16 decodes in what it has.
        beams: to search with.
        batches: whether many sentences are decoded at once.
        most: sentences that there are.
    """
    return [
        DecodingEntry(
            short=short,
            dtype="float16" if "float16" in dtypes[short] else dtypes[short][0],
            beam=beam,
            settings=settings,
            first=min(max(REFILLS * settings["batch"], FEWEST), most),
            is_reference=settings == {"engine": "torch", "independent": True, "batch": SLOTS[0] if batches else 1},
        )
        for short, settings in _cuda_settings(batches)
        if short in dtypes
        for beam in beams
    ]


def _cuda_settings(batches: bool) -> Iterator[tuple[str, Settings]]:
    slots, sizes = (SLOTS, CUDA_BATCHES) if batches else ((1,), (1,))
    yield from ((MTCLI, {"engine": "torch", "independent": True, "batch": size}) for size in slots)
    for size in sizes:
        yield "ct2", _ct2(size)
        yield "hf", {"batch": size}
    yield from ((MTCLI, {"engine": "torch", "independent": False, "batch": size}) for size in slots)
    yield MTCLI, {"engine": "torch", "independent": False, "batch": slots[0], "graphs": False}
    yield from (("torch", {"batch": size}) for size in sizes)
