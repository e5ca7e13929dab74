"""Hugging Face's MarianMTModel as a contestant in training: python -m benchmarks.peers.marian_training [DEVICE]; cpu or cuda."""

import sys
from importlib import metadata
from typing import Any

from torch import Tensor, nn

from benchmarks.peers.marian import convert
from benchmarks.peers.plain import Padded, PlainLearner
from benchmarks.peers.training import Training
from benchmarks.peers.weights import Weights


class MarianLearner(PlainLearner):
    """Its loss is PyTorch's: Marian's own knows no label smoothing."""

    def facts(self) -> dict[str, Any]:
        versions = super().facts()["versions"]
        return {"versions": {**versions, "transformers": metadata.version("transformers")}}

    def build(self, weights: Weights) -> nn.Module:
        network: nn.Module = convert(weights, tied=True)
        return network

    def logits(self, batch: Padded) -> Tensor:
        found: Tensor = self.network(
            input_ids=batch.src, attention_mask=batch.src_mask.long(), decoder_input_ids=batch.tgt, use_cache=False
        ).logits
        return found


if __name__ == "__main__":
    Training(MarianLearner(*sys.argv[1:])).serve()
