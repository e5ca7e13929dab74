"""A model as all contestants read it: a JSON description beside a safetensors file with mtcli's names.

{"directory": the model directory, "weights": its weights, "model": mtcli's model settings,
 "vocabulary": {"source", "target", "shared"}, "start": the decoder's first input, "eos": ends a sentence,
 "banned": [never generated], "num_positions": tokens a side that positions exist for,
 "ct2", "hf": what `mtcli export` made of it, where that was asked for}
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

Array = NDArray[np.float32]


class Weights:
    """The parameters by mtcli's names, shared matrices under each of their names.

    Attributes:
        description: the whole JSON; model: its model settings.
    """

    def __init__(self, path: str) -> None:
        self.description: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
        self.model: dict[str, Any] = self.description["model"]
        self._tensors: dict[str, Array] = load_file(self.description["weights"])
        tied = self.model["tied_embeddings"]
        if tied != "none":
            self._tensors["output.weight"] = self._tensors["tgt_embedding.tokens.weight"]
        if tied == "all":
            self._tensors["src_embedding.tokens.weight"] = self._tensors["tgt_embedding.tokens.weight"]
            if "tgt_embedding.positions" in self._tensors:
                self._tensors["src_embedding.positions"] = self._tensors["tgt_embedding.positions"]

    def __getitem__(self, name: str) -> Array:
        return self._tensors[name]

    def size(self, stack: str, name: str) -> int:
        """Return `heads` or `ffn_dim` of `encoder` or `decoder`."""
        own = self.model.get(f"{stack}_{name}") if stack == "decoder" else None
        return int(own or self.model[name])

    @property
    def scales_embeddings(self) -> bool:
        """Whether token vectors are multiplied by the root of their width."""
        return bool(self.model.get("scale_embeddings", True))

    def positions(self, side: str) -> Array:
        """Return [num_positions, d] of `src` or `tgt`: learned, or sines in the first half of the channels, then
        cosines."""
        if self.model["positions"] == "learned":
            return self._tensors[f"{side}_embedding.positions"]
        width: int = self.model["d_model"]
        frequencies = 10000.0 ** (-np.arange(0, width, 2) / width)
        angles = np.arange(self.description["num_positions"])[:, None] * frequencies
        return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)

    def layers(self, stack: str) -> Iterator[str]:
        """Yield the names' beginnings of the layers of `encoder` or `decoder`."""
        for index in range(self.model[f"{stack}_layers"]):
            yield f"{stack}.layers.{index}"
