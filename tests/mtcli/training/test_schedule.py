"""How far a run is, and the learning rate that follows, against their formulas."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtcli.config import TrainingConfig
from mtcli.training.schedule import Progress, learning_rate

PEAK = 0.002


def config(**settings: object) -> TrainingConfig:
    return TrainingConfig.model_validate({"learning_rate": PEAK, "warmup_steps": 100, "cooldown": 0.0, **settings})


def at(step: int, epochs: float = 0.0, seconds: float = 0.0) -> Progress:
    return Progress(step, epochs, seconds)


@pytest.mark.parametrize(
    ("limits", "fraction"),
    [
        ({}, 0.0),
        ({"max_steps": 200}, 0.25),
        ({"max_epochs": 4}, 0.375),
        ({"max_minutes": 4}, 0.5),
        ({"max_steps": 200, "max_epochs": 4}, 0.375),
        ({"max_steps": 200, "max_epochs": 4, "max_minutes": 4}, 0.5),
        ({"max_steps": 60, "max_epochs": 4}, 50 / 60),
        ({"max_steps": 20}, 1.0),
    ],
)
def test_the_nearest_limit_tells_how_much_is_done(limits: dict[str, float], fraction: float) -> None:
    assert at(50, epochs=1.5, seconds=120.0).fraction(config(**limits)) == pytest.approx(fraction)


@pytest.mark.parametrize("step", [0, 1, 49, 98, 99])
def test_warm_up_is_linear(step: int) -> None:
    assert learning_rate(at(step), config()) == pytest.approx(PEAK * (step + 1) / 100)


@pytest.mark.parametrize("step", [100, 399, 9999])
def test_then_the_rate_falls_with_the_inverse_square_root(step: int) -> None:
    assert learning_rate(at(step), config()) == pytest.approx(PEAK * math.sqrt(100 / (step + 1)))


def test_the_peak_is_at_the_end_of_warm_up() -> None:
    rates = [learning_rate(at(step), config()) for step in range(500)]
    assert max(rates) == rates[99] == pytest.approx(PEAK)


def test_without_warm_up_the_first_rate_is_the_peak() -> None:
    assert learning_rate(at(0), config(warmup_steps=0)) == pytest.approx(PEAK)


@pytest.mark.parametrize("done", [0.6, 0.75, 0.9])
def test_over_the_cooldown_the_rate_also_falls_linearly(done: float) -> None:
    step = int(1000 * done)
    with_cooldown = learning_rate(at(step), config(max_steps=1000, cooldown=0.5))
    without = learning_rate(at(step), config(max_steps=1000))
    assert with_cooldown == pytest.approx(without * (1 - done) / 0.5)


def test_before_the_cooldown_the_rate_is_untouched() -> None:
    for step in (0, 50, 500, 700):
        assert learning_rate(at(step), config(max_steps=1000, cooldown=0.3)) == pytest.approx(
            learning_rate(at(step), config(max_steps=1000))
        )


@pytest.mark.parametrize(
    ("limits", "end"),
    [
        ({"max_steps": 1000}, at(1000)),
        ({"max_epochs": 3}, at(1000, epochs=3.0)),
        ({"max_minutes": 2}, at(1000, seconds=120.0)),
        ({"max_minutes": 2}, at(1000, seconds=130.0)),
    ],
)
def test_the_rate_is_zero_at_the_end(limits: dict[str, float], end: Progress) -> None:
    assert learning_rate(end, config(cooldown=0.3, **limits)) == 0.0


def test_a_run_without_end_does_not_cool_down() -> None:
    assert learning_rate(at(10_000), config(cooldown=0.3)) == pytest.approx(PEAK * math.sqrt(100 / 10_001))


@pytest.mark.parametrize(("max_steps", "warmup"), [(100, 30), (1000, 100), (4, 1.2)])
def test_warm_up_takes_at_most_three_tenths_of_the_run(max_steps: int, warmup: float) -> None:
    for step in range(1, max_steps):
        expected = PEAK * min((step + 1) / warmup, math.sqrt(warmup / (step + 1)))
        assert learning_rate(at(step), config(max_steps=max_steps)) == pytest.approx(expected)


def test_the_first_step_of_a_timed_run_is_not_at_the_peak() -> None:
    assert learning_rate(at(0, seconds=0.5), config(max_minutes=40)) == pytest.approx(PEAK / 100)


@given(st.integers(0, 999), st.integers(0, 2000), st.floats(0, 1))
def test_the_rate_stays_between_zero_and_the_peak(step: int, warmup_steps: int, cooldown: float) -> None:
    settings = config(max_steps=1000, warmup_steps=warmup_steps, cooldown=cooldown)
    assert 0 < learning_rate(at(step), settings) <= PEAK * (1 + 1e-12)
