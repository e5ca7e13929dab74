"""Who decodes, and with which settings."""

import sys
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from typing import Any

from benchmarks.contest.machine import ROOT

MTCLI = "mtcli"
NAMES = {
    "mtcli": MTCLI,
    "ct2": "CTranslate2",
    "hf": "Hugging Face Marian",
    "joeynmt": "JoeyNMT",
    "torch": "PyTorch",
    "torch-compiled": "PyTorch, compiled",
}
MODULES = {
    "mtcli": "benchmarks.questions.ours",
    "ct2": "benchmarks.peers.ct2",
    "hf": "benchmarks.peers.marian",
    "joeynmt": "benchmarks.peers.joeynmt",
    "torch": "benchmarks.peers.stock_decoding",
    "torch-compiled": "benchmarks.peers.stock_decoding",
}
PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"  # JoeyNMT's
ON_CUDA = ("mtcli", "ct2", "hf", "torch")
CT2_BATCHES, BATCHES = (32, 64, 128), (32, 64)
SLOTS, CUDA_BATCHES = (1024, 256, 64, 16, 1), (256, 64, 32)
FIRST_OF_SLOW = 64  # forced sentences that JoeyNMT decodes: for one figure it takes some minutes with a large model
REFILLS, FEWEST = 4, 16  # sentences for each that a GPU decodes at once, so that slots are filled again; and at least
_TUNED = ("batch", "inter_threads", "intra_threads")


@dataclass(frozen=True)
class DecodingEntry:
    """One contestant with one way to decode.

    Attributes:
        short: of NAMES.
        dtype: number type of the matrix products, as the contestant calls it.
        beam: 1 is greedy.
        settings: what else was chosen for it.
        first: it decodes so many of the first sentences; None for all.
        is_reference: whether the others' ratios are to this one: mtcli as it is by default.
    """

    short: str
    dtype: str
    beam: int
    settings: dict[str, Any] = field(default_factory=dict)
    first: int | None = None
    is_reference: bool = False

    @property
    def contestant(self) -> str:
        return NAMES[self.short]

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
        for name, missing in (("independent", "not independent"), ("graphs", "no graphs")):
            words += [] if settings.get(name, True) else [missing]
        words += ["lines to lines"] if settings.get("lines") else []
        if (self.first is not None and "batch" not in settings) or (self.short == "joeynmt" and self.first):
            words.append(f"first {self.first} sentences")
        return ", ".join(words)

    @property
    def name(self) -> str:
        return ", ".join(filter(None, (self.contestant, self.dtype, self.search, self.way)))

    @property
    def kind(self) -> Hashable:
        """Entries of one kind differ in batch and threads, of which a user would take the best."""
        rest = tuple(sorted((key, value) for key, value in self.settings.items() if key not in _TUNED))
        return self.short, self.dtype, self.beam, rest

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
                short,
                dtype,
                beam,
                settings,
                FIRST_OF_SLOW if short == "joeynmt" and forced > FIRST_OF_SLOW else None,
                (short, dtype, settings) == (MTCLI, "float32", {"independent": True, "lines": False}),
            )
            for beam in beams
            for dtype, settings in _cpu_settings(short, dtypes[short], cores=cores, batches=batches, lines=lines)
        ]
        for short in NAMES
        if short in dtypes
    ]
    return [entry for entry in chain.from_iterable(zip_longest(*by_contestant)) if entry is not None]


def _cpu_settings(
    short: str, dtypes: Sequence[str], *, cores: int, batches: bool, lines: bool
) -> Iterable[tuple[str, dict[str, Any]]]:
    layouts = dict.fromkeys([(1, cores), (cores, 1) if batches else (1, 1)])
    for dtype in dtypes:
        if short == MTCLI:
            for independent in (True, False):
                yield dtype, {"independent": independent, "lines": False}
            if lines:
                yield dtype, {"independent": True, "lines": True}
        elif short == "ct2":
            for batch in CT2_BATCHES if batches else (1,):
                for inter, intra in layouts:
                    yield dtype, {"batch": batch, "inter_threads": inter, "intra_threads": intra}
        elif short != "torch-compiled" or dtype == "float32":  # another type would be compiled apart, for minutes
            compiled = {"compiled": "inductor"} if short == "torch-compiled" else {}
            for batch in BATCHES if batches else (1,):
                yield dtype, {"batch": batch, **compiled}


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
    found = []
    for short, settings in _cuda_settings(batches):
        if short in dtypes:
            dtype = "float16" if "float16" in dtypes[short] else dtypes[short][0]
            size = settings.get("batch", 1)
            first = min(max(REFILLS * size, FEWEST), most)
            is_reference = settings == {"independent": True, "batch": SLOTS[0] if batches else 1}
            found += [DecodingEntry(short, dtype, beam, settings, first, is_reference) for beam in beams]
    return found


def _cuda_settings(batches: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    slots, sizes = (SLOTS, CUDA_BATCHES) if batches else ((1,), (1,))
    for independent in (True, False):
        for size in slots:
            yield MTCLI, {"independent": independent, "batch": size}
        if independent:
            for size in sizes:
                yield "ct2", {"batch": size, "inter_threads": 1, "intra_threads": 1}
                yield "hf", {"batch": size}
    yield MTCLI, {"independent": False, "batch": slots[0], "graphs": False}
    for size in sizes:
        yield "torch", {"batch": size}
