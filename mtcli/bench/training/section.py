"""Section `train`: how fast mtcli trains here, and how near that is to the best matrix product of its number type.

A preset with random weights, or a model directory's (which stays as it is), on random sentence pairs as long as news,
in batches of like lengths, which lie on the device beforehand. What gives a wrong loss or gradient gets no time.
"""

from functools import cache

import torch

from mtcli.bench.contest import Check, ContestantError
from mtcli.bench.contest.failures import told
from mtcli.bench.record.findings import Findings
from mtcli.bench.record.schema import Workload
from mtcli.bench.settings import BenchSettings
from mtcli.bench.training.gradients import judged, loss_and_norm
from mtcli.bench.training.updates import UpdateContestant, make_batches
from mtcli.bench.workload.contest import FEWEST_ROUNDS, WorkContest
from mtcli.bench.workload.model import BenchModel
from mtcli.config import TrainingConfig
from mtcli.devices import dtype_name, resolve_device, resolve_dtype
from mtcli.training.step import TrainingStep
from mtcli_kernels.dispatch import UnavailableError

CONFIG = TrainingConfig()
CHECKED_TOKENS = 128
CPU_TOKENS, GPU_TOKENS, TOY_TOKENS = (512, 2048), 25_000, 60


def ways(settings: BenchSettings) -> tuple[tuple[str, int], ...]:
    """Form of attention and tokens of a batch: all there is to measure, the most wanted first."""
    if settings.toy:
        return (("auto", TOY_TOKENS),)
    if settings.on_gpu:
        return ("auto", GPU_TOKENS), ("sdpa", GPU_TOKENS)
    return tuple(("auto", tokens) for tokens in CPU_TOKENS)


def measure_train(settings: BenchSettings, findings: Findings) -> None:
    """Measure as much as the time suffices for, most wanted first.

    Args:
        settings: what, on which device, for how long.
        findings: has the ceilings, and gets the rows.

    Raises:
        MtcliError: there is no such device, number type or preset, or the model is missing or damaged.
    """
    settings.say("train: making the model ready")
    left, device, wanted = settings.left(), resolve_device(settings.torch_device), settings.dtype or "auto"
    if wanted == "float16":
        wanted = "auto"
        findings.leave_out("train: float16, in which mtcli does not train")
    dtype = resolve_dtype(wanted, device)
    model = BenchModel.of(settings, device, torch.float32)
    step = TrainingStep(model.network, CONFIG, dtype=dtype)
    settings = settings.within(left)  # what came before measured nothing
    workload = Workload(model=model.words, dtype=dtype_name(dtype), sentences="random tokens in pairs as long as news")
    contestants = [UpdateContestant(model, step, dtype, *way, settings) for way in ways(settings)]
    contest = WorkContest("train", contestants, settings, findings, workload)
    if settings.left() > 0:
        settings.say("train: checking the loss and its gradient")
        check = cache(_Checker(model, dtype, settings.seed).check)
        contest.check(lambda one: check(one.attention))
    # On a GPU the rounds have twice the updates of the warm-up; one more is to see the parts.
    rounds_to_come = (FEWEST_ROUNDS + 1) * (2 if settings.on_gpu else 1)
    contest.measure(UpdateContestant.warm_up, rounds_to_come=rounds_to_come)


class _Checker:
    """Holds the loss of one batch and its gradient's norm as they are in float32 with plain attention."""

    def __init__(self, model: BenchModel, dtype: torch.dtype, seed: int) -> None:
        self._network, self._dtype = model.network, dtype
        [batch] = make_batches(model, CHECKED_TOKENS, 1, seed)
        self._batch = batch.on_device(model.start_id, model.device)
        self._expected = self._found("reference", torch.float32)

    def _found(self, attention: str, dtype: torch.dtype) -> dict[str, float]:
        self._network.attention = attention
        return loss_and_norm(self._network, self._batch, CONFIG.label_smoothing, dtype)

    def check(self, attention: str) -> tuple[Check, ...]:
        """Whether this form of attention gives the same.

        Raises:
            ContestantError: it is not made for this device.
        """
        what = f"attention {attention}: the loss and its gradient's norm in float32 with plain attention"
        try:
            with told(what):
                passed, detail = judged(self._found(attention, self._dtype), self._expected, dtype_name(self._dtype))
        except ContestantError as error:
            if isinstance(error.__cause__, UnavailableError):
                raise
            passed, detail = False, str(error)
        return (Check(what=what, passed=passed, detail=detail),)
