"""Of several processes one prepares the corpus, and the others find it prepared."""

import io
import sys
from pathlib import Path

import pytest
from support.sentences import sentences

from mtcli.config import load_config
from mtcli.data.prepare import prepare
from mtcli.errors import DataError


def test_only_one_reads_stdin_and_prepares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"{line}\t{line.upper()}\n" for line in sentences(200, seed=1)]
    config = load_config(options={"data": {"tsv": ["-"], "vocab_size": 320, "valid_size": 10}})
    said: list[str] = []

    def stdin(content: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content.encode())))

    stdin("".join(lines))
    first = prepare(config, tmp_path / "run", said.append)
    stdin("not for\tthis one\n")
    other = prepare(config, tmp_path / "run", said.append, may_build=False)
    assert other.key == first.key
    assert other.pairs.src.lengths.tolist() == first.pairs.src.lengths.tolist()
    assert sys.stdin.read() == "not for\tthis one\n"

    lines[0] = "another\tcorpus\n"
    (tmp_path / "run" / "cache" / "stdin.tsv").write_text("".join(lines))
    with pytest.raises(DataError, match="does not hold the corpus that another process of this run has prepared"):
        prepare(config, tmp_path / "run", said.append, may_build=False)
    assert len(list((tmp_path / "run" / "cache").glob("*/facts.json"))) == 1
