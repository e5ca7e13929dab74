"""Cross-entropy over a training batch's logits, with label smoothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor

from mtcli.bench.kernels import pytorch
from mtcli.bench.kernels.forms import CaseSize, OperationCase, Variant, exact_form, lineup_on
from mtcli.bench.roofline import formulas
from mtcli.bench.settings import BenchSettings
from mtcli_kernels.cross_entropy import cross_entropy

SMOOTHING = 0.1
IGNORED = -100
# Rows, vocabulary and number type. A quarter of the rows comes first: it fits smaller GPUs, and shows whether time
# grows in step.
PLANS = {
    CaseSize.GPU: (25_000, 32_000, torch.bfloat16),
    CaseSize.CPU: (500, 32_000, torch.float32),
    CaseSize.TOY: (12, 50, torch.float16),
}
SPREAD = 3.0  # standard deviation of the logits


@dataclass
class CrossEntropyInputs:
    logits: Tensor  # [N, V]; backward may write over it
    kept: Tensor  # the same, to put back
    targets: Tensor  # [N]
    grad: Tensor  # [N] float32, of the losses


def cases(settings: BenchSettings) -> Iterator[OperationCase]:
    """A quarter of the rows, then all, forward and with backward."""
    all_rows, vocabulary, dtype = PLANS[CaseSize.of(settings)]
    device = settings.torch_device
    for rows, training in product((all_rows // 4, all_rows), (False, True)):
        formula = formulas.cross_entropy_training if training else formulas.cross_entropy_forward
        yield OperationCase(
            name=f"{rows} x {vocabulary}",
            direction="forward and backward" if training else "forward",
            dtype=dtype,
            cost=formula(rows, vocabulary, dtype.itemsize),
            make=partial(_make, rows, vocabulary, dtype, device, training),
            exact=partial(_exact, training=training),
            variants=tuple(_variants(settings, dtype, training, with_compile=rows == all_rows)),
            lineup=lineup_on(device),
            before=_put_back if training else None,
        )


def _make(rows: int, vocabulary: int, dtype: torch.dtype, device: str, training: bool, seed: int) -> CrossEntropyInputs:
    generator = torch.Generator(device).manual_seed(seed)
    kept = torch.randn(rows, vocabulary, generator=generator, device=device).mul_(SPREAD).to(dtype)
    targets = torch.randint(vocabulary, (rows,), generator=generator, device=device)
    targets[::17] = IGNORED
    grad = torch.rand(rows, generator=generator, device=device)
    return CrossEntropyInputs(kept.clone().requires_grad_(training) if training else kept, kept, targets, grad)


def _put_back(inputs: CrossEntropyInputs) -> None:
    with torch.no_grad():
        inputs.logits.copy_(inputs.kept)


def _exact(inputs: CrossEntropyInputs, training: bool) -> tuple[Tensor, ...]:
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


def _variants(settings: BenchSettings, dtype: torch.dtype, training: bool, *, with_compile: bool) -> Iterator[Variant]:
    def variant(name: str, loss_of: Callable[[Tensor, Tensor], Tensor], note: str) -> Variant:
        def run(inputs: CrossEntropyInputs) -> tuple[Tensor, ...]:
            loss = loss_of(inputs.logits, inputs.targets)
            if not training:
                return (loss,)
            return loss, *torch.autograd.grad(loss, inputs.logits, inputs.grad.to(loss.dtype))

        return Variant(name=name, run=run, note=note)

    for impl in lineup_on(settings.torch_device).forms:
        yield variant(impl, partial(_mtcli, impl=impl), "also gives the unsmoothed loss")
    yield variant("F.cross_entropy", _torch, "computes in the number type of the logits")
    if dtype != torch.float32:
        yield variant("F.cross_entropy in float32", _torch_in_float32, "as autocast does")
    if with_compile and pytorch.compiler_takes_part(settings):
        yield variant("torch.compile", pytorch.compiled(_torch_in_float32), "of F.cross_entropy in float32")
