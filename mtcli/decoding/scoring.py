"""Log-probabilities of given translations: one pass over source and target, as in training."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from mtcli.model.transformer import Transformer
from mtcli_kernels.packing import Packing


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
        """The score beam search would give this translation."""
        return float(self.log_prob / self.num_tokens**length_penalty)


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
