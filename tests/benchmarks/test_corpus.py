"""The benchmark of a large corpus, with a small one."""

from pathlib import Path

import pytest

from benchmarks import corpus
from benchmarks.report.markdown import filled


def test_the_corpus_has_the_size_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "WORDS", 500)
    monkeypatch.setattr(corpus, "HALVES", 300)
    monkeypatch.setattr(corpus, "BLOCK", 100)
    src, tgt = (path.read_bytes() for path in corpus.write_corpus(tmp_path, 50_000))
    assert 50_000 <= len(src) + len(tgt) < 50_000 + 100 * 400
    assert src.count(b"\n") == tgt.count(b"\n")
    assert len(set(src.splitlines())) > 0.95 * src.count(b"\n")


def test_what_is_measured_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "WORDS", 2000)
    monkeypatch.setattr(corpus, "BLOCK", 1000)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    result = corpus.measure(tmp_path / "scratch", 0.0003)
    assert (result.processes, result.prepare.worker_mib) == (1, 0)
    assert 1000 < result.pairs < 10_000
    assert result.tokens > 5 * result.pairs
    assert 50 < result.epoch.peak_mib <= result.prepare.peak_mib
    assert list((tmp_path / "scratch").iterdir()) == []
    table = filled("corpus", result=result)
    assert f"| prepare the corpus | {result.prepare.peak_mib:,} |" in table
    assert "MiB)" in table and "others" not in table
    several = result.model_copy(update={"processes": 4})
    assert "the largest of 4 others 0 MiB" in filled("corpus", result=several)
