"""Whole sentences decoded at once: a contestant for each number of slots and each beam."""

import time
from collections.abc import Sequence
from functools import cached_property

import torch

from mtcli.bench.contest import ContestantError, Figure
from mtcli.bench.contest.failures import told
from mtcli.bench.contest.memory import Peak
from mtcli.bench.roofline.formulas import Cost
from mtcli.bench.roofline.transformer_cost import decoding
from mtcli.bench.translation.checks import best_of
from mtcli.bench.translation.phases import DecodingPhases
from mtcli.bench.workload.contest import WorkContestant, memory_figures
from mtcli.bench.workload.model import BenchModel
from mtcli.bench.workload.sentences import SourceSentences
from mtcli.decoding.pool import EnginePool
from mtcli.decoding.stream import FAIR_SHARE

HOST = "host"


class DecodingContestant(WorkContestant):
    """So many sentences at once with so many hypotheses; the layout may want a few more or fewer.

    Args:
        model: what decodes.
        pool: sentences to take from.
        beam, slots: what is asked for.
        refills: sentences for each slot, so that slots are filled again; at least `fewest` for one figure.
    """

    work = "decoding"

    def __init__(
        self, model: BenchModel, pool: SourceSentences, beam: int, slots: int, refills: int, fewest: int = 2
    ) -> None:
        self.beam, self.slots, self.dtype = beam, slots, model.dtype
        self.name = f"beam {beam}, {slots} at once"
        self.size = beam * max(refills * slots, fewest)  # hypotheses of all sentences
        self._model, self._pool, self._refills, self._fewest = model, pool, refills, fewest
        self._num_tokens: list[int] = []
        self._peak: int | None = None

    @property
    def case(self) -> str:
        return f"beam {self.beam}, {self.at_once if self._num_tokens else self.slots} at once"

    @cached_property
    def decoder(self) -> EnginePool:
        return self._new_decoder()

    def _new_decoder(self) -> EnginePool:
        options = self._model.searched(self._pool, self.beam)
        decoder = self._model.pool(options, max_slots=self.slots)
        if decoder.num_workers == 1:
            return decoder
        # More threads than that would have no sentences
        workers = max(1, min(decoder.num_workers, self.slots // FAIR_SHARE))
        return self._model.pool(options, num_workers=workers, max_slots=-(-self.slots // workers))

    @cached_property
    def at_once(self) -> int:
        """Sentences that are really decoded at once."""
        with told(self.name):
            return self.decoder.slots * self.decoder.num_workers

    @cached_property
    def sentences(self) -> SourceSentences:
        """Those of one run."""
        return self._pool.first(max(self._refills * self.at_once, self._fewest))

    def warm_up(self, network_bytes: int) -> None:
        """Run once, for what the first run does once, and see how much memory it takes beside other contestants.

        Args:
            network_bytes: of the network on a GPU.
        """
        device, at_once = self._model.device, self.at_once
        with told(self.name):
            others = torch.cuda.memory_allocated(device) - network_bytes if device.type == "cuda" else 0
            peak = Peak(device)
            self._num_tokens = [one.num_tokens for one in best_of(self.decoder, self.sentences)]
            self._peak = None if peak.bytes is None else peak.bytes - others
        self._judge(at_once)

    def _judge(self, at_once: int) -> None:
        if self.decoder.slots * self.decoder.num_workers < at_once:
            raise ContestantError("memory did not suffice for so many sentences at once", "out of memory")
        if self.sentences.forced and self._num_tokens != list(self.sentences.limits):
            found, wanted = sum(self._num_tokens), sum(self.sentences.limits)
            why = f"it decoded {found} target tokens where {wanted} were forced: the work is not the same"
            raise ContestantError(why, "wrong")

    def seconds(self) -> float:
        """Of one run, to its end: hypotheses come back when the device has found them."""
        with told(self.name):
            seconds = self._run(self.decoder)
        self._judge(self.at_once)
        return seconds

    def _run(self, decoder: EnginePool) -> float:
        start = time.perf_counter()
        decoder.decode(self.sentences.sources, self.sentences.limits)
        return time.perf_counter() - start

    @cached_property
    def costs(self) -> dict[str, Cost]:
        sources = [len(source) for source in self.sentences.sources]
        width = self._model.network.output.weight.element_size()
        shape = {"beam": self.beam, "slots": self.at_once, "width": width}
        return decoding(self._model.sizes, sources, self._num_tokens, **shape)

    def part_seconds(self, usual: float) -> dict[str, float]:
        makes_graphs = self._model.makes_graphs(self.decoder.options)
        with told(self.name), DecodingPhases(self._model.network) as watch:
            decoder = self.decoder
            if makes_graphs:  # they are captured anew
                decoder = self._new_decoder()
                best_of(decoder, self.sentences)
                watch.forget()
            wall = self._run(decoder)
            taken = {part: seconds / decoder.num_workers for part, seconds in watch.seconds().items()}
        if makes_graphs:  # each step was waited for
            wall = usual
        return taken | {HOST: max(wall - sum(taken.values()), 0.0)}

    def figures(self, seconds: Sequence[float]) -> dict[str, Figure]:
        counts = {
            "target tokens/s": sum(self._num_tokens),
            "source tokens/s": sum(map(len, self.sentences.sources)),
            "sentences/s": len(self._num_tokens),
        }
        rates = {name: Figure.of([count / taken for taken in seconds]) for name, count in counts.items()}
        return rates | memory_figures(self._peak)
