"""Fewest bytes and floating-point operations of whole work: sentences decoded, and updates of the weights.

Letters: d model width, f feed-forward width, L layers (enc, dec), V rows of the output matrix, K beam, w bytes of a
number. A product with a matrix takes two operations for each of its numbers and each row. Numbers in the matrices:

    encoder   L_enc (4 d^2 + 2 d f)
    memory    L_dec 2 d^2             W_k and W_v of encoder-decoder attention, over source tokens
    decoder   L_dec (6 d^2 + 2 d f)   the others, over target tokens
    output    V d

Biases, norms, embeddings and the softmax are left out. So is what goes from one operation to the next within a layer:
caches may hold it. The logits do count: no cache holds them, and the search step reads what the output layer wrote.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mtcli.bench.roofline.formulas import Cost, attention_forward, attention_training
from mtcli.config import ModelConfig

OPTIMIZER_BYTES = 32  # a number: gradient for its norm; weight, gradient and two moments read; all but it written


@dataclass(frozen=True, kw_only=True)
class TransformerSizes:
    """A Transformer in numbers, as above."""

    encoder_layers: int
    decoder_layers: int
    d_model: int
    encoder_ffn: int
    decoder_ffn: int
    vocab: int

    @classmethod
    def of(cls, config: ModelConfig, vocab: int) -> "TransformerSizes":
        """`vocab` is the target's."""
        return cls(
            encoder_layers=config.encoder_layers,
            decoder_layers=config.decoder_layers,
            d_model=config.d_model,
            encoder_ffn=config.ffn_dim,
            decoder_ffn=config.of_decoder.ffn_dim,
            vocab=vocab,
        )

    @property
    def encoder(self) -> int:
        return self.encoder_layers * (4 * self.d_model**2 + 2 * self.d_model * self.encoder_ffn)

    @property
    def memory(self) -> int:
        return self.decoder_layers * 2 * self.d_model**2

    @property
    def decoder(self) -> int:
        return self.decoder_layers * (6 * self.d_model**2 + 2 * self.d_model * self.decoder_ffn)

    @property
    def output(self) -> int:
        return self.vocab * self.d_model


@dataclass(frozen=True)
class Decoding:
    """What decoding some sentences costs, by part."""

    encoder: Cost
    decoder: Cost
    search: Cost

    @property
    def total(self) -> Cost:
        return self.encoder + self.decoder + self.search


def decoding(
    sizes: TransformerSizes, sources: Sequence[int], steps: Sequence[int], *, beam: int, slots: int, width: int
) -> Decoding:
    """Sentences searched, so many at once, each step for all of them together.

    - Encoder: its matrices and `memory` once for each filling of the slots; for each source token a key and a value of
      d numbers written for each decoder layer; attention between all tokens of a sentence.
    - Decoder: its matrices and the output matrix once a step; in each layer, for each sentence and step, its source's
      keys and values once for all hypotheses, the entries of earlier steps that its hypotheses need, and K new keys
      and values written; K V logits written. K distinct hypotheses of t tokens have t - 1 + K entries at least: all
      but the last in common. How many more there are depends on the search.
    - Search: the logits read once.

    Args:
        sizes: of the model.
        sources: tokens of each sentence, end token included.
        steps: of each sentence, the end token's included.
        beam, slots: hypotheses of a sentence, and sentences at once.
        width: bytes of a number.
    """
    d, layers, rows = sizes.d_model, sizes.decoder_layers, beam * sum(steps)
    tokens = sum(sources)
    fillings = -(-len(sources) // slots)
    passes = max(max(steps), -(-sum(steps) // slots))  # of all slots together, none idle
    of_source = attention_forward(sources, sources, False, 1, d, width).flops
    seen = sum(source * count for source, count in zip(sources, steps, strict=True))
    owned = sum(_owned(count, beam) for count in steps)
    past = sum(count * (count + 1) // 2 for count in steps)
    logits = rows * sizes.vocab * width
    return Decoding(
        encoder=Cost(
            (fillings * (sizes.encoder + sizes.memory) + 2 * layers * tokens * d) * width,
            2 * tokens * (sizes.encoder + sizes.memory) + sizes.encoder_layers * of_source,
        ),
        decoder=Cost(
            (passes * (sizes.decoder + sizes.output) + 2 * layers * d * (seen + owned + rows)) * width + logits,
            2 * rows * (sizes.decoder + sizes.output) + 4 * layers * d * beam * (seen + past),
        ),
        search=Cost(logits),
    )


def _owned(steps: int, beam: int) -> int:
    """Entries that a sentence's hypotheses need at the least, over all its steps."""
    return sum(past - 1 + beam for past in range(1, steps))


@dataclass(frozen=True)
class Update:
    """What one update of the weights costs, by part."""

    encoder: Cost
    decoder: Cost
    output: Cost
    backward: Cost
    optimizer: Cost

    @property
    def total(self) -> Cost:
        return self.encoder + self.decoder + self.output + self.backward + self.optimizer


def update(
    sizes: TransformerSizes,
    src: Sequence[int],
    tgt: Sequence[int],
    *,
    parameters: int,
    gradients_with_loss: bool = False,
) -> Update:
    """One update: each product forward makes two of its size backward, attention's two products make five.

    Bytes are left out but for the optimizer's: at thousands of tokens the arithmetic takes longer.

    Args:
        sizes: of the model.
        src, tgt: tokens of each sentence on either side, end tokens included.
        parameters: numbers that are learnt.
        gradients_with_loss: the output layer's gradients are computed along with the loss, and count there.
    """
    d, src_tokens, tgt_tokens = sizes.d_model, sum(src), sum(tgt)

    def attention(queries: Sequence[int], keys: Sequence[int], causal: bool) -> tuple[int, int]:
        """Operations forward, and backward."""
        both = attention_training(queries, keys, causal, 1, d, 2).flops
        forward = attention_forward(queries, keys, causal, 1, d, 2).flops
        return forward, both - forward

    of_src, of_tgt, across = attention(src, src, False), attention(tgt, tgt, True), attention(tgt, src, False)
    encoder = 2 * src_tokens * sizes.encoder
    decoder = 2 * src_tokens * sizes.memory + 2 * tgt_tokens * sizes.decoder
    output = 2 * tgt_tokens * sizes.output
    in_encoder, in_decoder = (
        [sizes.encoder_layers * flops for flops in of_src],
        [sizes.decoder_layers * (one + other) for one, other in zip(of_tgt, across, strict=True)],
    )
    backward = 2 * (encoder + decoder) + in_encoder[1] + in_decoder[1]
    return Update(
        encoder=Cost(0, encoder + in_encoder[0]),
        decoder=Cost(0, decoder + in_decoder[0]),
        output=Cost(0, 3 * output if gradients_with_loss else output),
        backward=Cost(0, backward if gradients_with_loss else backward + 2 * output),
        optimizer=Cost(OPTIMIZER_BYTES * parameters),
    )
