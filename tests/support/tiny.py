"""A model that learnt nothing: its output is as wild as output can be, bytes that are no text included."""

from functools import cache
from pathlib import Path

import torch
from support.sentences import small_tokenizer

from mtcli.config import DecodingConfig, ModelConfig
from mtcli.data.tokenizer import Tokenizers
from mtcli.model.transformer import Transformer
from mtcli.model_directory.description import Architecture, write_description
from mtcli.model_directory.loading import LoadedModel
from mtcli.model_directory.weights import parameters_of, weights_bytes


@cache
def untrained_model(max_length: int = 16, seed: int = 1) -> LoadedModel:
    """A network of two layers a side that reads at most `max_length` tokens at once, the end token included."""
    tokenizers = Tokenizers(small_tokenizer(), small_tokenizer())
    config = ModelConfig(
        encoder_layers=2, decoder_layers=2, d_model=16, ffn_dim=16, heads=2, max_length=max_length, dropout=0.0
    )
    decoding = DecodingConfig(beam_size=2, max_length_ratio=1.0, max_length_extra=2)
    architecture = Architecture(config, tokenizers.sizes, decoding)
    torch.manual_seed(seed)
    network = Transformer(config, architecture.vocabulary)
    return LoadedModel(network.eval(), tokenizers, architecture)


def write_untrained(directory: Path) -> Path:
    """`untrained_model` as a model directory."""
    model = untrained_model()
    write_description(directory, model.architecture, model.tokenizers)
    (directory / "model.safetensors").write_bytes(weights_bytes(parameters_of(model.network)))
    return directory
