"""The model that is measured: a preset with random weights, or a model directory."""

from dataclasses import dataclass, replace

import torch

from mtcli.bench.roofline.transformer_cost import TransformerSizes
from mtcli.bench.settings import BenchSettings
from mtcli.bench.workload.sentences import SourceSentences, Words
from mtcli.config import DecodingConfig, VocabularySizes, load_config
from mtcli.data.tokenizer import BOS_ID
from mtcli.decoding.engines.torch import TorchEngines
from mtcli.decoding.pool import EnginePool
from mtcli.decoding.search import SearchOptions
from mtcli.decoding.translator import search_options
from mtcli.devices import dtype_name
from mtcli.model.transformer import Transformer
from mtcli.model_directory.loading import LoadedModel, load_model

VOCABULARY, TOY_VOCABULARY = 32_000, 100


@dataclass(frozen=True, kw_only=True)
class BenchModel:
    """A network, and what it reads and how it searches.

    Attributes:
        network: in evaluation mode.
        name: of the preset or the directory.
        loaded: the model directory; None where the weights are random.
        src, tgt: what random sentences of either side are made of.
        decoding: its settings.
        start_id: what the decoder reads first.
    """

    network: Transformer
    name: str
    loaded: LoadedModel | None
    src: Words
    tgt: Words
    decoding: DecodingConfig
    start_id: int

    @classmethod
    def of(cls, settings: BenchSettings, device: torch.device, dtype: torch.dtype) -> "BenchModel":
        """The model that was asked for, in this number type on this device.

        Raises:
            ConfigError: there is no such preset.
            CheckpointError: the directory is no model, or damaged.
            DataError: a tokenizer file is no SentencePiece model.
        """
        if settings.model is None:
            vocab_size = TOY_VOCABULARY if settings.toy else VOCABULARY
            return cls.random(settings.preset, vocab_size, settings.seed, device, dtype)
        loaded = load_model(settings.model, device, dtype)
        src, tgt = Words.known_to(loaded.tokenizers.src), Words.known_to(loaded.tokenizers.tgt)
        return cls(
            network=loaded.network,
            name=settings.model.resolve().name,
            loaded=loaded,
            src=src,
            tgt=tgt,
            decoding=loaded.architecture.decoding,
            start_id=loaded.tokenizers.tgt.start_id,
        )

    @classmethod
    def random(cls, preset: str, vocab_size: int, seed: int, device: torch.device, dtype: torch.dtype) -> "BenchModel":
        """A preset with random weights."""
        words = Words.of(vocab_size)
        return cls(
            network=random_network(preset, vocab_size, seed).to(device, dtype).eval(),
            name=preset,
            loaded=None,
            src=words,
            tgt=words,
            decoding=load_config(preset).decoding,
            start_id=BOS_ID,
        )

    @property
    def device(self) -> torch.device:
        return self.network.output.weight.device

    @property
    def sizes(self) -> TransformerSizes:
        return TransformerSizes.of(self.network.config, self.network.vocabulary.target)

    @property
    def dtype(self) -> str:
        """Number type of its weights."""
        return dtype_name(self.network.output.weight.dtype)

    @property
    def words(self) -> str:
        """It in a phrase."""
        config, kind = self.network.config, "random weights" if self.loaded is None else "weights"
        return (
            f"{self.name}, {config.encoder_layers}+{config.decoder_layers} layers of width {config.d_model}, "
            f"{self.network.vocabulary.target:,} pieces, {self.network.num_parameters() / 1e6:.1f} million {kind}"
        )

    def searched(self, sentences: SourceSentences, beam: int) -> SearchOptions:
        """How these sentences are searched: forced outputs are all as long as the longest limit."""
        if self.loaded is not None:
            config = self.decoding.model_copy(update={"beam_size": beam})
            options = search_options(config, self.loaded.tokenizers.tgt)
        else:
            penalty = self.decoding.length_penalty
            options = SearchOptions(
                beam_size=beam, length_penalty=penalty, start_id=self.start_id, eos_id=self.tgt.eos_id
            )
        if not sentences.forced:
            return options
        return replace(options, min_tokens=max(sentences.limits) - 1, stop="full")

    def pool(
        self, options: SearchOptions, *, num_workers: int | None = None, max_slots: int, graphs: bool = True
    ) -> EnginePool:
        """What searches so, with as many workers as suit the machine or are told, and so many sentences for each."""
        engines = TorchEngines(self.network, options, graphs=graphs)
        return EnginePool(engines, num_workers=num_workers, max_slots=max_slots)

    def makes_graphs(self, options: SearchOptions) -> bool:
        """Whether the steps of such a search become CUDA graphs."""
        return TorchEngines(self.network, options).makes_graphs


def random_network(preset: str, vocab_size: int, seed: int) -> Transformer:
    """A preset's shape with a joint vocabulary and random weights, in float32 on the CPU.

    Raises:
        ConfigError: there is no such preset.
    """
    vocabulary = VocabularySizes(source=vocab_size, target=vocab_size, shared=True)
    torch.manual_seed(seed)
    return Transformer(load_config(preset).model, vocabulary)
