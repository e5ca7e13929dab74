"""Order, time and what is kept of a run, on made-up sections."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from support.made_up_bench import DEVICE, ceilings, kernels, record, train, translate

from mtcli.bench import run
from mtcli.bench.budget import CEILINGS, ON_CPU, ON_GPU, SECTIONS, Budget
from mtcli.bench.record.schema import Ceilings, Record
from mtcli.bench.record.stored import as_stored
from mtcli.bench.run import Run
from mtcli.bench.settings import Asked

KERNELS, TRAIN = as_stored(record()).kernels, as_stored(record()).train
ASKED = Asked(torch_device="cpu", seed=7, ends_at=0.0)


def test_the_cpu_has_less_than_three_minutes() -> None:
    assert Budget(SECTIONS, on_gpu=False).seconds == sum(ON_CPU.values()) < 160
    assert min(ON_GPU[name] for name in SECTIONS) >= 60


def test_the_time_asked_for_is_divided_by_the_shares() -> None:
    budget = Budget(("translate",), on_gpu=False, seconds=13.0)
    assert budget.share(CEILINGS, 0.0) == pytest.approx(2.0)
    assert budget.share("translate", 2.0) == pytest.approx(11.0)


def test_what_is_left_over_goes_to_those_behind_and_what_is_too_much_is_not_taken_from_them() -> None:
    budget = Budget(SECTIONS, on_gpu=False)
    assert budget.share("kernels", 4.0) == pytest.approx(ON_CPU["kernels"] + 6.0)
    assert budget.share("kernels", 30.0) == pytest.approx(ON_CPU["kernels"])
    assert budget.share("train", 500.0) == pytest.approx(ON_CPU["train"])


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    """Which section was called with how many seconds left; all are made up."""
    calls: list[tuple[str, float]] = []

    def section(name: str, result: Any) -> Callable[..., Any]:
        def measure(asked: Asked, limits: Ceilings | None = None, left_out: list[str] | None = None) -> Any:
            calls.append((name, asked.left()))
            if left_out is not None:
                left_out.append(f"{name}: a case")
            return result

        return measure

    monkeypatch.setattr(run, "_versions", lambda: {"mtcli": "0"})
    monkeypatch.setattr(run, "_device", lambda asked: DEVICE)
    monkeypatch.setattr(run, "_ceilings", lambda: section(CEILINGS, ceilings()))
    made_up = {"kernels": kernels(), "translate": translate(), "train": train()}
    sections = {name: section(name, result) for name, result in made_up.items()}
    monkeypatch.setattr(run, "LOAD", {name: lambda name=name: sections[name] for name in sections})
    return calls


def begun(sections: tuple[str, ...], seconds: float | None = None) -> Run:
    return Run(ASKED, sections, seconds=seconds, command="mtcli bench")


def test_ceilings_come_first_and_the_sections_in_their_order(called: list[tuple[str, float]]) -> None:
    found = begun(("train", "kernels")).measure()
    assert [name for name, _ in called] == [CEILINGS, "kernels", "train"]
    assert (found.kernels, found.translate, found.train) == (KERNELS, None, TRAIN)
    assert found.left_out == ("kernels: a case", "train: a case")
    assert (found.seed, found.device, found.versions) == (7, DEVICE, {"mtcli": "0"})
    assert found.date.endswith("+00:00") and 0 <= found.seconds < 5


def test_each_section_gets_its_time(called: list[tuple[str, float]]) -> None:
    begun(SECTIONS, seconds=14.5).measure()
    left = dict(called)
    assert left[CEILINGS] == pytest.approx(1.0, abs=0.1)
    assert left["kernels"] == pytest.approx(5.0, abs=0.2)  # the ceilings took no time
    assert sum(left.values()) > 14.5


def test_what_a_section_imports_is_not_its_time(
    called: list[tuple[str, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    train_section, now = run.LOAD["train"](), [time.monotonic()]

    def load() -> Any:
        now[0] += 30.0
        return train_section

    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setitem(run.LOAD, "train", load)
    begun(("train",)).measure()
    assert dict(called)["train"] == pytest.approx(ON_CPU["train"])


def test_what_was_measured_before_an_interruption_is_kept(
    called: list[tuple[str, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setitem(run.LOAD, "translate", lambda: interrupted)
    begun_run = begun(SECTIONS)
    assert begun_run.so_far() is None
    with pytest.raises(KeyboardInterrupt):
        begun_run.measure()
    found = begun_run.so_far()
    assert isinstance(found, Record)
    assert found.kernels == KERNELS and found.translate is None and found.train is None
    assert found.left_out == (
        "kernels: a case",
        "translate: it was stopped before the end.",
        "train: it was stopped before the end.",
    )


def test_seconds_are_those_of_the_whole_run(called: list[tuple[str, float]], monkeypatch: pytest.MonkeyPatch) -> None:
    begun_run = begun(())
    now = time.monotonic()
    monkeypatch.setattr(run.time, "monotonic", lambda: now + 100.0)
    assert begun_run.measure().seconds == pytest.approx(100.0, abs=1.0)
