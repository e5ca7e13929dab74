"""Stock PyTorch as a decoder: python -m benchmarks.peers.stock_decoding [DEVICE]; cpu or cuda."""

import copy
import dataclasses
import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from benchmarks.peers.engine import Decoder, Outcome, Settings, Work
from benchmarks.peers.padded import Decoded, PaddedEngine, mask_of, pad
from benchmarks.peers.stock import stock_transformer
from benchmarks.peers.stock_search import Halves, Rules, Sentences, beam_search, greedy

COMPILED_STEPS = 3  # the first two have kinds of their own: nothing is cached yet, and one token is


class StockDecoder(PaddedEngine):
    """Settings beside a padded engine's: "compiled" (the backend of torch.compile, if any).

    What was compiled is kept for the same settings.
    """

    packages = ()

    def build(self) -> None:
        self._network = stock_transformer(self.weights).eval().to(self.device)
        self._all_halves: dict[tuple[str, str | None], Halves] = {}

    def prepare(self, settings: Settings) -> None:
        super().prepare(settings)
        key = settings["dtype"], settings.get("compiled")
        if key not in self._all_halves:
            dtype, backend = key
            self._all_halves[key] = Halves(copy.deepcopy(self._network).to(getattr(torch, dtype)), backend)
        self._halves, self._compiles = self._all_halves[key], key[1] is not None

    def ready(self, work: Work, beam: int) -> Callable[[], Any]:
        if self._compiles:  # all that it will need
            steps = [min(limit, COMPILED_STEPS) for limit in work.limits]
            super().ready(dataclasses.replace(work, limits=steps, forced=True), beam)()
        return super().ready(work, beam)

    def search(self, sources: list[list[int]], limits: list[int], work: Work, beam: int) -> list[list[int]]:
        src, src_mask = pad(sources, self.eos).to(self.device), mask_of(sources).to(self.device)
        batch = Sentences(src=src, src_mask=src_mask, limits=torch.tensor(limits, device=self.device))
        banned = torch.zeros(self.weights.description["vocabulary"]["target"], dtype=torch.bool, device=self.device)
        banned[self.banned] = True
        rules = Rules(
            start=self.start, eos=self.eos, banned=banned, forced=work.forced, length_penalty=work.length_penalty
        )
        if beam == 1:
            return greedy(self._halves, batch, rules)
        return beam_search(self._halves, batch, rules, beam)

    def outcome(self, decoded: Decoded, work: Work) -> Outcome:
        """Its last forced token is the end token, as mtcli's is."""
        found = super().outcome(decoded, work)
        return dataclasses.replace(found, num_tokens=sum(len(output) + 1 for output in found.outputs))

    def logits(self, source: list[int], inputs: list[int]) -> Tensor:
        src, tgt = (torch.tensor([side], device=self.device) for side in (source, inputs))
        found: Tensor = self._network(src, torch.ones_like(src, dtype=torch.bool), tgt)[0]
        return found


if __name__ == "__main__":
    Decoder(StockDecoder(*sys.argv[1:])).serve()
