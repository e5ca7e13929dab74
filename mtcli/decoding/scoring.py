"""Log-probabilities of given translations: one pass over source and target, as in training.

A pair is scored in the parts that translating its source makes (mtcli/decoding/lines.py), so that what a model wrote
can always be scored by it; the log-probabilities of the parts are added up. Which part of the target belongs to which:

1. Where the source is one part and the target no longer than the model reads, all of it.
2. Where both sides have as many sentences, the sentence beside it. A sentence that is too long is parted as by 4.
3. Else, where the pair is no longer than the model reads, it is scored as one part.
4. Else the target's tokens are shared out in order, in proportion to the tokens of the source's parts, each share
   ending with a word. A share longer than the model reads is scored in equal pieces, each beside the same source.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice, pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mtcli.data.corpus import SentencePair
from mtcli.data.sentences import split_sentences
from mtcli.data.tokenizer import SPACE
from mtcli.decoding.backend import Backend
from mtcli.decoding.lines import is_invisible, split_line
from mtcli.decoding.scheduler import token_batches
from mtcli.decoding.translator import is_by_sentence

_CHUNK = 2000  # pairs encoded and sorted together
_BATCH_TOKENS = 2048
_LONGEST_WORD = 16  # tokens that the end of a word is looked for in


@dataclass(frozen=True)
class TargetScore:
    """How probable a given translation is.

    Attributes:
        log_prob: summed natural-log probability of the target's tokens and the end token of each part.
        num_tokens: how many those are.
        parts: how many parts the pair was scored in.
    """

    log_prob: float
    num_tokens: int
    parts: int = 1

    def normalised(self, length_penalty: float) -> float:
        """Give the score that beam search would give this translation."""
        return float(self.log_prob / self.num_tokens**length_penalty)

    @classmethod
    def of(cls, log_probs: npt.NDArray[np.float32]) -> "TargetScore":
        """Add up the log-probabilities [T] of one part's tokens."""
        return cls(float(log_probs.sum(dtype=np.float64)), len(log_probs))

    @classmethod
    def total(cls, parts: Sequence["TargetScore"]) -> "TargetScore":
        """Add up the scores of a pair's parts, one at least."""
        first, *others = parts
        if not others:
            return first
        return cls(sum(part.log_prob for part in parts), sum(part.num_tokens for part in parts), len(parts))


class _Aligned(NamedTuple):
    """Token ids of a part of the source and of the target that belongs to it, without end tokens."""

    src: list[int]
    tgt: list[int]


def score_pairs(
    backend: Backend, pairs: Iterable[SentencePair], sentences: str = "auto"
) -> Iterator[TargetScore | None]:
    """Score given translations of lines, in order; None where the source is empty.

    An empty target is scored as any other: by its end token.

    Args:
        backend: a model and what computes with it.
        sentences: `auto`, `split` or `keep`, as in translation.
    """
    scorer = _Scorer(backend, by_sentence=is_by_sentence(sentences, backend.model.architecture.text))
    waiting = iter(pairs)
    while chunk := list(islice(waiting, _CHUNK)):
        yield from scorer.score(chunk)


class _Scorer:
    """Scores lines with one model."""

    def __init__(self, backend: Backend, *, by_sentence: bool) -> None:
        model = backend.model
        self._forced, self._by_sentence = backend.forced(), by_sentence
        self._src, self._tgt = model.tokenizers.src, model.tokenizers.tgt
        self._longest_part = model.architecture.model.max_length - 1
        self._longest = model.max_positions - 1

    def score(self, pairs: Sequence[SentencePair]) -> list[TargetScore | None]:
        aligned = [self._align(pair) for pair in pairs]
        scores = iter(self._score_parts([part for parts in aligned for part in parts]))
        return [TargetScore.total(list(islice(scores, len(parts)))) if parts else None for parts in aligned]

    def _score_parts(self, parts: Sequence[_Aligned]) -> list[TargetScore]:
        scores: dict[int, TargetScore] = {}
        lengths = [max(len(part.src), len(part.tgt)) + 1 for part in parts]
        for batch in token_batches(lengths, _BATCH_TOKENS):
            sources = [[*parts[i].src, self._src.eos_id] for i in batch]
            targets = [[*parts[i].tgt, self._tgt.eos_id] for i in batch]
            found = self._forced.log_probs(sources, targets, self._tgt.start_id)
            scores |= zip(batch, map(TargetScore.of, found), strict=True)
        return [scores[i] for i in range(len(parts))]

    def _align(self, pair: SentencePair) -> list[_Aligned]:
        """The parts that a pair is scored in; none where the source is empty."""
        if is_invisible(pair.src):
            return []
        parts = split_line(pair.src, self._src, self._longest_part, by_sentence=self._by_sentence)
        if not any(part.tokens for part in parts):
            return []
        target = self._tgt.encode(pair.tgt)
        if len(parts) == 1 and len(target) <= self._longest:
            return [_Aligned(parts[0].tokens, target)]
        lead, sources = self._sentences(pair.src)
        targets = split_sentences(self._tgt.clean(pair.tgt))
        if len(sources) == len(targets) > 1:
            return [
                part
                for source, sentence in zip(sources, targets, strict=True)
                for part in self._share_out(self._parts(lead + source), self._tgt.encode(sentence))
            ]
        whole = self._src.encode(pair.src)
        if max(len(whole), len(target)) <= self._longest:
            return [_Aligned(whole, target)]
        return self._share_out([part.tokens for part in parts], target)

    def _sentences(self, line: str) -> tuple[str, list[str]]:
        """What belongs before each sentence, and the sentences."""
        text = self._src.clean(line)
        lead = self._src.lead(text)
        return lead, split_sentences(text[len(lead) :].lstrip())

    def _parts(self, sentence: str) -> list[list[int]]:
        return [part.tokens for part in split_line(sentence, self._src, self._longest_part)]

    def _share_out(self, sources: Sequence[list[int]], target: list[int]) -> list[_Aligned]:
        """Give each part of a source its share of the target."""
        *lengths, total = accumulate(map(len, sources))
        ends = [self._end_of_word(target, round(len(target) * length / total)) for length in lengths]
        return [
            _Aligned(source, piece)
            for source, (start, end) in zip(sources, pairwise((0, *ends, len(target))), strict=True)
            for piece in self._pieces(target[start:end])
        ]

    def _end_of_word(self, tokens: Sequence[int], place: int) -> int:
        """The first place from this one on where no word is cut, if one is near."""
        near = self._tgt.pieces(tokens[place : place + _LONGEST_WORD])
        return place + next((i for i, piece in enumerate(near) if piece.startswith(SPACE)), 0)

    def _pieces(self, tokens: list[int]) -> list[list[int]]:
        """The tokens in as few pieces as the model reads, of nearly equal length; one piece at least."""
        count = max(-(-len(tokens) // self._longest), 1)
        return [tokens[len(tokens) * i // count : len(tokens) * (i + 1) // count] for i in range(count)]
