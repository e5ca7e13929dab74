"""The padded form's two ways to take a step, for a few rows and for many, must both pass every test."""

import pytest

from mtcli_kernels.beam_step import padded


@pytest.fixture(params=["few rows", "many rows"], autouse=True)
def _ways_to_take_a_step(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(padded, "_FEW_ROWS", 1000 if request.param == "few rows" else 0)
