"""What the search step must do, in the forms that run without a GPU; tests/kernels/device does so for the kernels."""

from collections.abc import Callable

import pytest
import torch
from support.beam_behaviour import BEHAVIOURS


@pytest.mark.parametrize("impl", ["reference", "padded"])
@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda behaviour: behaviour.__name__)
def test_behaviour(behaviour: Callable[[str, torch.device], None], impl: str) -> None:
    behaviour(impl, torch.device("cpu"))
