"""Bad calls: the exit code, the gist of the message, and nothing left behind."""

import sys
from pathlib import Path

import pytest
from support.command import mtcli

CALLS: dict[str, tuple[int, str, str]] = {
    "no command": (2, "", "Usage"),
    "unknown command": (2, "fly", "No such command"),
    "unknown option": (2, "translate -m MODEL --fly", "No such option"),
    "no model": (2, "translate", "--model"),
    "beam of zero": (2, "translate -m MODEL -b 0", "greater than or equal to 1"),
    "more translations than beams": (2, "translate -m MODEL -b 2 --n-best 3 --format tsv", "beam of at least 3"),
    "more translations than the model's beam": (2, "translate -m MODEL --n-best 9 --format tsv", "beam of at least 9"),
    "greedy with a beam": (2, "translate -m MODEL --greedy -b 4", "contradict"),
    "n-best as text": (2, "translate -m MODEL --n-best 2", "tsv, moses or jsonl"),
    "unknown format": (2, "translate -m MODEL --format xml", "text, tsv, moses, jsonl"),
    "two kinds of input": (2, "translate -m MODEL -i IN IN", "not both"),
    "batch tokens that are no number": (2, "translate -m MODEL -i IN --batch-tokens many", "a number of tokens"),
    "an unknown BLEU tokenizer": (2, "evaluate --hyp IN --ref IN --tokenize foo", "13a"),
    "evaluating nothing": (2, "evaluate --ref IN", "--hyp F, or -m DIR"),
    "a model without source": (2, "evaluate -m MODEL --ref IN", "needs --src"),
    "missing model": (1, "translate -m nowhere -i IN", "nowhere does not exist"),
    "a model that is a file": (1, "translate -m IN -i IN", "is a file"),
    "a directory that is no model": (1, "translate -m EMPTY -i IN", "holds no config.json"),
    "missing input": (1, "translate -m MODEL -i nowhere.txt", "nowhere.txt does not exist"),
    "input that is a directory": (1, "translate -m MODEL -i EMPTY", "is a directory"),
    "existing output": (1, "translate -m MODEL -i IN -o IN", "--force"),
    "output in no directory": (1, "translate -m MODEL -i IN -o nowhere/out", "Create it first"),
    "output that is a directory": (1, "translate -m MODEL -i IN -o EMPTY", "is a directory"),
    "bad UTF-8": (1, "translate -m MODEL -i LATIN1 -o out.txt", "LATIN1:2: byte 4"),
    "a broken archive": (1, "translate -m MODEL -i BROKEN.gz", "not a whole .gz file"),
    "no such device": (1, "translate -m MODEL -i IN --device cuda:99", "cuda:99"),
    "nonsense for a device": (1, "translate -m MODEL -i IN --device tpu", "auto, cpu, cuda or cuda:N"),
    "half precision on a CPU": (1, "translate -m MODEL -i IN --device cpu --dtype float16", "not supported on a CPU"),
    "no training data": (1, "train -o new", "--src F --tgt F"),
    "one side only": (1, "train --src IN -o new", "as many of each"),
    "sides of different length": (1, "train --src IN --tgt ONE -o new", "line 2 has no partner"),
    "an empty corpus": (1, "train --src NOTHING --tgt NOTHING -o new", "empty"),
    "an unknown preset": (1, "train --src IN --tgt IN -o new --preset huge", "tiny, small, base, big, deep"),
    "an unknown setting": (1, "train --src IN --tgt IN -o new --set model.width=3", "no setting model.width"),
    "a setting that is no assignment": (1, "train --src IN --tgt IN -o new --set width", "section.key=value"),
    "heads that do not fit": (1, "train --src IN --tgt IN -o new --set model.heads=7", "does not divide"),
    "a configuration that is no TOML": (1, "train --config IN -o new", "not valid TOML"),
    "a missing configuration": (1, "train --config nowhere.toml -o new", "nowhere.toml does not exist"),
    "a run directory that is something else": (1, "train --src IN --tgt IN -o FULL", "not a training run"),
    "a run directory that is a file": (1, "train --src IN --tgt IN -o IN", "is a file"),
    "a run directory in no directory": (2, "train --src IN --tgt IN", "--output"),
    "scoring uneven sides": (1, "score -m MODEL --src IN --tgt ONE", "line 2 has no partner"),
    "references of another length": (1, "evaluate --hyp IN --ref ONE", "3 lines and ONE has 1"),
    "info of nothing": (1, "info nowhere", "nowhere does not exist"),
    "a demo over something": (1, "demo -o FULL", "not an empty directory"),
}


@pytest.fixture
def folder(tmp_path: Path, reverse_model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "IN").write_text("1 2\n3 4\n5 6\n")
    (tmp_path / "ONE").write_text("1 2\n")
    (tmp_path / "NOTHING").write_text("")
    (tmp_path / "LATIN1").write_bytes(b"1 2\n1 2\xe9\n")
    (tmp_path / "BROKEN.gz").write_bytes(b"\x1f\x8b\x08\x00nonsense")
    (tmp_path / "EMPTY").mkdir()
    (tmp_path / "FULL").mkdir()
    (tmp_path / "FULL" / "precious").write_text("data")
    (tmp_path / "MODEL").symlink_to(reverse_model)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", CALLS)
def test_bad_call(name: str, folder: Path) -> None:
    code, call, gist = CALLS[name]
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir() if path.name != "MODEL"}
    finished = mtcli(*call.split(), cwd=folder)
    message = finished.stderr.decode() + (finished.stdout.decode() if code == 2 else "")
    assert (finished.returncode, gist in message) == (code, True), message
    assert "Traceback" not in message
    left = {path: path.stat().st_mtime_ns for path in folder.iterdir() if path.name not in ("MODEL", "new")}
    assert left == before
    assert not (folder / "new" / "config.json").exists()


def test_the_stack_is_shown_on_request(folder: Path) -> None:
    finished = mtcli("translate", "-m", "nowhere", "--traceback", cwd=folder)
    assert finished.returncode == 1
    assert "Traceback" in finished.stderr.decode()


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_a_full_disk_is_a_sentence(folder: Path) -> None:
    finished = mtcli("translate", "-m", "MODEL", "-i", "IN", "-o", "/dev/full", "--force", cwd=folder)
    assert finished.returncode == 1
    assert "no space is left" in finished.stderr.decode()


def test_a_device_can_be_written_to(folder: Path) -> None:
    assert mtcli("translate", "-m", "MODEL", "-i", "IN", "-o", "/dev/null", cwd=folder).returncode == 0
    assert not Path("/dev/null").is_file()
