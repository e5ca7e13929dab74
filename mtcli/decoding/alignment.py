"""Which source tokens a finished translation came from: one pass over both, as in training.

Word alignments are read off the encoder-decoder attention, averaged over heads, as in Garg et al. 2019
(arXiv:1909.02074). There the last layer but one of six was best; in shallow decoders it is the last. The
average of the upper half of the layers is close to the better of the two in both.

Axes: B sentence pairs, H heads, T target tokens, S source tokens.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor

from mtcli.data.tokenizer import Tokenizer
from mtcli.decoding.lines import one_line
from mtcli.decoding.scheduler import token_batches
from mtcli.model.transformer import Transformer
from mtcli.model_directory.loading import LoadedModel
from mtcli.translation import Translation
from mtcli_kernels.packing import Packing

_BATCH_TOKENS = 2048

Link = tuple[int, int]
"""A source word and the target word it belongs to, counted from 0."""


@torch.inference_mode()
def cross_attention(network: Transformer, source: Sequence[int], target: Sequence[int], start_id: int) -> Tensor:
    """The encoder-decoder attention of one sentence pair.

    Args:
        network: in evaluation mode.
        source, target: token ids, each ended by its end token.
        start_id: the decoder's first input.

    Returns:
        [layers, H, T, S]: row t is where the decoder looked while it predicted target token t; rows sum to 1.
    """
    return torch.stack([layer[0] for layer in _cross_attention(network, [source], [target], start_id)])


@torch.inference_mode()
def aligning_attention(
    network: Transformer, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]], start_id: int
) -> list[Tensor]:
    """For each sentence pair the attention that aligns it.

    Args:
        network: in evaluation mode.
        sources, targets: token ids, each ended by its end token; none longer than the network's positions.
        start_id: the decoder's first input.

    Returns:
        [T, S] float32 on the CPU, one a pair: the upper half of the layers, averaged with all heads; rows sum to 1.
    """
    layers = _cross_attention(network, sources, targets, start_id)
    upper = [layer.mean(1, dtype=torch.float32) for layer in layers[len(layers) // 2 :]]
    weights = torch.stack(upper).mean(0).cpu()  # [B, T, S]
    return [pair[: len(target), : len(source)] for pair, source, target in zip(weights, sources, targets, strict=True)]


def _cross_attention(
    network: Transformer, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]], start_id: int
) -> list[Tensor]:
    """One [B, H, T, S] a decoder layer."""
    device = network.output.weight.device
    src_packing = Packing.of([len(source) for source in sources], device)
    tgt_packing = Packing.of([len(target) for target in targets], device)
    src = torch.tensor([token for source in sources for token in source], device=device)
    shifted = torch.tensor([token for target in targets for token in (start_id, *target[:-1])], device=device)
    return network.cross_attention_weights(src, src_packing, shifted, tgt_packing)


@dataclass(frozen=True)
class _Side:
    """One side of a part: its tokens, and for each the word of the whole line that it is of."""

    tokens: list[int]
    words: list[int]


class Aligner:
    """Finds which source word each target word came from."""

    def __init__(self, model: LoadedModel) -> None:
        self._network, self._src, self._tgt = model.network, model.tokenizers.src, model.tokenizers.tgt

    def __call__(self, translations: Sequence[Translation]) -> list[str]:
        """The alignment of each line with its best translation, in Pharaoh's format: `0-0 1-2`.

        Words are what white space separates, counted from 0. Each target word is linked to the source word it
        looked at most; a blank line has an empty alignment.
        """
        pairs = [pair for translation in translations for pair in self._sides(translation)]
        links = self._links(pairs)
        return [pharaoh(list(islice(links, len(translation.source_parts)))) for translation in translations]

    def _sides(self, translation: Translation) -> Iterator[tuple[_Side, _Side]]:
        """Source and target of each part of a line."""
        best = translation.n_best[0]
        parts = [one_line(part) for part in translation.source_parts]
        sources = place_words(parts, one_line(self._src.clean(translation.source)))
        targets = place_words([one_line(part) for part in best.parts], one_line(best.text))
        for source, target in zip(sources, targets, strict=True):
            yield self._tokens(self._src, source), self._tokens(self._tgt, target)

    def _tokens(self, tokenizer: Tokenizer, words: list[tuple[int, str]]) -> _Side:
        """Tokens word by word, their end token last, as many as the network has positions for."""
        pieces = tokenizer.encode_words([text for _, text in words])
        tokens = [token for word in pieces for token in word]
        numbers = [number for (number, _), word in zip(words, pieces, strict=True) for _ in word]
        longest = self._network.max_positions - 1
        return _Side([*tokens[:longest], tokenizer.eos_id], numbers[:longest])

    def _links(self, pairs: Sequence[tuple[_Side, _Side]]) -> Iterator[list[Link]]:
        """The links of each pair, in order; similar lengths are computed together."""
        found: list[list[Link]] = [[] for _ in pairs]
        for batch in token_batches([max(len(src.tokens), len(tgt.tokens)) for src, tgt in pairs], _BATCH_TOKENS):
            sources, targets = [pairs[place][0] for place in batch], [pairs[place][1] for place in batch]
            weights = aligning_attention(
                self._network,
                [source.tokens for source in sources],
                [target.tokens for target in targets],
                self._tgt.start_id,
            )
            for place, source, target, pair in zip(batch, sources, targets, weights, strict=True):
                found[place] = word_links(pair[:-1, :-1], source.words, target.words)
        return iter(found)


def place_words(parts: Sequence[str], line: str) -> list[list[tuple[int, str]]]:
    """The words of each part, and which words of the line they are (of); the line holds the parts in order.

    A word of the line that was split, or joined without a space, is found in two parts.
    """
    placed, position, number = [], 0, 0
    for part in parts:
        start = line.index(part, position)
        number += line.count(" ", position, start)
        placed.append([(number + place, word) for place, word in enumerate(part.split(" "))])
        number += part.count(" ")
        position = start + len(part)
    return placed


def word_links(weights: Tensor, src_words: Sequence[int], tgt_words: Sequence[int]) -> list[Link]:
    """Each target word with the source word its tokens look at most, together.

    Args:
        weights: [T, S], without end tokens.
        src_words: [S], the word each source token is of, ascending.
        tgt_words: [T], the same of target tokens.
    """
    if not src_words or not tgt_words:
        return []
    columns, column_of = torch.tensor(src_words).unique(return_inverse=True)
    rows, row_of = torch.tensor(tgt_words).unique(return_inverse=True)
    by_source = weights.new_zeros(len(tgt_words), len(columns)).index_add_(1, column_of, weights)
    by_word = weights.new_zeros(len(rows), len(columns)).index_add_(0, row_of, by_source)
    return list(zip(columns[by_word.argmax(1)].tolist(), rows.tolist(), strict=True))


def pharaoh(parts: Sequence[Sequence[Link]]) -> str:
    """A line of links, `source-target`, ascending; `parts` are those of the line's parts."""
    return " ".join(f"{source}-{target}" for source, target in sorted({link for part in parts for link in part}))
