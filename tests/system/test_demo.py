"""The guided tour: what it prints and what it leaves."""

import re
from pathlib import Path

import pytest
from support.command import mtcli, succeed


def test_the_tour_ends_with_its_score_and_leaves_nothing(tmp_path: Path) -> None:
    """Briefly trained: the translations are poor, the tour is whole."""
    finished = mtcli("demo", "--minutes", "0.05", cwd=tmp_path)
    assert finished.returncode == 0, finished.stderr.decode()
    told = finished.stdout.decode()
    assert re.fullmatch(r"demo BLEU: \d+\.\d", told.splitlines()[-1])
    for gist in ("나는 집에 간다.", "I go home.", "looks most at", "What happened", "mtcli train --src my.ko"):
        assert gist in told
    assert "loss" in finished.stderr.decode() or "validation" in finished.stderr.decode()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_tour_keeps_its_model_on_request(tmp_path: Path) -> None:
    succeed("demo", "--minutes", "0.05", "-o", tmp_path / "kept")
    assert succeed("translate", "-m", tmp_path / "kept" / "model", stdin="나는 집에 간다.\n".encode()).count("\n") == 1


def test_the_corpus_is_written_on_its_own(tmp_path: Path) -> None:
    succeed("demo", "--write-corpus", tmp_path / "corpus")
    lines = {path.name: path.read_text().count("\n") for path in (tmp_path / "corpus").iterdir()}
    assert lines.pop("demo.toml") > 0
    assert lines == {"train.ko": 10_000, "train.en": 10_000} | {
        f"{name}.{side}": 200 for name in ("valid", "test") for side in ("ko", "en")
    }
