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

from mtcli.bench.roofline.formulas import Cost, attention
from mtcli.config import ModelConfig

ENCODER, DECODER, SEARCH = "encoder", "decoder", "search"
FORWARD_ENCODER, FORWARD_DECODER, LOSS = "forward: encoder", "forward: decoder", "forward: output and loss"
BACKWARD, OPTIMIZER = "backward", "clipping and optimizer"
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
        layers = {"encoder_layers": config.encoder_layers, "decoder_layers": config.decoder_layers}
        ffn = {"encoder_ffn": config.ffn_dim, "decoder_ffn": config.of_decoder.ffn_dim}
        return cls(**layers, **ffn, d_model=config.d_model, vocab=vocab)

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


def decoding(
    sizes: TransformerSizes, sources: Sequence[int], steps: Sequence[int], *, beam: int, slots: int, width: int
) -> dict[str, Cost]:
    """Sentences searched, so many at once, each step for all of them together: the cost of each part.

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
    d, layers, rows, tokens = sizes.d_model, sizes.decoder_layers, beam * sum(steps), sum(sources)
    fillings = -(-len(sources) // slots)
    passes = max(max(steps), -(-sum(steps) // slots))  # of all slots together, none idle
    of_source = attention(sources, sources, False, 1, d, width).flops
    seen = sum(source * count for source, count in zip(sources, steps, strict=True))
    owned = sum(past - 1 + beam for count in steps for past in range(1, count))
    past = sum(count * (count + 1) // 2 for count in steps)
    logits = rows * sizes.vocab * width
    return {
        ENCODER: Cost(
            (fillings * (sizes.encoder + sizes.memory) + 2 * layers * tokens * d) * width,
            2 * tokens * (sizes.encoder + sizes.memory) + sizes.encoder_layers * of_source,
        ),
        DECODER: Cost(
            (passes * (sizes.decoder + sizes.output) + 2 * layers * d * (seen + owned + rows)) * width + logits,
            2 * rows * (sizes.decoder + sizes.output) + 4 * layers * d * beam * (seen + past),
        ),
        SEARCH: Cost(logits),
    }


def update(
    sizes: TransformerSizes,
    src: Sequence[int],
    tgt: Sequence[int],
    *,
    parameters: int,
    gradients_with_loss: bool = False,
) -> dict[str, Cost]:
    """One update, by part: each product forward makes two of its size backward, attention's two products make five.

    Bytes are left out but for the optimizer's: at thousands of tokens the arithmetic takes longer.

    Args:
        sizes: of the model.
        src, tgt: tokens of each sentence on either side, end tokens included.
        parameters: numbers that are learnt.
        gradients_with_loss: the output layer's gradients are computed along with the loss, and count there.
    """
    in_encoder = sizes.encoder_layers * attention(src, src, False, 1, sizes.d_model, 2).flops
    both = (attention(tgt, tgt, True, 1, sizes.d_model, 2), attention(tgt, src, False, 1, sizes.d_model, 2))
    in_decoder = sizes.decoder_layers * sum(one.flops for one in both)
    encoder = 2 * sum(src) * sizes.encoder
    decoder = 2 * sum(src) * sizes.memory + 2 * sum(tgt) * sizes.decoder
    output = 2 * sum(tgt) * sizes.output
    backward = 2 * (encoder + decoder) + 5 * (in_encoder + in_decoder) // 2
    return {
        FORWARD_ENCODER: Cost(0, encoder + in_encoder),
        FORWARD_DECODER: Cost(0, decoder + in_decoder),
        LOSS: Cost(0, 3 * output if gradients_with_loss else output),
        BACKWARD: Cost(0, backward if gradients_with_loss else backward + 2 * output),
        OPTIMIZER: Cost(OPTIMIZER_BYTES * parameters),
    }
