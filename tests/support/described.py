"""Small models with random weights, described as a benchmark's contestants read them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.questions.models import describe, word_pieces
from mtcli.config import DecodingConfig, ModelConfig, VocabularySizes
from mtcli.data.tokenizer import EOS_ID, Tokenizer, Tokenizers
from mtcli.model.transformer import Transformer
from mtcli.model_directory.description import Architecture, write_description
from mtcli.model_directory.files import WEIGHTS
from mtcli.model_directory.weights import parameters_of, weights_bytes

PIECES = 24
SMALL: dict[str, Any] = {"encoder_layers": 1, "decoder_layers": 2, "d_model": 16, "ffn_dim": 24, "heads": 2}


def write_described(
    folder: Path,
    *,
    banned: Sequence[int] | None = None,
    end: float = 0.0,
    spread: float = 0.6,
    seed: int = 1,
    peers: Sequence[str] = (),
    **settings: Any,
) -> str:
    """Write a model directory and return its description's path.

    Args:
        folder: where they are written.
        banned: tokens that are never generated, where they are not those of the tokenizer.
        end: added to the end token's logit where the model has `output_bias`.
        spread: deviation of the numbers in matrices.
        seed: of all numbers.
        peers: for whom it is exported.
        settings: of the model, where they are not those of `SMALL` or the defaults.
    """
    torch.manual_seed(seed)
    config = ModelConfig(**SMALL | settings)
    sizes = VocabularySizes(source=PIECES, target=PIECES, shared=True)
    network = Transformer(config, sizes)
    for name, parameter in network.named_parameters():  # so that what is written depends on all of them
        torch.nn.init.normal_(
            parameter, mean=float(name.endswith("norm.weight")), std=0.1 if parameter.ndim == 1 else spread
        )
    if network.output.bias is not None:
        network.output.bias.data[EOS_ID] += end
    directory = folder / "model"
    directory.mkdir(parents=True)
    (directory / "tokenizer.model").write_bytes(word_pieces(PIECES))
    tokenizer = Tokenizer.from_file(directory / "tokenizer.model")
    write_description(directory, Architecture(config, sizes, DecodingConfig()), Tokenizers(tokenizer, tokenizer))
    (directory / WEIGHTS).write_bytes(weights_bytes(parameters_of(network)))
    _, path, _ = describe(folder, directory, "small", peers)
    if banned is not None:
        content = json.loads(path.read_text(encoding="utf-8")) | {"banned": list(banned)}
        path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)
