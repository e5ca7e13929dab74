"""The encoder-decoder Transformer of "Attention Is All You Need" (Vaswani et al. 2017, arXiv:1706.03762).

Read it from the top: `Transformer` embeds the source, the `Encoder` turns it into one vector a token
(its top layer is called memory), and the `Decoder` writes the target from left to right. In every decoder
layer, masked self-attention makes q, k and v from the target so far; encoder-decoder attention takes q
from the decoder, and k and v from memory through that layer's own W_k and W_v.

Axes: N packed tokens (all sentences end to end), d model width, B sentences, R = slots x beam hypotheses,
T target tokens, S source tokens, V vocabulary.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mtcli.config import ModelConfig, VocabularySizes
from mtcli.model.attention import Attention
from mtcli.model.cache import DecoderCache
from mtcli.model.dropout import Dropout, DropoutMasks
from mtcli.model.parameters import refuse_two_vocabularies
from mtcli_kernels.decoding_layout import BeamPlaces
from mtcli_kernels.packing import Packing

_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": F.relu, "gelu": F.gelu, "silu": F.silu}


class Transformer(nn.Module):
    """Source tokens in, a distribution over the next target token out.

    Raises:
        ConfigError: `tied_embeddings = "all"` with two different vocabularies.
    """

    def __init__(self, config: ModelConfig, vocabulary: VocabularySizes) -> None:
        super().__init__()
        refuse_two_vocabularies(config, vocabulary)
        self.config, self.vocabulary = config, vocabulary
        self.tgt_embedding = Embedding(config, vocabulary.target)
        tied = config.tied_embeddings
        self.src_embedding = self.tgt_embedding if tied == "all" else Embedding(config, vocabulary.source)
        self.output = nn.Linear(config.d_model, vocabulary.target, bias=config.output_bias)
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.dropout_masks = DropoutMasks()
        self.attention = "auto"
        self._initialise()
        self._tie()
        self._number_dropout()

    def _tie(self) -> None:
        if self.config.tied_embeddings != "none":
            self.output.weight = self.tgt_embedding.tokens.weight

    def _number_dropout(self) -> None:
        of_encoder = set(self.encoder.modules())
        layers = [module for module in self.modules() if isinstance(module, Dropout)]
        for number, layer in enumerate(layers):
            layer.masks, layer.layer = self.dropout_masks, number
            layer.side = "src" if layer in of_encoder else "tgt"

    def _initialise(self) -> None:
        if self.output.weight.is_meta:  # a skeleton; and normal_() there costs a second of imports
            return
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=self.config.d_model**-0.5)
            elif isinstance(module, Embedding) and module.learned:
                nn.init.normal_(module.positions, std=self.config.d_model**-0.5)

    def forward(self, src: Tensor, src_packing: Packing, tgt: Tensor, tgt_packing: Packing) -> Tensor:
        """Teacher forcing: [N_tgt, d] decoder states from src [N_src] and tgt [N_tgt], both int64.

        `tgt` is the target shifted right: each sentence starts with the decoder's start token.
        """
        memory = self.encode(src, src_packing)
        return self.decoder(self.tgt_embedding(tgt, tgt_packing.positions), memory, tgt_packing, src_packing)  # type: ignore[no-any-return]

    def encode(self, src: Tensor, packing: Packing) -> Tensor:
        """[N, d]: the encoder's top layer for src [N] int64."""
        return self.encoder(self.src_embedding(src, packing.positions), packing)  # type: ignore[no-any-return]

    def empty_cache(self, slots: int, *, beam: int = 1, max_steps: int = 32, max_source: int = 32) -> DecoderCache:
        """Room for so many sentences at once, each with `beam` hypotheses; it can grow."""
        return DecoderCache.empty(
            self.output.weight,
            layers=self.config.of_decoder.decoder_layers,
            heads=self.config.of_decoder.heads,
            head_dim=self.config.of_decoder.head_dim,
            slots=slots,
            beam=beam,
            max_steps=max_steps,
            max_source=max_source,
        )

    def admit(self, memory: Tensor, packing: Packing, cache: DecoderCache, slots: Tensor) -> None:
        """Begin to translate sentences: project memory [N, d] into every decoder layer's keys and values.

        This happens once, for all steps and hypotheses. The sentences go into slots [B] int64 of the cache.
        """
        views = [layer.cross_attention.project_memory(memory) for layer in self.decoder.layers]
        cache.admit(slots, views, packing)

    def join_projections(self) -> None:
        """Keep W_q, W_k and W_v of the decoder's self-attention as one, as they are now (`Attention.join`).

        To be called again when they have changed. Training undoes it.
        """
        for layer in self.decoder.layers:
            layer.self_attention.join()

    def start(self, memory: Tensor, packing: Packing, *, beam: int = 1, max_steps: int = 32) -> DecoderCache:
        """A cache that holds these sentences, memory [N, d], and has no room for others."""
        size, width = packing.num_sentences, packing.max_length
        cache = self.empty_cache(size, beam=beam, max_steps=max_steps, max_source=width)
        self.admit(memory, packing, cache, torch.arange(size, device=memory.device))
        return cache.first(size, width)

    def step(self, tokens: Tensor, cache: DecoderCache, places: BeamPlaces) -> Tensor:
        """[R, V] logits of the next token after tokens [R] int64, one for each hypothesis of each slot.

        `places` says at which step each slot stands, and where each hypothesis's past lies in the cache.
        """
        positions = places.positions.clamp(min=0).repeat_interleave(places.beam)
        states = self.decoder.step(self.tgt_embedding(tokens, positions), cache, places)
        return self.output(states)  # type: ignore[no-any-return]

    def cross_attention_weights(
        self, src: Tensor, src_packing: Packing, tgt: Tensor, tgt_packing: Packing
    ) -> list[Tensor]:
        """One [B, H, T, S] a decoder layer: which source tokens each target position looked at."""
        memory = self.encode(src, src_packing)
        x = self.tgt_embedding(tgt, tgt_packing.positions)
        return self.decoder.cross_attention_weights(x, memory, tgt_packing, src_packing)

    @classmethod
    def skeleton(cls, config: ModelConfig, vocabulary: VocabularySizes) -> "Transformer":
        """A network whose parameters have shapes but no memory, until `allocate`."""
        with torch.device("meta"):
            return cls(config, vocabulary)

    def allocate(self, device: torch.device) -> None:
        """Give a skeleton memory on `device`; the parameters are not filled, the sinusoids are."""
        self.to_empty(device=device)
        self._tie()
        for embedding in {self.src_embedding, self.tgt_embedding}:
            if not embedding.learned:
                embedding.positions.copy_(sinusoids(*embedding.positions.shape))

    @property
    def attention(self) -> str:
        """The form of attention asked for: `auto`, or one that must run (mtcli/model/implementations.py)."""
        return self._attention

    @attention.setter
    def attention(self, impl: str) -> None:
        self._attention = impl
        for module in self.modules():
            if isinstance(module, Attention):
                module.impl = impl

    @property
    def max_positions(self) -> int:
        """Tokens a side that positions exist for."""
        return self.tgt_embedding.num_positions

    def num_parameters(self) -> int:
        """Learnt numbers, shared matrices counted once."""
        return sum(parameter.numel() for parameter in self.parameters())


class Embedding(nn.Module):
    """Token vectors times √d, or as they are, plus positions."""

    def __init__(self, config: ModelConfig, num_tokens: int) -> None:
        super().__init__()
        self.scale = config.d_model**0.5 if config.scale_embeddings else 1.0
        self.tokens = nn.Embedding.from_pretrained(torch.empty(num_tokens, config.d_model), freeze=False)
        self.learned = config.positions == "learned"
        self.num_positions = config.num_positions
        if self.learned:
            self.positions = nn.Parameter(torch.empty(self.num_positions, config.d_model))
        else:
            self.register_buffer("positions", sinusoids(self.num_positions, config.d_model), persistent=False)

    def forward(self, tokens: Tensor, positions: Tensor) -> Tensor:
        """[N, d] from tokens [N] and positions [N], both int64."""
        return self.tokens(tokens) * self.scale + F.embedding(positions, self.positions)  # type: ignore[no-any-return]


def sinusoids(num_positions: int, d_model: int) -> Tensor:
    """[num_positions, d] float32: sines in the first half of the channels, cosines in the second."""
    with torch.device("cpu"):  # also for a skeleton: a power on its device would import torch's compiler, a second
        # In float64: an angle of some hundred radians has lost four digits in float32
        frequencies = 10000.0 ** (-torch.arange(0, d_model, 2, dtype=torch.float64) / d_model)
        angles = torch.arange(num_positions)[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=1).float()


class Encoder(nn.Module):
    """Layers of self-attention and feed-forward over the source."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.dropout = Dropout(config.dropout)
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.encoder_layers))
        self.norm = nn.LayerNorm(config.d_model) if config.norm == "pre" else nn.Identity()

    def forward(self, x: Tensor, packing: Packing) -> Tensor:
        x = self.dropout(x)
        for layer in self.layers:
            x = layer(x, packing)
        return self.norm(x)  # type: ignore[no-any-return]


class EncoderLayer(nn.Module):
    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.self_attention = Attention(config)
        self.self_attention_residual = Residual(config)
        self.feed_forward = FeedForward(config)
        self.feed_forward_residual = Residual(config)

    def forward(self, x: Tensor, packing: Packing) -> Tensor:
        x = self.self_attention_residual(x, lambda h: self.self_attention(h, h, packing, packing))
        return self.feed_forward_residual(x, self.feed_forward)  # type: ignore[no-any-return]


class Decoder(nn.Module):
    """Layers of masked self-attention, encoder-decoder attention and feed-forward over the target."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        config = config.of_decoder
        self.dropout = Dropout(config.dropout)
        self.layers: list[DecoderLayer] = nn.ModuleList(  # type: ignore[assignment]
            DecoderLayer(config) for _ in range(config.decoder_layers)
        )
        self.norm = nn.LayerNorm(config.d_model) if config.norm == "pre" else nn.Identity()

    def forward(self, x: Tensor, memory: Tensor, tgt_packing: Packing, src_packing: Packing) -> Tensor:
        x = self.dropout(x)
        for layer in self.layers:
            x = layer(x, memory, tgt_packing, src_packing)
        return self.norm(x)  # type: ignore[no-any-return]

    def step(self, x: Tensor, cache: DecoderCache, places: BeamPlaces) -> Tensor:
        for index, layer in enumerate(self.layers):
            x = layer.step(x, cache, index, places)
        return self.norm(x)  # type: ignore[no-any-return]

    def cross_attention_weights(
        self, x: Tensor, memory: Tensor, tgt_packing: Packing, src_packing: Packing
    ) -> list[Tensor]:
        weights = []
        for layer in self.layers:
            weights.append(layer.cross_attention_weights(x, memory, tgt_packing, src_packing))
            x = layer(x, memory, tgt_packing, src_packing)
        return weights


class DecoderLayer(nn.Module):
    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.self_attention = Attention(config)
        self.self_attention_residual = Residual(config)
        self.cross_attention = Attention(config)
        self.cross_attention_residual = Residual(config)
        self.feed_forward = FeedForward(config)
        self.feed_forward_residual = Residual(config)

    def forward(self, x: Tensor, memory: Tensor, tgt_packing: Packing, src_packing: Packing) -> Tensor:
        x = self._attend_to_target(x, tgt_packing)
        x = self.cross_attention_residual(x, lambda h: self.cross_attention(h, memory, tgt_packing, src_packing))
        return self.feed_forward_residual(x, self.feed_forward)  # type: ignore[no-any-return]

    def step(self, x: Tensor, cache: DecoderCache, index: int, places: BeamPlaces) -> Tensor:
        """The same three sublayers for one new token a hypothesis, R rows; older tokens come from the cache."""
        past, source, regions = cache.self_attention[index], cache.cross[index], cache.regions
        x = self.self_attention_residual(x, lambda h: self.self_attention.step_self(h, past, places))
        x = self.cross_attention_residual(x, lambda h: self.cross_attention.step_cross(h, source, regions))
        return self.feed_forward_residual(x, self.feed_forward)  # type: ignore[no-any-return]

    def cross_attention_weights(self, x: Tensor, memory: Tensor, tgt_packing: Packing, src_packing: Packing) -> Tensor:
        """[B, H, T, S]: the encoder-decoder attention weights of this layer, given its input x."""
        x = self.cross_attention_residual.enter(self._attend_to_target(x, tgt_packing))
        return self.cross_attention.weights(x, memory, tgt_packing, src_packing)

    def _attend_to_target(self, x: Tensor, packing: Packing) -> Tensor:
        attend = self.self_attention
        return self.self_attention_residual(x, lambda h: attend(h, h, packing, packing, causal=True))  # type: ignore[no-any-return]


class FeedForward(nn.Module):
    """Two linear maps with a non-linearity between, the same for every token."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.up = nn.Linear(config.d_model, config.ffn_dim)
        self.down = nn.Linear(config.ffn_dim, config.d_model)
        self.activation = _ACTIVATIONS[config.activation]
        self.dropout = Dropout(config.activation_dropout)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(self.dropout(self.activation(self.up(x))))  # type: ignore[no-any-return]


class Residual(nn.Module):
    """Post-norm: LayerNorm(x + f(x)), as in the paper. Pre-norm: x + f(LayerNorm(x))."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.d_model)
        self.pre_norm = config.norm == "pre"
        self.dropout = Dropout(config.dropout)

    def enter(self, x: Tensor) -> Tensor:
        """What the sublayer is given."""
        return self.norm(x) if self.pre_norm else x

    def forward(self, x: Tensor, sublayer: Callable[[Tensor], Tensor]) -> Tensor:
        x = self.dropout.add(x, sublayer(self.enter(x)))
        return x if self.pre_norm else self.norm(x)
