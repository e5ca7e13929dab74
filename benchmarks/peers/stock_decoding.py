"""Stock PyTorch as a contestant in decoding: python -m benchmarks.peers.stock_decoding; on mtcli's Python, too."""

import copy
import dataclasses
import platform
from collections.abc import Callable
from typing import Any

import torch

from benchmarks.peers.engine import Contestant, Outcome, Settings, Work, batches
from benchmarks.peers.stock import StockTransformer, stock_transformer
from benchmarks.peers.stock_search import Halves, Rules, Sentences, beam_search, greedy
from benchmarks.peers.weights import Weights

COMPILED_STEPS = 3  # the first two have kinds of their own: nothing is cached yet, and one token is


class StockDecoder:
    """Settings: "dtype" (float32, bfloat16), "batch" (sentences), "compiled" (the backend of torch.compile, if any).

    What was compiled is kept for the same settings.
    """

    _weights: Weights
    _network: StockTransformer

    def facts(self) -> dict[str, Any]:
        return {
            "versions": {"python": platform.python_version(), "torch": torch.__version__},
            "dtypes": ["float32", "bfloat16"],
        }

    def refusal(self, description: str) -> str | None:
        return None

    def load(self, description: str, threads: int) -> None:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(True)
        self._weights = Weights(description)
        self._network = stock_transformer(self._weights).eval()
        self._all_halves: dict[tuple[str, str | None], Halves] = {}

    def prepare(self, settings: Settings) -> None:
        self._batch: int = settings["batch"]
        key = settings["dtype"], settings.get("compiled")
        if key not in self._all_halves:
            dtype, backend = key
            self._all_halves[key] = Halves(copy.deepcopy(self._network).to(getattr(torch, dtype)), backend)
        self._halves, self._compiles = self._all_halves[key], key[1] is not None

    def ready(self, work: Work, beam: int) -> Callable[[], Any]:
        if self._compiles:  # all that it will need
            steps = [min(limit, COMPILED_STEPS) for limit in work.limits]
            self._decode(dataclasses.replace(work, limits=steps, forced=True), beam)
        return lambda: self._decode(work, beam)

    @torch.inference_mode()
    def _decode(self, work: Work, beam: int) -> list[list[int]]:
        rules, outputs = self._rules(work), [list[int]() for _ in work.sources]
        for part in batches([len(source) for source in work.sources], self._batch):
            batch = self._padded([work.sources[place] for place in part], [work.limits[place] for place in part])
            halves = self._halves
            found = greedy(halves, batch, rules) if beam == 1 else beam_search(halves, batch, rules, beam)
            for place, output in zip(part, found, strict=True):
                outputs[place] = output
        return outputs

    def outcome(self, decoded: list[list[int]], work: Work) -> Outcome:
        return Outcome(decoded, [], sum(len(output) + 1 for output in decoded))

    @torch.inference_mode()
    def score(self, sources: list[list[int]], targets: list[list[int]]) -> list[float]:
        start, eos = self._weights.description["start"], self._weights.description["eos"]
        scores = []
        for source, target in zip(sources, targets, strict=True):
            batch = self._padded([source], [len(target) + 1])
            wanted = torch.tensor([*target, eos])
            logits = self._network(batch.src, batch.src_mask, torch.tensor([[start, *target]]))[0]
            scores.append(float(logits.log_softmax(-1).gather(1, wanted[:, None]).sum()))
        return scores

    def _rules(self, work: Work) -> Rules:
        description = self._weights.description
        banned = torch.zeros(description["vocabulary"]["target"], dtype=torch.bool)
        banned[description["banned"]] = True
        return Rules(
            start=description["start"],
            eos=description["eos"],
            banned=banned,
            forced=work.forced,
            length_penalty=work.length_penalty,
        )

    def _padded(self, sources: list[list[int]], limits: list[int]) -> Sentences:
        rows = [torch.tensor(source) for source in sources]
        src = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=self._weights.description["eos"])
        src_mask = torch.arange(src.shape[1]) < torch.tensor([len(source) for source in sources])[:, None]
        return Sentences(src=src, src_mask=src_mask, limits=torch.tensor(limits))


if __name__ == "__main__":
    Contestant(StockDecoder()).serve()
