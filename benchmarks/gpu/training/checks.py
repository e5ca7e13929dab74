"""Is what is timed right? Every contestant is asked for one batch's loss and its gradient's norm before its first
figure, without dropout; stock PyTorch in float32, which holds the same weights, says what they are.
"""

from typing import Any

from gpu.results import Json
from gpu.training.entries import DTYPE, EXACT

# Parts of the right number: what rounding makes of it, with room; a wrong mask or weight makes many times as much.
LARGEST = {"loss": {EXACT: 1e-4, DTYPE: 5e-3}, "norm": {EXACT: 1e-3, DTYPE: 5e-2}}


def compared(found: dict[str, float], expected: dict[str, float], dtype: str) -> Json:
    """The part of a check that says how close an answer is: {"passed", "detail", "loss", "norm"}."""
    differences = {name: abs(found[name] - expected[name]) / abs(expected[name]) for name in LARGEST}
    words = [
        f"the {name} {found[name]:.5g} differs by {difference:.1e}, of which {LARGEST[name][dtype]:g} is rounding"
        for name, difference in differences.items()
    ]
    passed = all(difference <= LARGEST[name][dtype] for name, difference in differences.items())  # false for NaN, too
    return {"passed": passed, "detail": "; ".join(words), **{name: found[name] for name in LARGEST}}


def unanswered(error: Any) -> Json:
    """The same where there was no answer to compare, or nothing to compare it with."""
    return {"passed": None, "detail": f"no answer: {error}", "loss": None, "norm": None}
