"""mtcli as a contestant: python -m benchmarks.questions.decoding.ours."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks.contest.machine import versions
from benchmarks.peers.engine import Contestant, Outcome, Settings, Work
from mtcli import Translator
from mtcli.config import ModelConfig, VocabularySizes
from mtcli.data.tokenizer import Tokenizer
from mtcli.decoding.pool import Decoder
from mtcli.decoding.search import Hypothesis, SearchOptions
from mtcli.devices import DTYPES, dtype_name, resolve_dtype
from mtcli.model.transformer import Transformer
from mtcli.model_directory.tokenizers import load_tokenizers
from mtcli.model_directory.weights import load_weights
from mtcli_kernels.packing import Packing

CPU = torch.device("cpu")


class Ours:
    """Settings: "dtype", "independent", "lines" (through the translator, from text to text).

    Decoders are kept: what they learn about the machine when they meet a shape first is no part of a later call.
    """

    def facts(self) -> dict[str, Any]:
        automatic = dtype_name(resolve_dtype("auto", CPU))
        return {"versions": versions(), "dtypes": list(dict.fromkeys(["float32", automatic]))}

    def refusal(self, description: str) -> str | None:
        return None

    def load(self, description: str, threads: int) -> None:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(True)
        self._description: dict[str, Any] = json.loads(Path(description).read_text(encoding="utf-8"))
        self._networks: dict[tuple[Any, ...], Transformer] = {}  # by what must not be shared
        self._decoders: dict[tuple[Any, ...], Decoder] = {}
        self._translators: dict[str, Translator] = {}

    def prepare(self, settings: Settings) -> None:
        self._settings, dtype = settings, settings["dtype"]
        if settings["lines"] and dtype not in self._translators:
            directory = self._description["directory"]
            self._translators[dtype] = Translator(directory, device="cpu", dtype=dtype, independent=True)
        key = dtype, settings["independent"]  # which packs other weights
        if key not in self._networks:
            self._networks[key] = load_network(self._description).to(DTYPES[dtype])

    def ready(self, work: Work, beam: int) -> Callable[[], Any]:
        if self._settings["lines"]:
            translator = self._translators[self._settings["dtype"]]
            return lambda: [found.text for found in translator.translate(work.lines, beam_size=beam)]
        decoder = self._decoder(work, beam)
        return lambda: decoder.decode(work.sources, work.limits)

    def _decoder(self, work: Work, beam: int) -> Decoder:
        dtype, independent = self._settings["dtype"], self._settings["independent"]
        options = search_options(self._description, work, beam)
        key = (dtype, independent, options)
        if key not in self._decoders:
            self._decoders[key] = Decoder(self._networks[dtype, independent], options, independent=independent)
        return self._decoders[key]

    def outcome(self, decoded: Any, work: Work) -> Outcome:
        if self._settings["lines"]:
            tokenizer: Tokenizer = load_tokenizers(Path(self._description["directory"])).tgt
            return Outcome([], decoded, sum(len(tokenizer.encode(text)) + 1 for text in decoded))
        best: list[Hypothesis] = [hypotheses[0] for hypotheses in decoded]
        return Outcome([found.tokens for found in best], [], sum(found.num_tokens for found in best))

    @torch.inference_mode()
    def score(self, sources: list[list[int]], targets: list[list[int]]) -> list[float]:
        network = load_network(self._description)
        start, eos = self._description["start"], self._description["eos"]
        src = Packing.of([len(source) for source in sources], CPU)
        tgt = Packing.of([len(target) + 1 for target in targets], CPU)
        tokens = torch.tensor([token for source in sources for token in source])
        inputs = torch.tensor([token for target in targets for token in (start, *target)])
        wanted = torch.tensor([token for target in targets for token in (*target, eos)])
        logits = network.output(network(tokens, src, inputs, tgt))
        scores = logits.log_softmax(-1).gather(1, wanted[:, None]).flatten()
        return [float(part.sum()) for part in scores.split([len(target) + 1 for target in targets])]


def search_options(description: dict[str, Any], work: Work, beam: int) -> SearchOptions:
    """How mtcli searches for this work; forced outputs are all as long as the longest limit."""
    return SearchOptions(
        beam_size=beam,
        length_penalty=work.length_penalty,
        start_id=description["start"],
        eos_id=description["eos"],
        banned=tuple(description["banned"]),
        min_tokens=max(work.limits) - 1 if work.forced else 1,
    )


def load_network(description: dict[str, Any]) -> Transformer:
    """The described model in float32, in evaluation mode."""
    network = Transformer.skeleton(
        ModelConfig.model_validate(description["model"]), VocabularySizes(**description["vocabulary"])
    )
    network.allocate(CPU)
    load_weights(network, Path(description["weights"]))
    return network.eval()


if __name__ == "__main__":
    Contestant(Ours()).serve()
