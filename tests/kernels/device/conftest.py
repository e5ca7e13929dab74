"""Tests that launch kernels: on a GPU where there is one, else in Triton's interpreter, in a process of its own.

`make test` and `make test-all` start that process: TRITON_INTERPRET=1 pytest
tests/kernels/device. In any other these tests skip.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

INTERPRETING = os.environ.get("TRITON_INTERPRET") == "1"
RUNNABLE = INTERPRETING or torch.cuda.is_available()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    skip = pytest.mark.skip(
        reason="needs a GPU, or Triton's interpreter: TRITON_INTERPRET=1 pytest tests/kernels/device"
    )
    needs_gpu = pytest.mark.skip(reason="needs a GPU")
    for item in items:
        if here not in item.path.parents:
            continue
        if not RUNNABLE:
            item.add_marker(skip)
        elif INTERPRETING and item.get_closest_marker("gpu"):
            item.add_marker(needs_gpu)


@pytest.fixture
def device() -> torch.device:
    """Where the kernels run in this process."""
    return torch.device("cpu" if INTERPRETING else "cuda")


@pytest.fixture(autouse=True)
def _poisoned_memory() -> Iterator[None]:
    """Fill every uninitialised tensor with NaN (integers: the largest), so that a place left unwritten shows."""
    if not RUNNABLE:
        yield
        return
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = True
    yield
    torch.use_deterministic_algorithms(False)


@pytest.fixture(params=["float32", "float16", "bfloat16"])
def dtype(request: pytest.FixtureRequest) -> torch.dtype:
    """The number types of the kernels; the interpreter computes bfloat16 wrongly, so only a GPU runs that."""
    if request.param == "bfloat16" and INTERPRETING:
        pytest.skip("Triton's interpreter computes bfloat16 wrongly")
    return getattr(torch, request.param)  # type: ignore[no-any-return]
