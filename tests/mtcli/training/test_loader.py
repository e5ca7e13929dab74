"""Things made ahead come in order, no more than a few early, and errors come where they are taken."""

import threading
from collections.abc import Iterator

import pytest
from support.patience import wait_until

from mtcli.training.loader import Ahead, taker


@pytest.mark.parametrize("ahead", [True, False])
def test_they_come_in_order(ahead: bool) -> None:
    take, close = taker(iter(range(20)), ahead=ahead)
    assert [take() for _ in range(20)] == list(range(20))
    close()


def test_an_error_of_making_is_raised_where_it_is_taken() -> None:
    def make() -> Iterator[int]:
        yield 1
        raise ValueError("no more")

    ahead = Ahead(make())
    assert ahead.take() == 1
    with pytest.raises(ValueError, match="no more"):
        ahead.take()
    ahead.close()


def test_it_waits_when_it_is_far_ahead_and_stops_when_closed() -> None:
    made: list[int] = []

    def make() -> Iterator[int]:
        for number in range(1000):
            made.append(number)
            yield number

    ahead = Ahead(make())
    wait_until(lambda: len(made) >= 4)
    for taken in range(20):
        assert ahead.take() == taken
        assert len(made) <= taken + 5  # the one taken, three that wait, and one that waits for its place
    ahead.close()
    assert len(made) <= 24
    assert "batches" not in [thread.name for thread in threading.enumerate()]
