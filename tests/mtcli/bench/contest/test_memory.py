"""Memory at its highest."""

import sys
from pathlib import Path

import pytest
import torch

from mtcli.bench.contest import memory as peak
from mtcli.bench.contest.memory import Peak
from mtcli.devices import most_resident

CPU = torch.device("cpu")
MIB = 2**20


@pytest.mark.skipif(sys.platform != "linux", reason="other systems cannot begin anew")
def test_what_was_taken_and_given_back_is_seen_until_the_next_beginning() -> None:
    watched = Peak(CPU)
    before = watched.bytes
    torch.ones(64 * MIB // 4)  # of 64 MiB
    high = watched.bytes
    assert before is not None and high is not None
    assert high - before > 56 * MIB
    low = Peak(CPU).bytes
    assert low is not None and high - low > 56 * MIB


def test_without_the_systems_files_it_is_the_processs_life(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(peak, "_STATUS", tmp_path / "none")
    monkeypatch.setattr(peak, "_CLEAR", tmp_path / "none" / "either")
    assert Peak(CPU).bytes == most_resident()
