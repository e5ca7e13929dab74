"""Kill a translation of a file again and again, at random moments: the bytes at its end are always the same."""

import os
import random
import shutil
import time
from pathlib import Path

import pytest
from support.command import mtcli
from support.killing import committed_lines, killed_after, visible_files, write_lines
from support.patience import PATIENCE
from support.tiny import write_untrained

LINES = 2500


def translate(directory: Path, out: Path) -> list[str]:
    """With scores and alignments, so that the smallest difference shows."""
    options = ["--format", "jsonl", "--n-best", "2", "--device", "cpu", "--alignments", str(out / "links")]
    return ["translate", "-m", str(directory), "-i", str(directory / "in"), "-o", str(out / "out.gz"), *options]


def test_random_kills_change_no_byte(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kills, seed = int(os.environ["KILLS"]), int(os.environ.get("SEED", time.time_ns() % 10_000))
    model, expected, out = (tmp_path / name for name in ("model", "expected", "out"))
    for directory in (model, expected, out):
        directory.mkdir()
    write_untrained(model)
    write_lines(model / "in", 0, LINES)
    began = time.monotonic()
    finished = mtcli(*translate(model, expected))
    seconds = time.monotonic() - began
    assert finished.returncode == 0, finished.stderr.decode()

    chance, done, jobs, moments = random.Random(seed), 0, 0, []
    while done < kills or moments[-1]:
        before = committed_lines(out)
        delay = chance.uniform(0, 1.2 * seconds) if done < kills else PATIENCE
        if killed_after(translate(model, out), delay):
            done += 1
            moments.append(committed_lines(out))
            assert moments[-1] >= before, f"seed {seed}: lines were lost"
            assert all(content == visible_files(expected)[name] for name, content in visible_files(out).items())
            continue
        assert visible_files(out) == visible_files(expected), f"seed {seed}: other bytes after {done} kills"
        assert not list(out.glob(".*.partial"))
        jobs, moments = jobs + 1, [*moments, 0]
        shutil.rmtree(out)
        out.mkdir()
    assert visible_files(out) == {}
    with capsys.disabled():
        going_on = sum(0 < moment < LINES for moment in moments)
        print(
            f"\n{done} kills of {jobs} translations of {LINES:,} lines, {going_on} of them in the middle: "
            f"the bytes were those of a run that was not killed (seed {seed})."
        )
