"""Small models with random weights, described as a benchmark's contestants read them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from mtcli.config import ModelConfig, VocabularySizes
from mtcli.data.tokenizer import BOS_ID, EOS_ID
from mtcli.model.transformer import Transformer
from mtcli.model_directory.weights import parameters_of, weights_bytes

PIECES = 24
SMALL: dict[str, Any] = {"encoder_layers": 1, "decoder_layers": 2, "d_model": 16, "ffn_dim": 24, "heads": 2}


def write_described(
    folder: Path, *, banned: Sequence[int] = (), end: float = 0.0, spread: float = 0.6, seed: int = 1, **settings: Any
) -> str:
    """The description's path.

    Args:
        folder: where it is written, beside the weights.
        banned: tokens that are never generated.
        end: added to the end token's logit where the model has `output_bias`.
        spread: deviation of the numbers in matrices.
        seed: of all numbers.
        settings: of the model, where they are not those of `SMALL` or the defaults.
    """
    torch.manual_seed(seed)
    config = ModelConfig(**SMALL | settings)
    vocabulary: dict[str, Any] = {"source": PIECES, "target": PIECES, "shared": config.tied_embeddings == "all"}
    network = Transformer(config, VocabularySizes(**vocabulary))
    for name, parameter in network.named_parameters():  # so that what is written depends on all of them
        torch.nn.init.normal_(
            parameter, mean=float(name.endswith("norm.weight")), std=0.1 if parameter.ndim == 1 else spread
        )
    if network.output.bias is not None:
        network.output.bias.data[EOS_ID] += end
    (folder / "weights").write_bytes(weights_bytes(parameters_of(network)))
    description = {
        "weights": str(folder / "weights"),
        "model": config.model_dump(),
        "vocabulary": vocabulary,
        "start": BOS_ID,
        "eos": EOS_ID,
        "banned": list(banned),
        "num_positions": network.max_positions,
        "directory": None,
    }
    path = folder / "description.json"
    path.write_text(json.dumps(description), encoding="utf-8")
    return str(path)
