"""Log-probabilities of given translations: one pass over source and target, as in training."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import torch

from mtcli.data.corpus import SentencePair
from mtcli.decoding.scheduler import token_batches
from mtcli.errors import DataError
from mtcli.model.transformer import Transformer
from mtcli.model_directory.loading import LoadedModel
from mtcli_kernels.packing import Packing

_CHUNK = 2000  # pairs encoded and sorted together
_BATCH_TOKENS = 2048


@dataclass(frozen=True)
class TargetScore:
    """How probable a given translation is.

    Attributes:
        log_prob: summed natural-log probability of the target's tokens and its end token.
        num_tokens: how many those are.
    """

    log_prob: float
    num_tokens: int

    def normalised(self, length_penalty: float) -> float:
        """Give the score that beam search would give this translation."""
        return float(self.log_prob / self.num_tokens**length_penalty)


def score_pairs(model: LoadedModel, pairs: Iterable[SentencePair]) -> Iterator[TargetScore | None]:
    """Score given translations of sentences, in order; None where a side is empty.

    Raises:
        DataError: a pair is longer than the model reads; names its place among the pairs.
    """
    waiting, done = iter(pairs), 0
    while chunk := list(islice(waiting, _CHUNK)):
        yield from _score_chunk(model, chunk, done)
        done += len(chunk)


def _score_chunk(model: LoadedModel, pairs: Sequence[SentencePair], before: int) -> list[TargetScore | None]:
    src, tgt = model.tokenizers.src, model.tokenizers.tgt
    sources = [[*tokens, src.eos_id] for tokens in src.encode_batch([pair.src for pair in pairs])]
    targets = [[*tokens, tgt.eos_id] for tokens in tgt.encode_batch([pair.tgt for pair in pairs])]
    lengths = [max(len(source), len(target)) for source, target in zip(sources, targets, strict=True)]
    _refuse_longer(model.network.max_positions, lengths, before)
    whole = [i for i in range(len(pairs)) if len(sources[i]) > 1 and len(targets[i]) > 1]
    scores: list[TargetScore | None] = [None] * len(pairs)
    for batch in token_batches([lengths[i] for i in whole], _BATCH_TOKENS):
        chosen = [whole[i] for i in batch]
        found = score_targets(model.network, [sources[i] for i in chosen], [targets[i] for i in chosen], tgt.start_id)
        for i, score in zip(chosen, found, strict=True):
            scores[i] = score
    return scores


def _refuse_longer(longest: int, lengths: Sequence[int], before: int) -> None:
    for number, length in enumerate(lengths, start=before + 1):
        if length > longest:
            raise DataError(f"Line {number} has {length} tokens; this model scores up to {longest}. Split the line.")


@torch.inference_mode()
def score_targets(
    network: Transformer, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]], start_id: int
) -> list[TargetScore]:
    """Score a batch of sentence pairs.

    Args:
        network: in evaluation mode.
        sources, targets: token ids, each ended by its end token.
        start_id: the decoder's first input.
    """
    device = network.output.weight.device
    src_packing = Packing.of([len(source) for source in sources], device)
    tgt_packing = Packing.of([len(target) for target in targets], device)
    src = torch.tensor([token for source in sources for token in source], device=device)
    tgt = torch.tensor([token for target in targets for token in target], device=device)
    shifted = torch.tensor([token for target in targets for token in (start_id, *target[:-1])], device=device)
    logits = network.output(network(src, src_packing, shifted, tgt_packing)).float()  # [N, V]
    log_probs = logits.gather(1, tgt[:, None])[:, 0] - logits.logsumexp(1)
    sums = [part.sum().item() for part in log_probs.split(tgt_packing.lengths.tolist())]
    return [TargetScore(total, len(target)) for total, target in zip(sums, targets, strict=True)]
