"""mtcli as a decoder: python -m benchmarks.questions.ours [DEVICE]; cpu or cuda."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks.peers.engine import Decoder, Outcome, Settings, Work
from benchmarks.peers.padded import log_probs
from mtcli import Translator
from mtcli.bench.host import installed_versions
from mtcli.decoding.engines import Engines
from mtcli.decoding.engines.native import NativeEngines
from mtcli.decoding.engines.torch import TorchEngines
from mtcli.decoding.pool import EnginePool
from mtcli.decoding.search import SearchOptions
from mtcli.devices import DTYPES, decoding_dtype, dtype_name
from mtcli.model.transformer import Transformer
from mtcli.model_directory.loading import LoadedModel, load_model
from mtcli.model_directory.model import StoredModel
from mtcli_kernels.packing import Packing


class Ours:
    """Settings: "dtype", "engine" ("native" or "torch"), "lines" (through the translator, from text to text), and on a
    GPU "independent", "batch" (slots) and "graphs".

    Pools are kept: what they learn about the machine when they meet a shape first is no part of a later call.
    """

    def __init__(self, device: str = "cpu") -> None:
        self._device = torch.device(device)

    def facts(self) -> dict[str, Any]:
        other = "int8" if self._device.type == "cpu" else dtype_name(decoding_dtype("auto", self._device))
        types = ["float32", other]
        return {"versions": installed_versions(), "dtypes": list(dict.fromkeys(types))}

    def load(self, description: str, threads: int) -> None:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(True)
        self._description: dict[str, Any] = json.loads(Path(description).read_text(encoding="utf-8"))
        self._networks: dict[str, Transformer] = {}  # by number type
        self._pools: dict[tuple[Any, ...], EnginePool] = {}
        self._translators: dict[tuple[str, str], Translator] = {}
        self._stored = StoredModel(Path(self._description["directory"]))

    def _loaded(self, dtype: str = "float32", device: torch.device | None = None) -> LoadedModel:
        return load_model(Path(self._description["directory"]), device or self._device, DTYPES[dtype])

    def prepare(self, settings: Settings) -> None:
        self._settings, dtype = settings, settings["dtype"]
        if settings.get("lines"):
            key = dtype, settings["engine"]
            if key not in self._translators:
                directory, engine = self._description["directory"], settings["engine"]
                self._translators[key] = Translator(directory, device=str(self._device), dtype=dtype, engine=engine)
        elif settings["engine"] == "torch" and dtype not in self._networks:
            self._networks[dtype] = self._loaded(dtype).network

    def ready(self, work: Work, beam: int) -> Callable[[], Any]:
        if self._settings.get("lines"):
            translator = self._translators[self._settings["dtype"], self._settings["engine"]]
            return lambda: [found.text for found in translator.translate(work.lines, beam_size=beam, repair=False)]
        pool = self._pool(work, beam)
        return lambda: pool.decode(work.sources, work.limits)

    def _pool(self, work: Work, beam: int) -> EnginePool:
        options = search_options(self._description, work, beam)
        key = (*sorted(self._settings.items()), options)
        if key not in self._pools:
            self._pools[key] = EnginePool(self._engines(options), max_slots=self._settings.get("batch"))
        return self._pools[key]

    def _engines(self, options: SearchOptions) -> Engines:
        settings = self._settings
        if settings["engine"] == "native":
            return NativeEngines(self._stored, options, dtype=settings["dtype"])
        independent = settings.get("independent", True)
        network = self._networks[settings["dtype"]]
        return TorchEngines(network, options, independent=independent, graphs=settings.get("graphs", True))

    def outcome(self, decoded: Any, work: Work) -> Outcome:
        if self._settings.get("lines"):
            tokenizer = self._loaded(device=torch.device("cpu")).tokenizers.tgt
            return Outcome(texts=decoded, num_tokens=sum(len(tokenizer.encode(text)) + 1 for text in decoded))
        best = [hypotheses[0] for hypotheses in decoded]
        return Outcome(
            outputs=[found.tokens for found in best],
            num_tokens=sum(found.num_tokens for found in best),
            log_probs=[found.log_prob for found in best],
        )

    @torch.inference_mode()
    def score(self, sources: list[list[int]], targets: list[list[int]], all_tokens: bool = False) -> list[float]:
        """On the CPU, whatever the device: what a GPU finds is compared with this.

        Args:
            sources, targets: as any engine takes them.
            all_tokens: let what is never generated have its probability, as a search's own sums do.
        """
        cpu = torch.device("cpu")
        network = self._loaded(device=cpu).network
        start, eos, banned = (self._description[name] for name in ("start", "eos", "banned"))
        src = Packing.of([len(source) for source in sources], cpu)
        tgt = Packing.of([len(target) + 1 for target in targets], cpu)
        tokens = torch.tensor([token for source in sources for token in source])
        inputs = torch.tensor([token for target in targets for token in (start, *target)])
        wanted = torch.tensor([token for target in targets for token in (*target, eos)])
        scores = log_probs(network.output(network(tokens, src, inputs, tgt)), wanted, [] if all_tokens else banned)
        return [float(part.sum()) for part in scores.split([len(target) + 1 for target in targets])]


def search_options(description: dict[str, Any], work: Work, beam: int) -> SearchOptions:
    """Return how mtcli searches for this work; forced outputs are all as long as the longest limit."""
    return SearchOptions(
        beam_size=beam,
        length_penalty=work.length_penalty,
        start_id=description["start"],
        eos_id=description["eos"],
        banned=tuple(description["banned"]),
        min_tokens=max(work.limits) - 1 if work.forced else 1,
    )


if __name__ == "__main__":
    Decoder(Ours(*sys.argv[1:])).serve()
