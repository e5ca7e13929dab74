"""What is kept out of the start of a command comes back after it."""

import gc
import os

import pytest

from mtcli.cli.startup import importing


@pytest.mark.parametrize("given", [None, "3"])
def test_while_modules_are_imported_and_afterwards(given: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    if given:
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", given)
    with pytest.raises(ImportError), importing():
        assert not gc.isenabled()
        assert os.environ["OPENBLAS_NUM_THREADS"] == (given or "1")
        raise ImportError
    assert gc.isenabled()
    assert os.environ.get("OPENBLAS_NUM_THREADS") == given


def test_a_search_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with importing():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
