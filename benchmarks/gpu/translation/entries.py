"""Who decodes in the stage `translate`, with which settings, and in which order of importance."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.questions.decoding.contestants import CTRANSLATE2, MARIAN, MTCLI
from mtcli.bench.work.shapes import FORCED_TOKENS

AUTO = "auto"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One contestant with one way to decode.

    Attributes:
        contestant: mtcli or a peer.
        beam: 1 is greedy.
        size: sentences decoded at once: mtcli's slots, a peer's batch.
        sentences: decoded for one figure, in one call or one by one.
        independent, graphs, attention: mtcli's: whether a sentence's result may not depend on its company, whether
            steps are CUDA graphs, and the form of its attention.
        one_by_one: each sentence in a call of its own.
        dtype: number type.
    """

    contestant: str
    beam: int
    size: int
    sentences: int
    independent: bool = True
    graphs: bool = True
    attention: str = AUTO
    one_by_one: bool = False
    dtype: str = "float16"

    @property
    def search(self) -> str:
        return "greedy" if self.beam == 1 else f"beam {self.beam}"

    @property
    def way(self) -> str:
        """The settings in words, without the size."""
        if self.contestant != MTCLI:
            return ""
        words = ["CUDA graphs" if self.graphs else "no graphs"]
        words += [] if self.independent else ["not independent"]
        words += [] if self.attention == AUTO else [f"attention {self.attention}"]
        return ", ".join(words)

    @property
    def name(self) -> str:
        at_once = "one by one" if self.one_by_one else f"{self.size} at once"
        return ", ".join(filter(None, (self.contestant, self.search, self.way, at_once)))

    @property
    def settings(self) -> dict[str, Any]:
        """As the contestant's engine takes them."""
        if self.contestant == MTCLI:
            own = {"independent": self.independent, "graphs": self.graphs, "attention": self.attention}
            return {"dtype": self.dtype, "slots": self.size, **own}
        threads = {"inter_threads": 1, "intra_threads": 1} if self.contestant == CTRANSLATE2 else {}
        return {"dtype": self.dtype, "batch": self.size, **threads}

    @property
    def is_default(self) -> bool:
        """Whether mtcli decodes as it does by default, but for the number of slots."""
        ours = (self.contestant, self.independent, self.graphs, self.attention)
        return ours == (MTCLI, True, True, AUTO) and not self.one_by_one


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much is decoded.

    Attributes:
        slots: mtcli's; the largest is that of the reference.
        eager_slots: of mtcli on PyTorch's own operations.
        batches: the peers', in sentences.
        refills: sentences for each that is decoded at once, so that slots are filled again.
        fewest: sentences for one figure.
        one_by_one: sentences, where each is a call.
        target_tokens: forced of each sentence, end token included.
        dtype: number type. Rehearsals take float32: mtcli does not offer float16 on a CPU, where its products depend
            on the number of their rows.
    """

    slots: tuple[int, ...]
    eager_slots: tuple[int, ...]
    batches: tuple[int, ...]
    refills: int
    fewest: int
    one_by_one: int
    target_tokens: int = FORCED_TOKENS
    dtype: str = "float16"

    def sentences(self, size: int) -> int:
        return max(self.refills * size, self.fewest)

    @property
    def most_sentences(self) -> int:
        return max(self.one_by_one, *(self.sentences(size) for size in (*self.slots, *self.batches)))


FULL = Sizes(
    slots=(1, 16, 64, 256, 1024),
    eager_slots=(64, 256, 1024),
    batches=(32, 64, 256),
    refills=4,
    fewest=16,
    one_by_one=48,
)
TOY = Sizes(
    slots=(1, 2),
    eager_slots=(2,),
    batches=(2,),
    refills=2,
    fewest=2,
    one_by_one=2,
    target_tokens=4,
    dtype="float32",
)


def entries(sizes: Sizes, beams: Sequence[int]) -> list[Entry]:
    """All there is to measure, the most important first: time may not suffice for the last."""
    return [
        Entry(
            beam=beam,
            size=size,
            sentences=sizes.one_by_one if "one_by_one" in way else sizes.sentences(size),
            dtype=sizes.dtype,
            **way,
        )
        for at_once, way in _ways(sizes)
        for beam in beams
        for size in at_once
    ]


def _ways(sizes: Sizes) -> Iterator[tuple[Sequence[int], Mapping[str, Any]]]:
    ours = {"contestant": MTCLI}
    loose, bare = {"independent": False}, {"graphs": False}
    yield sizes.slots[::-1], ours
    for peer in (CTRANSLATE2, MARIAN):
        yield sizes.batches, {"contestant": peer}
    yield (1,), {**ours, "one_by_one": True}
    yield sizes.slots[::-1], {**ours, **loose}
    yield sizes.eager_slots, {**ours, **loose, **bare, "attention": "sdpa"}
    yield sizes.slots[::-1], {**ours, **bare}
    yield sizes.eager_slots, {**ours, **loose, **bare, "attention": "padded"}
    yield sizes.slots[::-1], {**ours, **loose, **bare}
    for way in (loose, bare, loose | bare):
        yield (1,), {**ours, **way, "one_by_one": True}


def reference(found: Sequence[Entry], beam: int) -> Entry:
    """What the ratios of a search are to: mtcli as it is by default, with the most slots."""
    return max((one for one in found if one.is_default and one.beam == beam), key=lambda one: one.size)
