"""How many sentences are decoded at once, with more and less memory free."""

from pathlib import Path

import pytest
import torch
from support.searching import network

from mtcli.decoding import capacity, host_memory
from mtcli.decoding.capacity import free_bytes, slots_for


def free(monkeypatch: pytest.MonkeyPatch, amount: int | None) -> None:
    monkeypatch.setattr(capacity, "free_bytes", lambda device: amount)


@pytest.mark.parametrize(("beam", "slots"), [(1, 128), (2, 128), (4, 80), (5, 64), (400, 1)])
@pytest.mark.parametrize("amount", [None, 1 << 40])
def test_with_much_memory_hypotheses_are_bounded(
    monkeypatch: pytest.MonkeyPatch, beam: int, slots: int, amount: int | None
) -> None:
    free(monkeypatch, amount)
    assert slots_for(network(0), beam) == slots


def test_with_little_memory_it_is_divided_among_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    model = network(0)
    amount = 1 << 22
    free(monkeypatch, amount)
    alone = slots_for(model, 2)
    assert 8 <= alone < 128
    assert slots_for(model, 2, engines=4) == alone // 4
    assert slots_for(model, 8) < alone // 2
    free(monkeypatch, 0)
    assert slots_for(model, 2) == 1


def test_a_container_has_what_its_group_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_memory, "_available", lambda: 1000)
    monkeypatch.setattr(host_memory, "_left_in_control_group", lambda: 10)
    assert free_bytes(torch.device("cpu")) == 10
    monkeypatch.setattr(host_memory, "_left_in_control_group", lambda: None)
    assert free_bytes(torch.device("cpu")) == 1000
    monkeypatch.setattr(host_memory, "_available", lambda: None)
    assert free_bytes(torch.device("cpu")) is None


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="needs Linux")
def test_this_machine_says_what_is_free() -> None:
    amount = free_bytes(torch.device("cpu"))
    assert amount is not None
    assert 1 << 20 < amount < 1 << 50
