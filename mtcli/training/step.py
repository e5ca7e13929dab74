"""One update of the weights: forward, loss, backward, clip, AdamW.

On a GPU nothing here waits for the device: losses add up there and are read now and then, and an update whose gradient
is not finite is left out there.

Teacher forcing: the decoder reads the true target up to each token and is to predict the next one, all tokens of a
batch at once; the loss is the softmax cross-entropy of those predictions. With `r_drop` each pair is read twice, each
time with other dropout, and the two predictions are also to agree (Liang et al. 2021, arXiv:2106.14448).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from mtcli.config import TrainingConfig
from mtcli.model.implementations import companion
from mtcli.model.transformer import Transformer
from mtcli.training.batch import Batch
from mtcli.training.world import World
from mtcli_kernels.cross_entropy import linear_cross_entropy, paired_linear_cross_entropy


@dataclass(frozen=True)
class Losses:
    """Sums over all target tokens since the last reading, in nats, of all processes.

    Attributes:
        loss: with label smoothing; nll: without.
        tokens: target tokens.
        norm: of the newest gradient, before clipping.
        spoilt: updates left out because their gradient was not finite.
        first_spoilt: the first of them, counted from 0 since the last reading; None if there was none.
    """

    loss: float
    nll: float
    tokens: int
    norm: float
    spoilt: int
    first_spoilt: int | None


class BatchLoss(nn.Module):
    """A batch's loss, as a module, so that gradients of several processes can be joined behind it."""

    def __init__(self, network: Transformer, label_smoothing: float, dtype: torch.dtype, r_drop: float = 0.0) -> None:
        """`dtype` is that of the matrix products; `r_drop` as in TrainingConfig: batches come twice."""
        super().__init__()
        self.network, self.label_smoothing, self.dtype, self.r_drop = network, label_smoothing, dtype, r_drop

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The label-smoothed loss, differentiable, and the plain one, which is not; summed over target tokens."""
        network = self.network
        with torch.autocast(batch.src.device.type, self.dtype, enabled=self.dtype != torch.float32):
            states = network(batch.src, batch.src_packing, batch.tgt_in, batch.tgt_packing)
        if self.r_drop:
            loss = partial(paired_linear_cross_entropy, consistency=self.r_drop)
        else:
            loss = partial(linear_cross_entropy, impl=companion(network.attention))
        return loss(
            states, network.output.weight, batch.tgt_out, label_smoothing=self.label_smoothing, dtype=self.dtype
        )


class TrainingStep:
    """Updates a network, step by step.

    Attributes:
        optimizer: fused AdamW (Loshchilov and Hutter 2019) on float32 parameters.
    """

    def __init__(
        self, network: Transformer, config: TrainingConfig, *, dtype: torch.dtype, world: World | None = None
    ) -> None:
        """Prepare to train.

        Args:
            network: on its device, float32.
            dtype: of the matrix products.
            world: the processes that train together; by default this one alone.
        """
        self.network, self._clip_norm, self._reads_twice = network, config.clip_norm, config.r_drop > 0
        self._world = world or World()
        self._loss = self._world.joined(BatchLoss(network, config.label_smoothing, dtype, config.r_drop))
        self.optimizer = torch.optim.AdamW(
            network.parameters(),
            lr=config.learning_rate,
            betas=(config.beta1, config.beta2),
            eps=config.epsilon,
            weight_decay=config.weight_decay,
            fused=True,
        )
        self._device = network.output.weight.device
        self._forget()

    def _forget(self) -> None:
        self._sums = torch.zeros(2, dtype=torch.float64, device=self._device)  # loss, nll
        self._spoilt = torch.zeros(2, device=self._device)  # how many, and the first one's number plus 1
        self._norm = torch.zeros((), device=self._device)
        self._tokens = self._steps = 0

    def step(
        self,
        batches: Sequence[Batch],
        rate: float,
        seed: int,
        *,
        num_tokens: int | None = None,
        weights: Sequence[float] | None = None,
    ) -> None:
        """Update the weights once.

        Args:
            batches: this process's part of the step; their gradients are added.
            rate: learning rate.
            seed: of this step's dropout.
            num_tokens: target tokens of the step in all processes, by which the loss is divided; by default those of
                `batches`.
            weights: of each batch, by default 1; 0 where this process has no part in a batch (`World.share`).
        """
        total = sum(batch.num_tokens for batch in batches) if num_tokens is None else num_tokens
        torch.manual_seed(seed + self._world.rank)  # for attention_dropout alone
        self.network.train()
        is_last = [*[False] * (len(batches) - 1), True]
        for batch, weight, joins in zip(batches, weights or [1.0] * len(batches), is_last, strict=True):
            if self._reads_twice:
                batch = batch.twice()
            masks = self.network.dropout_masks.of_step(seed, batch.src_keys, batch.tgt_keys)
            with masks, self._world.joining(self._loss, joins):
                loss, nll = self._loss(batch)
                (loss * (weight * self._world.size / total)).backward()
            self._sums += weight * torch.stack([loss.detach(), nll.detach()])
        self._update(rate)
        self._tokens += total
        self._steps += 1

    def _update(self, rate: float) -> None:
        parameters = list(self.network.parameters())
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        self._norm = nn.utils.get_total_norm(gradients)
        if self._clip_norm > 0:
            nn.utils.clip_grads_with_norm_(parameters, self._clip_norm, self._norm)
        is_spoilt = torch.isfinite(self._norm).logical_not_().float()
        if self._device.type == "cpu":  # where looking costs nothing, the optimizer is spared
            if not is_spoilt:
                self._apply(rate)
        else:
            self.optimizer.found_inf = is_spoilt  # type: ignore[attr-defined]
            self._apply(rate)
        self.optimizer.zero_grad()
        self._spoilt[0] += is_spoilt
        self._spoilt[1].copy_(torch.where(self._spoilt[1] > 0, self._spoilt[1], is_spoilt * (self._steps + 1)))

    def _apply(self, rate: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()

    def read(self) -> Losses:
        """What has come together since the last reading; waits for the device. All processes must call it."""
        loss, nll = self._world.sum(self._sums).tolist()
        spoilt, first = (int(number) for number in self._spoilt.tolist())
        losses = Losses(loss, nll, self._tokens, self._norm.item(), spoilt, first - 1 if first else None)
        self._forget()
        return losses

    def is_sound(self) -> bool:
        """Whether all updates since the last reading were made; waits for the device."""
        return not self._spoilt[0]
