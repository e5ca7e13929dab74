"""Cross-entropy over a training batch's logits, with label smoothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mtcli.bench.kernels import compiled
from mtcli.bench.kernels.comparison import Case, Contestant
from mtcli.bench.kernels.forms import Lineup, Setting, Size, exact_form, lineup_on
from mtcli.bench.roofline import formulas
from mtcli_kernels.cross_entropy import cross_entropy

SMOOTHING = 0.1
IGNORED = -100
# Rows, vocabulary and number type. A quarter of the rows comes first: it fits smaller GPUs, and shows whether time
# grows in step.
PLANS = {
    Size.GPU: (25_000, 32_000, torch.bfloat16),
    Size.CPU: (500, 32_000, torch.float32),
    Size.TOY: (12, 50, torch.float16),
}
SPREAD = 3.0  # standard deviation of the logits

Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass
class Inputs:
    logits: Tensor  # [N, V]; backward may write over it
    kept: Tensor  # the same, to put back
    targets: Tensor  # [N]
    grad: Tensor  # [N] float32, of the losses


def cases(setting: Setting) -> Iterator[Case]:
    rows, vocabulary, dtype = PLANS[Size.of(setting)]
    for num_rows, training in product((rows // 4, rows), (False, True)):
        with_compile = num_rows == rows and compiled.takes_part(setting)
        yield _case(num_rows, vocabulary, dtype, setting.torch_device, training, with_compile)


def _case(rows: int, vocabulary: int, dtype: torch.dtype, device: str, training: bool, with_compile: bool) -> Case:
    lineup = lineup_on(device)
    formula = formulas.cross_entropy_training if training else formulas.cross_entropy_forward
    return Case(
        name=f"{rows} x {vocabulary}",
        direction="forward and backward" if training else "forward",
        shape={"rows": rows, "vocabulary": vocabulary, "label_smoothing": SMOOTHING},
        dtype=dtype,
        cost=formula(rows, vocabulary, dtype.itemsize),
        make=partial(_make, rows, vocabulary, dtype, device, training),
        exact=partial(_exact, training=training),
        contestants=tuple(_contestants(lineup, dtype, training, with_compile)),
        lineup=lineup,
        before=_put_back if training else None,
    )


def _make(rows: int, vocabulary: int, dtype: torch.dtype, device: str, training: bool, seed: int) -> Inputs:
    generator = torch.Generator(device).manual_seed(seed)
    kept = torch.randn(rows, vocabulary, generator=generator, device=device, dtype=torch.float32).mul_(SPREAD).to(dtype)
    targets = torch.randint(vocabulary, (rows,), generator=generator, device=device)
    targets[::17] = IGNORED
    grad = torch.rand(rows, generator=generator, device=device)
    return Inputs(kept.clone().requires_grad_(training) if training else kept, kept, targets, grad)


def _put_back(inputs: Inputs) -> None:
    with torch.no_grad():
        inputs.logits.copy_(inputs.kept)


def _exact(inputs: Inputs, training: bool) -> tuple[Tensor, ...]:
    _, dtype = exact_form(inputs.kept.device)
    logits = inputs.kept.to(dtype).requires_grad_(training)
    loss = _torch(logits, inputs.targets)
    return (loss, *torch.autograd.grad(loss, logits, inputs.grad)) if training else (loss,)


def _torch(logits: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(logits, targets, ignore_index=IGNORED, label_smoothing=SMOOTHING, reduction="none")


def _torch_in_float32(logits: Tensor, targets: Tensor) -> Tensor:
    return _torch(logits.float(), targets)


def _mtcli(logits: Tensor, targets: Tensor, impl: str) -> Tensor:
    loss, _ = cross_entropy(logits, targets, label_smoothing=SMOOTHING, ignore_index=IGNORED, impl=impl)
    return loss


def _contestants(lineup: Lineup, dtype: torch.dtype, training: bool, with_compile: bool) -> Iterator[Contestant]:
    def contestant(name: str, loss_of: Loss, note: str = "") -> Contestant:
        def run(inputs: Inputs) -> tuple[Tensor, ...]:
            loss = loss_of(inputs.logits, inputs.targets)
            if not training:
                return (loss,)
            return loss, *torch.autograd.grad(loss, inputs.logits, inputs.grad.to(loss.dtype))

        return Contestant(name=name, run=run, note=note)

    for impl in lineup.forms:
        yield contestant(impl, partial(_mtcli, impl=impl), "also gives the unsmoothed loss")
    yield contestant("F.cross_entropy", _torch, "computes in the number type of the logits")
    if dtype != torch.float32:
        yield contestant("F.cross_entropy in float32", _torch_in_float32, "as autocast does")
    if with_compile:
        function: Any = compiled.compiled(_torch_in_float32)
        yield contestant("torch.compile", function, "of F.cross_entropy in float32")
