"""Whole sentences decoded at once, in rounds in which numbers of slots and beams take turns."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch

from mtcli.bench.arithmetic.formulas import Cost
from mtcli.bench.arithmetic.transformer_cost import Decoding, decoding
from mtcli.bench.asked import Asked
from mtcli.bench.contest.memory import Peak
from mtcli.bench.records.record import Ceilings, Decoded, Figure, Phase
from mtcli.bench.translation.checks import best_of, searched
from mtcli.bench.translation.phases import DECODER, ENCODER, HOST, SEARCH, Phases
from mtcli.bench.work.sentences import Sentences
from mtcli.bench.work.subject import Subject
from mtcli.decoding.engines.torch import Engines
from mtcli.decoding.pool import EnginePool
from mtcli.decoding.stream import FAIR_SHARE
from mtcli.devices import dtype_name

GIB = 2**30


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much is decoded.

    Attributes:
        slots: sentences at once, the most wanted number first.
        refills: sentences for each slot, so that slots are filled again.
        fewest: sentences for one figure.
    """

    slots: tuple[int, ...]
    refills: int
    fewest: int

    @classmethod
    def of(cls, asked: Asked) -> "Sizes":
        if asked.toy:
            return cls(slots=(2, 1), refills=1, fewest=2)
        if asked.on_gpu:
            return cls(slots=(64, 256, 1024, 16, 1), refills=4, fewest=16)
        return cls(slots=(8, 32, 1, 128), refills=1, fewest=2)

    def sentences(self, slots: int) -> int:
        return max(self.refills * slots, self.fewest)

    @property
    def most_sentences(self) -> int:
        return self.sentences(max(self.slots))


@dataclass(frozen=True)
class Entry:
    """So many sentences at once with so many hypotheses; the layout may want a few more or fewer."""

    beam: int
    slots: int

    @property
    def name(self) -> str:
        return f"beam {self.beam}, {self.slots} at once"


def entries(sizes: Sizes, beams: Sequence[int]) -> list[Entry]:
    """All there is to measure, the most wanted first."""
    return [Entry(beam, slots) for slots in sizes.slots for beam in beams]


@dataclass(kw_only=True)
class Contestant:
    """An entry's decoder and what it reached.

    Attributes:
        entry, subject: what decodes, and how.
        pool: sentences to take from; sentences: of one run.
        sizes: how many that are.
        num_tokens: of each sentence's best hypothesis, end token included, as the first run found them.
        at_once: sentences that are really decoded at once.
        samples: seconds of each run that counts.
        cost: seconds of the newest run.
        peak: bytes.
        why: what is wrong with it.
        phases: where the time goes.
    """

    entry: Entry
    subject: Subject
    pool: Sentences
    sizes: Sizes
    num_tokens: list[int] = field(default_factory=list)
    samples: list[float] = field(default_factory=list)
    cost: float = 0.0
    peak: int | None = None
    why: str | None = None
    phases: tuple[Phase, ...] = ()

    def __post_init__(self) -> None:
        self.decoder = self._new_decoder()
        self.at_once = self.decoder.slots * self.decoder.num_workers
        self.sentences = self.pool.first(self.sizes.sentences(self.at_once))

    def _new_decoder(self) -> EnginePool:
        options = searched(self.subject, self.pool, self.entry.beam)
        network, slots = self.subject.network, self.entry.slots
        decoder = EnginePool(Engines(network, options), max_slots=slots)
        if decoder.num_workers == 1:
            return decoder
        # More threads than that would have no sentences
        workers = max(1, min(decoder.num_workers, slots // FAIR_SHARE))
        return EnginePool(Engines(network, options), num_workers=workers, max_slots=-(-slots // workers))

    def warm_up(self, network_bytes: int) -> None:
        """Run once, for what the first run does once, and see how much memory it takes beside other contestants.

        Args:
            network_bytes: of the network on a GPU.
        """
        device = self.subject.network.output.weight.device
        others = torch.cuda.memory_allocated(device) - network_bytes if device.type == "cuda" else 0
        peak = Peak(device)
        start = time.perf_counter()
        self.num_tokens = [one.num_tokens for one in best_of(self.decoder, self.sentences)]
        self.cost = time.perf_counter() - start
        found = peak.bytes
        self.peak = None if found is None else found - others
        self._judge()

    def _judge(self) -> None:
        if self.decoder.slots * self.decoder.num_workers < self.at_once:
            self.why = "memory did not suffice for so many sentences at once"
        elif self.sentences.forced and self.num_tokens != list(self.sentences.limits):
            found, wanted = sum(self.num_tokens), sum(self.sentences.limits)
            self.why = f"it decoded {found} target tokens where {wanted} were forced: the work is not the same"

    @property
    def status(self) -> str:
        if self.why is None:
            return "right" if self.samples else "left out"
        return "out of memory" if self.why.startswith("memory") else "wrong"

    def run(self) -> None:
        """Take one more sample."""
        self.cost = _seconds(self.decoder, self.sentences)
        self.samples.append(self.cost)
        self._judge()

    @cached_property
    def work(self) -> Decoding:
        """What the sentences cost at the least."""
        return decoding(
            self.subject.sizes,
            [len(source) for source in self.sentences.sources],
            self.num_tokens,
            beam=self.entry.beam,
            slots=self.at_once,
            width=self.subject.network.output.weight.element_size(),
        )

    @property
    def makes_graphs(self) -> bool:
        """Whether its steps become CUDA graphs."""
        return Engines(self.subject.network, self.decoder.options).makes_graphs

    def take_apart(self, ceilings: Ceilings) -> None:
        """Run once more to see where the time goes; once before that where graphs are to be captured anew."""
        with Phases(self.subject.network) as watch:
            decoder = self.decoder
            if self.makes_graphs:
                decoder = self._new_decoder()
                best_of(decoder, self.sentences)
                watch.forget()
            wall = _seconds(decoder, self.sentences)
            taken = {part: seconds / decoder.num_workers for part, seconds in watch.seconds().items()}
        if self.makes_graphs:  # each step was waited for
            wall = Figure.of(self.samples).median
        self.phases = tuple(self._phases(taken, wall, ceilings))

    def _phases(self, taken: dict[str, float], wall: float, ceilings: Ceilings) -> Iterator[Phase]:
        host = max(wall - sum(taken.values()), 0.0)
        total = sum(taken.values()) + host
        for part, cost in ((ENCODER, self.work.encoder), (DECODER, self.work.decoder), (SEARCH, self.work.search)):
            yield Phase(
                name=part,
                seconds=taken[part],
                share=taken[part] / total,
                bytes=cost.bytes,
                flops=cost.flops,
                fraction=self._least(cost, ceilings) / taken[part] if taken[part] else None,
            )
        yield Phase(name=HOST, seconds=host, share=host / total)

    def _least(self, cost: Cost, ceilings: Ceilings) -> float:
        dtype = dtype_name(self.subject.network.output.weight.dtype)
        return cost.floor(ceilings.bytes_per_second, ceilings.flops_per_second.get(dtype))

    def row(self, ceilings: Ceilings) -> Decoded:
        head = {"beam": self.entry.beam, "slots": self.at_once, "status": self.status, "why": self.why}
        if self.status != "right":
            return Decoded.model_validate(head)
        src, tgt = sum(len(source) for source in self.sentences.sources), sum(self.num_tokens)
        seconds, total = Figure.of(self.samples), self.work.total

        def rate(count: int) -> Figure:
            return Figure.of([count / sample for sample in self.samples])

        found = {
            "sentences": len(self.num_tokens),
            "src_tokens": src,
            "tgt_tokens": tgt,
            "seconds": seconds,
            "tgt_tokens_per_second": rate(tgt),
            "src_tokens_per_second": rate(src),
            "sentences_per_second": rate(len(self.num_tokens)),
            "peak_gib": None if self.peak is None else self.peak / GIB,
            "bytes": total.bytes,
            "flops": total.flops,
            "fraction": self._least(total, ceilings) / seconds.median,
            "phases": self.phases,
        }
        return Decoded.model_validate(head | found)


def _seconds(decoder: EnginePool, sentences: Sentences) -> float:
    """Of one run, to its end: hypotheses come back when the device has found them."""
    start = time.perf_counter()
    decoder.decode(sentences.sources, sentences.limits)
    return time.perf_counter() - start
