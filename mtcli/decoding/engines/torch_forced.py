"""Forced decoding by PyTorch: one pass over source and target, as in training.

Axes: B sentence pairs, H heads, N packed target tokens, T target tokens, S source tokens, V vocabulary.
"""

import numpy as np
import numpy.typing as npt
import torch

from mtcli.decoding.forced import Tokens
from mtcli.model.transformer import Transformer
from mtcli_kernels.packing import Packing


class TorchForced:
    """Decodes given targets with one network (`mtcli.decoding.forced.ForcedDecoder`)."""

    def __init__(self, network: Transformer) -> None:
        """Take a network in evaluation mode, wherever it is."""
        self._network = network

    @torch.inference_mode()
    def log_probs(self, sources: Tokens, targets: Tokens, start_id: int) -> list[npt.NDArray[np.float32]]:
        """Find the natural-log probability of each target token, as `ForcedDecoder.log_probs`."""
        inputs = self._inputs(sources, targets, start_id)
        tgt = self._joined(targets)
        logits = self._network.output(self._network(*inputs)).float()  # [N, V]
        found = logits.gather(1, tgt[:, None])[:, 0] - logits.logsumexp(1)
        return [part.numpy() for part in found.cpu().split([len(target) for target in targets])]

    @torch.inference_mode()
    def attention(self, sources: Tokens, targets: Tokens, start_id: int) -> list[npt.NDArray[np.float32]]:
        """Find how much the decoder looked at each source token, as `ForcedDecoder.attention`."""
        layers = self._network.cross_attention_weights(*self._inputs(sources, targets, start_id))  # [B, H, T, S] each
        weights = torch.stack([layer.mean(1, dtype=torch.float32) for layer in layers], 1).cpu()  # [B, layers, T, S]
        return [
            pair[:, : len(target), : len(source)].numpy()
            for pair, source, target in zip(weights, sources, targets, strict=True)
        ]

    def _inputs(
        self, sources: Tokens, targets: Tokens, start_id: int
    ) -> tuple[torch.Tensor, Packing, torch.Tensor, Packing]:
        """What the network reads: the source, and the target moved by one."""
        device = self._network.output.weight.device
        src_packing = Packing.of([len(source) for source in sources], device)
        tgt_packing = Packing.of([len(target) for target in targets], device)
        shifted = self._joined([(start_id, *target[:-1]) for target in targets])
        return self._joined(sources), src_packing, shifted, tgt_packing

    def _joined(self, sentences: Tokens) -> torch.Tensor:
        device = self._network.output.weight.device
        return torch.tensor([token for sentence in sentences for token in sentence], device=device)
