"""What a long pass shows: a bar on a terminal, else a sentence now and then."""

import io
import time

import pytest
from rich.console import Console

from mtcli.data.progress import PassProgress


class Clock:
    """Time that passes when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


def test_without_a_terminal_a_sentence_comes_every_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, said = Clock(monkeypatch), list[str]()
    with PassProgress("Reading", 100, said.append, Console(file=io.StringIO())) as progress:
        for _ in range(7):
            clock.now += 4
            progress.advance(10, 1000)
    assert said == ["Reading: 3,000 pairs, 30%, 0:00:28 left", "Reading: 6,000 pairs, 60%, 0:00:16 left"]


def test_without_a_total_the_pairs_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, said = Clock(monkeypatch), list[str]()
    with PassProgress("Reading", None, said.append) as progress:
        clock.now += 11
        progress.advance(10, 1000)
    assert said == ["Reading: 1,000 pairs"]


def test_a_terminal_shows_a_bar_and_nothing_stays() -> None:
    stream, said = io.StringIO(), list[str]()
    console = Console(file=stream, force_terminal=True, width=100, _environ={"TERM": "xterm"})
    with PassProgress("Reading", 100, said.append, console) as progress:
        progress.advance(50, 1234)
    assert "Reading: 1,234 pairs" in stream.getvalue()
    assert "50%" in stream.getvalue()
    assert stream.getvalue().endswith("\x1b[2K")  # the line is wiped
    assert not said
