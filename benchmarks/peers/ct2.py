"""CTranslate2 on what `mtcli export ctranslate2` wrote: python -m benchmarks.peers.ct2 [DEVICE]; cpu or cuda."""

import json
import os
import platform
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import ctranslate2

from benchmarks.peers.engine import Decoder, Outcome, Settings, Work


class CTranslate2:
    """Settings: "dtype" (a compute type), "batch" (sentences), "inter_threads", "intra_threads"."""

    _translator: Any

    def __init__(self, device: str = "cpu") -> None:
        self._device = device

    def facts(self) -> dict[str, Any]:
        return {
            "versions": {"python": platform.python_version(), "ctranslate2": metadata.version("ctranslate2")},
            "dtypes": sorted(ctranslate2.get_supported_compute_types(self._device)),
        }

    def load(self, description: str, threads: int) -> None:
        described = json.loads(Path(description).read_text(encoding="utf-8"))
        self._model, self._threads = Path(described["ct2"]), threads
        self._source, self._target = self._vocabulary("source"), self._vocabulary("target")
        self._ids = {piece: number for number, piece in enumerate(self._target)}

    def _vocabulary(self, side: str) -> list[str]:
        own, shared = (self._model / f"{name}_vocabulary.json" for name in (side, "shared"))
        found: list[str] = json.loads((own if own.exists() else shared).read_text(encoding="utf-8"))
        return found

    def prepare(self, settings: Settings) -> None:
        self._batch = settings["batch"]
        self._translator = None  # frees the old one's threads first
        self._translator = self._open(settings["dtype"], settings["inter_threads"], settings["intra_threads"])

    def _open(self, compute_type: str, inter_threads: int, intra_threads: int) -> Any:
        threads = {"inter_threads": inter_threads, "intra_threads": intra_threads}
        return ctranslate2.Translator(str(self._model), device=self._device, compute_type=compute_type, **threads)

    def _pieces(self, sources: list[list[int]]) -> list[list[str]]:
        """What is to be translated; the model adds the end token itself."""
        return [[self._source[token] for token in source[:-1]] for source in sources]

    def ready(self, work: Work, beam: int) -> Callable[[], Any]:
        sources, longest = self._pieces(work.sources), max(work.limits)
        # Where an end token may not come, all steps go to other tokens: its limit does not count the end token.
        return lambda: self._translator.translate_batch(
            sources,
            max_batch_size=self._batch,
            beam_size=beam,
            length_penalty=work.length_penalty,
            max_decoding_length=longest,
            min_decoding_length=longest if work.forced else 1,
        )

    def outcome(self, decoded: Any, work: Work) -> Outcome:
        return Outcome.of([[self._ids[piece] for piece in result.hypotheses[0]] for result in decoded], work)

    def score(self, sources: list[list[int]], targets: list[list[int]]) -> list[float]:
        pieces = [[self._target[token] for token in target] for target in targets]
        scored = self._open("float32", 1, self._threads).score_batch(self._pieces(sources), pieces)
        return [sum(result.log_probs) for result in scored]


if __name__ == "__main__":
    os.environ.setdefault("CT2_VERBOSE", "-1")
    Decoder(CTranslate2(*sys.argv[1:])).serve()
