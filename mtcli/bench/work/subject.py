"""The model that is measured: a preset with random weights, or a model directory."""

from dataclasses import dataclass
from pathlib import Path

import torch

from mtcli.bench.arithmetic.transformer_cost import Sizes
from mtcli.bench.asked import Asked
from mtcli.bench.records.record import Model
from mtcli.bench.work.sentences import Words
from mtcli.config import DecodingConfig, VocabularySizes, load_config
from mtcli.data.tokenizer import BOS_ID
from mtcli.decoding.search import SearchOptions
from mtcli.decoding.translator import search_options
from mtcli.model.transformer import Transformer
from mtcli.model_directory.loading import LoadedModel, load_model

VOCABULARY, TOY_VOCABULARY = 32_000, 100


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A network and what is said and asked of it.

    Attributes:
        network: in evaluation mode.
        loaded: the model directory; None where the weights are random.
        src, tgt: what random sentences of either side are made of.
        decoding: its settings.
        start_id: what the decoder reads first.
        record: as results tell it.
    """

    network: Transformer
    loaded: LoadedModel | None
    src: Words
    tgt: Words
    decoding: DecodingConfig
    start_id: int
    record: Model

    @property
    def sizes(self) -> Sizes:
        return Sizes.of(self.network.config, self.network.vocabulary.target)

    def search(self, beam: int) -> SearchOptions:
        """How a user's lines are searched."""
        if self.loaded is not None:
            config = self.decoding.model_copy(update={"beam_size": beam})
            return search_options(config, self.loaded.tokenizers.tgt)
        return SearchOptions(
            beam_size=beam,
            length_penalty=self.decoding.length_penalty,
            start_id=self.start_id,
            eos_id=self.tgt.eos_id,
        )


def opened(asked: Asked, device: torch.device, dtype: torch.dtype) -> Subject:
    """The model that was asked for, in this number type on this device.

    Raises:
        MtcliError: there is no such preset, or the directory is no model.
    """
    if asked.model is not None:
        return loaded_subject(asked.model, device, dtype)
    vocab_size = TOY_VOCABULARY if asked.toy else VOCABULARY
    return random_subject(asked.preset, vocab_size, asked.seed, device, dtype)


def random_network(preset: str, vocab_size: int, seed: int) -> Transformer:
    """A preset's shape with a joint vocabulary and random weights, in float32 on the CPU.

    Raises:
        ConfigError: there is no such preset.
    """
    vocabulary = VocabularySizes(source=vocab_size, target=vocab_size, shared=True)
    torch.manual_seed(seed)
    return Transformer(load_config(preset).model, vocabulary)


def random_subject(preset: str, vocab_size: int, seed: int, device: torch.device, dtype: torch.dtype) -> Subject:
    """A preset with random weights.

    Raises:
        ConfigError: there is no such preset.
    """
    network = random_network(preset, vocab_size, seed).to(device, dtype).eval()
    words = Words.of(vocab_size)
    return Subject(
        network=network,
        loaded=None,
        src=words,
        tgt=words,
        decoding=load_config(preset).decoding,
        start_id=BOS_ID,
        record=_record(network, preset, random=True),
    )


def loaded_subject(directory: Path, device: torch.device, dtype: torch.dtype) -> Subject:
    """A model directory.

    Raises:
        CheckpointError: the directory is no model, or damaged.
        DataError: a tokenizer file is no SentencePiece model.
    """
    loaded = load_model(directory, device, dtype)
    src, tgt = loaded.tokenizers.src, loaded.tokenizers.tgt
    return Subject(
        network=loaded.network,
        loaded=loaded,
        src=Words.known_to(src),
        tgt=Words.known_to(tgt),
        decoding=loaded.architecture.decoding,
        start_id=tgt.start_id,
        record=_record(loaded.network, directory.resolve().name, random=False),
    )


def _record(network: Transformer, name: str, *, random: bool) -> Model:
    config = network.config
    return Model(
        name=name,
        parameters=network.num_parameters(),
        vocabulary=network.vocabulary.target,
        encoder_layers=config.encoder_layers,
        decoder_layers=config.decoder_layers,
        d_model=config.d_model,
        random=random,
    )
