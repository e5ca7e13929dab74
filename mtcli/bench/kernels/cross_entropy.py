"""Cross-entropy over a training batch's logits, with label smoothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor

from mtcli.bench.kernels import forms, pytorch
from mtcli.bench.kernels.forms import OperationCase, Outputs, Variant
from mtcli.bench.roofline import formulas
from mtcli.bench.settings import BenchSettings
from mtcli_kernels.cross_entropy import cross_entropy

SMOOTHING, IGNORED = 0.1, -100
# Rows, vocabulary and number type. A quarter of the rows comes first: it fits smaller GPUs, and shows whether time
# grows in step.
PLANS = {
    "gpu": (25_000, 32_000, torch.bfloat16),
    "cpu": (500, 32_000, torch.float32),
    "toy": (12, 50, torch.float16),
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
    all_rows, vocabulary, dtype = PLANS[forms.case_size(settings)]
    device = settings.torch_device
    for rows, training in product((all_rows // 4, all_rows), (False, True)):
        yield OperationCase(
            name=f"{rows} x {vocabulary}",
            training=training,
            dtype=dtype,
            cost=formulas.logits(rows, vocabulary, dtype.itemsize, times=3 if training else 1),
            make=partial(_make, rows, vocabulary, dtype, device, training),
            exact=_exact,
            variants=tuple(_variants(settings, dtype, with_compile=rows == all_rows)),
            lineup=forms.lineup_on(device),
            before=_put_back if training else None,
        )


def _make(rows: int, vocabulary: int, dtype: torch.dtype, device: str, training: bool, seed: int) -> CrossEntropyInputs:
    kept = forms.random_normal(device, dtype, seed, SPREAD)(rows, vocabulary)
    generator = torch.Generator(device).manual_seed(seed + 1)
    targets = torch.randint(vocabulary, (rows,), generator=generator, device=device)
    targets[::17] = IGNORED
    grad = torch.rand(rows, generator=generator, device=device)
    return CrossEntropyInputs(kept.clone().requires_grad_() if training else kept, kept, targets, grad)


def _put_back(inputs: CrossEntropyInputs) -> None:
    with torch.no_grad():
        inputs.logits.copy_(inputs.kept)


def _exact(inputs: CrossEntropyInputs) -> Outputs:
    _, dtype = forms.exact_form(inputs.kept.device)
    return _run(_torch, replace(inputs, logits=inputs.kept.to(dtype).requires_grad_(inputs.logits.requires_grad)))


def _run(loss_of: Callable[[Tensor, Tensor], Tensor], inputs: CrossEntropyInputs) -> Outputs:
    loss = loss_of(inputs.logits, inputs.targets)
    return forms.with_gradients(loss, (inputs.logits,), inputs.grad.to(loss.dtype))


def _torch(logits: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(logits, targets, ignore_index=IGNORED, label_smoothing=SMOOTHING, reduction="none")


def _torch_in_float32(logits: Tensor, targets: Tensor) -> Tensor:
    return _torch(logits.float(), targets)


def _mtcli(logits: Tensor, targets: Tensor, impl: str) -> Tensor:
    loss, _ = cross_entropy(logits, targets, label_smoothing=SMOOTHING, ignore_index=IGNORED, impl=impl)
    return loss


def _variants(settings: BenchSettings, dtype: torch.dtype, *, with_compile: bool) -> Iterator[Variant]:
    own = "also gives the unsmoothed loss"
    losses: dict[str, tuple[Callable[..., Tensor], str]] = {
        impl: (partial(_mtcli, impl=impl), own) for impl in forms.lineup_on(settings.torch_device)
    }
    losses["F.cross_entropy"] = _torch, "computes in the number type of the logits"
    if dtype != torch.float32:
        losses["F.cross_entropy in float32"] = _torch_in_float32, "as autocast does"
    if with_compile and pytorch.compiler_takes_part(settings):
        losses["torch.compile"] = pytorch.compiled(_torch_in_float32), "of F.cross_entropy in float32"
    for name, (loss_of, note) in losses.items():
        yield Variant(name=name, run=partial(_run, loss_of), note=note)
