"""Order, time and what is kept of a run, on made-up sections."""

import time
from typing import Any

import pytest
from support.bench_records import DEVICE, VERSIONS, make_up_sections, record

from mtcli.bench.record.findings import Findings
from mtcli.bench.record.schema import BenchRecord
from mtcli.bench.record.stored import as_stored
from mtcli.bench.run import ON_CPU, ON_GPU, Run, shares
from mtcli.bench.settings import SECTIONS, BenchSettings

Told = list[tuple[str, BenchSettings]]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """Which section was called with which settings, at a standing clock."""
    calls: Told = []
    make_up_sections(monkeypatch, calls)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    return calls


def begun(*sections: str, seconds: float | None = None, **options: Any) -> Run:
    return Run(BenchSettings(torch_device="cpu", seed=7), sections, seconds=seconds, command="mtcli bench", **options)


def test_the_cpu_has_less_than_three_minutes() -> None:
    assert sum(shares(SECTIONS, on_gpu=False).values()) == sum(ON_CPU.values()) < 160
    assert min(ON_GPU[name] for name in SECTIONS[1:]) >= 60


def test_the_time_asked_for_is_divided_by_the_shares() -> None:
    found = shares(("translate",), on_gpu=False, seconds=13.0)
    assert found == {"ceilings": pytest.approx(2.0), "translate": pytest.approx(11.0)}


def test_ceilings_come_first_and_the_sections_in_their_order(told: Told) -> None:
    saved: list[BenchRecord] = []
    found = begun("train", "kernels", save=saved.append).measure()
    assert [name for name, _ in told] == ["ceilings", "kernels", "train"]
    assert found.sections == ["ceilings", "kernels", "train"]
    assert (found.seed, found.device, found.versions, found.left_out) == (7, DEVICE, VERSIONS, ())
    assert found.rows == as_stored(record()).only(("kernels", "train")).rows
    assert [one.sections for one in (saved[0], saved[-1])] == [["ceilings"], found.sections]


def test_what_is_left_over_goes_to_those_behind(told: Told) -> None:
    begun(*SECTIONS).measure()
    left = {name: given.left() for name, given in told}
    assert left["ceilings"] == pytest.approx(ON_CPU["ceilings"])
    assert left["kernels"] == pytest.approx(ON_CPU["kernels"] + ON_CPU["ceilings"])


def test_what_a_section_takes_too_much_is_not_taken_from_others(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    run = begun(*SECTIONS)
    monkeypatch.setattr(Findings, "seconds", 500.0)
    assert run._within("train").left() == pytest.approx(ON_CPU["train"])


def test_what_was_measured_before_an_interruption_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(given: BenchSettings, found: Findings) -> None:
        found.add(*record().of("translate")[:1])
        raise KeyboardInterrupt

    make_up_sections(monkeypatch, [], translate=interrupted)
    run = begun(*SECTIONS)
    assert run.findings.record() is None
    with pytest.raises(KeyboardInterrupt):
        run.measure()
    found = run.findings.record()
    assert found is not None and found.sections == ["ceilings", "kernels", "translate"]
    assert found.left_out == ("translate: it was stopped before the end", "train: it was stopped before the end")
