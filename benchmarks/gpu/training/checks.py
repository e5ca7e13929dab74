"""Is what is timed right? Every contestant is asked for one batch's loss and its gradient's norm before its first
figure, without dropout; stock PyTorch in float32, which holds the same weights, says what they are.
"""

from typing import Any

from benchmarks.gpu.results import Json
from mtcli.bench.training.gradients import LARGEST, judged


def compared(found: dict[str, float], expected: dict[str, float], dtype: str) -> Json:
    """The part of a check that says how close an answer is: {"passed", "detail", "loss", "norm"}."""
    passed, detail = judged(found, expected, dtype)
    return {"passed": passed, "detail": detail, **{name: found[name] for name in LARGEST}}


def unanswered(error: Any) -> Json:
    """The same where there was no answer to compare, or nothing to compare it with."""
    return {"passed": None, "detail": f"no answer: {error}", "loss": None, "norm": None}
