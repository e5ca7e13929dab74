"""Who decodes, and with which settings."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from itertools import chain, zip_longest
from typing import Any

MTCLI, CTRANSLATE2, MARIAN = "mtcli", "CTranslate2", "Hugging Face Marian"
JOEYNMT, STOCK, COMPILED = "JoeyNMT", "PyTorch", "PyTorch, compiled"
NAMES = (MTCLI, CTRANSLATE2, MARIAN, JOEYNMT, STOCK, COMPILED)
CT2_BATCHES = (32, 64, 128)
BATCHES = (32, 64)  # of all others that are told
SLOW = (JOEYNMT,)  # for one figure some minutes with a large model


@dataclass(frozen=True)
class Entry:
    """One contestant with one way to decode.

    Attributes:
        contestant: one of NAMES.
        dtype: number type of the matrix products, as the contestant calls it.
        beam: 1 is greedy.
        settings: what else was chosen for it.
        first: it decodes so many of the first sentences; None for all.
    """

    contestant: str
    dtype: str
    beam: int
    settings: dict[str, Any] = field(default_factory=dict)
    first: int | None = None

    @property
    def search(self) -> str:
        return "greedy" if self.beam == 1 else f"beam {self.beam}"

    @property
    def way(self) -> str:
        """The settings in words, as `batch 64, 1 x 2 threads`, and how much is decoded where that is not all."""
        words = []
        if "batch" in self.settings:
            words.append(f"batch {self.settings['batch']}")
        if "inter_threads" in self.settings:
            words.append(f"{self.settings['inter_threads']} x {self.settings['intra_threads']} threads")
        if not self.settings.get("independent", True):
            words.append("not independent")
        if self.settings.get("lines"):
            words.append("lines to lines")
        if self.first is not None:
            words.append(f"first {self.first} sentences")
        return ", ".join(words)

    @property
    def name(self) -> str:
        return ", ".join(filter(None, (self.contestant, self.dtype, self.search, self.way)))

    @property
    def kind(self) -> tuple[Any, ...]:
        """What is compared: entries of one kind differ in batch and threads, of which a user would take the best."""
        tuned = ("batch", "inter_threads", "intra_threads")
        rest = tuple(sorted((key, value) for key, value in self.settings.items() if key not in tuned))
        return self.contestant, self.dtype, self.beam, rest

    @property
    def is_reference(self) -> bool:
        """Whether the others' ratios are to this one: mtcli in float32 as it is by default."""
        return (self.contestant, self.dtype, self.settings) == (MTCLI, "float32", {"independent": True, "lines": False})


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What can run here.

    Attributes:
        cores: that the contestants may use.
        dtypes: by contestant; a contestant that is not here does not take part.
        batches: whether many sentences are decoded at once.
        lines: whether mtcli is also timed from lines to lines.
        first_of_slow: sentences that slow contestants decode; None for all.
    """

    cores: int
    dtypes: dict[str, Sequence[str]]
    batches: bool
    lines: bool = False
    first_of_slow: int | None = None


def entries(offer: Offer, beams: Sequence[int]) -> list[Entry]:
    """Everything there is to try, the contestants in turn."""
    by_contestant = [
        [
            Entry(name, dtype, beam, settings, offer.first_of_slow if name in SLOW else None)
            for beam in beams
            for dtype, settings in _settings(name, offer)
        ]
        for name in NAMES
        if name in offer.dtypes
    ]
    return [entry for entry in chain.from_iterable(zip_longest(*by_contestant)) if entry is not None]


def _settings(name: str, offer: Offer) -> Iterable[tuple[str, dict[str, Any]]]:
    for dtype in offer.dtypes[name]:
        if name == MTCLI:
            for independent in (True, False):
                yield dtype, {"independent": independent, "lines": False}
            if offer.lines:
                yield dtype, {"independent": True, "lines": True}
        elif name == CTRANSLATE2:
            for batch in CT2_BATCHES if offer.batches else (1,):
                for inter, intra in _layouts(offer):
                    yield dtype, {"batch": batch, "inter_threads": inter, "intra_threads": intra}
        elif name != COMPILED or dtype == "float32":  # another number type would be compiled apart, for minutes
            compiled = {"compiled": "inductor"} if name == COMPILED else {}
            for batch in BATCHES if offer.batches else (1,):
                yield dtype, {"batch": batch, **compiled}


def _layouts(offer: Offer) -> list[tuple[int, int]]:
    """(inter_threads, intra_threads): sentences side by side, or threads side by side in each product."""
    if offer.batches:
        return list(dict.fromkeys([(1, offer.cores), (offer.cores, 1)]))
    return list(dict.fromkeys([(1, offer.cores), (1, 1)]))


def matching(found: Sequence[Entry], patterns: Sequence[str]) -> list[Entry]:
    """Those whose name fits one of the patterns; all, if there are none. The reference always stays."""
    return [
        entry
        for entry in found
        if not patterns or entry.is_reference or any(fnmatch(entry.name.lower(), text.lower()) for text in patterns)
    ]
