"""What is counted, and what the bar makes of it."""

import gzip
import io
import sys
from pathlib import Path

import pytest
from rich.console import Console
from support.pipes import job_for, stub_translate

from mtcli.cli import progress
from mtcli.cli.progress import progress_bar, size_of_inputs
from mtcli.decoding.translator import Work
from mtcli.formats.reader import Reader
from mtcli.formats.records import Record
from mtcli.jobs import tally
from mtcli.jobs.pipeline import run
from mtcli.jobs.tally import Tally
from mtcli.translation import Candidate, Translation


def test_the_share_counts_the_bytes_of_lines_written(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(tally.time, "monotonic", lambda: now)
    counts = Tally(work=Work(target_tokens=50), total_bytes=200, began=now)
    assert counts.share_done == 0
    assert counts.seconds_left is None
    counts.add(*counted("a", 30))
    counts.add(*counted("", 20))
    now = 110.0
    assert counts.share_done == 0.25
    assert counts.seconds_left == pytest.approx(30)
    assert counts.closing_line() == "2 lines, 50 target tokens in 10.0 s (5 tokens/s)."
    counts.end()
    now = 200.0
    assert counts.seconds == 10


def counted(text: str, num_bytes: int, *parts: str) -> tuple[Record, Translation]:
    return Record(text, num_bytes=num_bytes), Translation(text, (Candidate(text, 0.0, 0.0, 0),), parts)


def test_what_is_left_takes_as_long_as_this_run_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(tally.time, "monotonic", lambda: now)
    counts = Tally(work=Work(target_tokens=50), total_bytes=200, began=now)
    counts.resume([Record("a", num_bytes=100)], {"seconds": 1000.0, "target_tokens": 450, "parts": 3})
    assert (counts.share_done, counts.seconds_left) == (0.5, None)
    counts.add(*counted("b c", 20, "b", "c"))
    now = 110.0
    assert counts.seconds_left == pytest.approx(40)
    assert (counts.seconds, counts.target_tokens, counts.parts, counts.split_lines) == (1010, 500, 5, 1)
    assert counts.closing_line().startswith("2 lines (1 of them by an earlier run), 500 target tokens in 1010.0 s")


def test_the_size_is_known_of_plain_files_alone(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a", tmp_path / "a.gz"
    plain.write_bytes(b"12345\n")
    packed.write_bytes(gzip.compress(b"12345\n"))
    assert size_of_inputs([plain, plain]) == 12
    assert size_of_inputs([plain, packed]) is None
    assert size_of_inputs([tmp_path / "nowhere"]) is None
    assert size_of_inputs([Path("/dev/null")]) is None


@pytest.mark.parametrize("total", [None, 10])
def test_the_bar_shows_lines_speed_and_what_is_left(monkeypatch: pytest.MonkeyPatch, total: int | None) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(
        progress, "Console", lambda stderr: Console(file=screen, force_terminal=True, width=100, legacy_windows=False)
    )
    counts = Tally(work=Work(target_tokens=1000), total_bytes=total, lines=1234, num_bytes=5)
    counts.ended = counts.began + 10
    with progress_bar(counts):
        pass
    assert "1,234 lines, 100 tokens/s" in screen.getvalue()
    assert ("0:10 left" in screen.getvalue()) == (total is not None)


def test_everything_is_counted(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"a\n\nb\r\na\n \n")
    job = job_for([tmp_path / "in"], [tmp_path / "out"])
    counts = Tally(distinct=set())
    run(job, Reader(job.inputs), stub_translate, None, counts)
    assert (counts.lines, counts.blank_lines, counts.num_bytes) == (5, 2, 10)
    assert counts.distinct is not None
    assert len(counts.distinct) == 4


def test_a_closed_stdin_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    from mtcli.errors import DataError
    from mtcli.files import STDIN, read_lines

    monkeypatch.setattr(sys, "stdin", None)
    assert size_of_inputs([STDIN]) is None
    with pytest.raises(DataError, match="Standard input is closed"):
        list(read_lines(STDIN))


def test_what_equal_sentences_saved_is_said() -> None:
    counts = Tally(work=Work(parts=5, decoded=3, target_tokens=50))
    assert counts.closing_line().endswith(" 2 of 5 sentences had an equal one and were not decoded again.")
