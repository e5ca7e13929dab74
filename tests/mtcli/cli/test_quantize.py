"""`mtcli quantize`: what it reads, prints and leaves behind."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.command import mtcli, succeed
from support.marks import marked
from support.tiny import write_untrained

from mtcli.model_directory.int8_mark import INT8_MARK, load_int8_mark


@pytest.fixture
def model(reverse_model: Path, tmp_path: Path) -> Path:
    """A model that reverses letters, without its run."""
    directory = tmp_path / "model"
    directory.mkdir()
    for path in reverse_model.iterdir():
        if path.is_file():
            shutil.copy(path, directory)
    return directory


@pytest.fixture
def text(reverse_model: Path) -> tuple[Path, Path]:
    return reverse_model.parent / "test.src", reverse_model.parent / "test.tgt"


@pytest.fixture
def read_only(model: Path) -> Iterator[Path]:
    model.chmod(0o555)
    yield model
    model.chmod(0o755)


def test_a_model_that_loses_nothing_is_marked_and_decoded_so(model: Path, text: tuple[Path, Path]) -> None:
    src, ref = text
    finished = mtcli("quantize", model, "--src", src, "--ref", ref)
    assert finished.returncode == 0, finished.stderr.decode()
    header, plain, integers, about, *signatures = finished.stdout.decode().splitlines()
    assert header.split("\t") == ["dtype", "BLEU", "chrF", "lines/s", "weights"]
    assert [row.split("\t")[0] for row in (plain, integers)] == ["float32", "int8"]
    assert about.startswith("100 lines of test.tgt, beam 4. ")
    assert [signature.split("|")[0] for signature in signatures] == ["bleu", "chrf"]
    assert b"--dtype auto is int8 for" in finished.stderr
    mark = load_int8_mark(model)
    assert mark is not None
    assert f"{mark.bleu.int8:.2f}" == integers.split("\t")[1]
    facts = json.loads(succeed("info", model, "--device", "cpu", "--json"))
    assert facts["int8 checked"] == mark.sentence
    assert facts["runs here on"].endswith("int8")
    lines = src.read_bytes()
    by_default, asked = (succeed("translate", "-m", model, *more, stdin=lines) for more in ((), ("--dtype", "int8")))
    assert by_default == asked


def test_too_few_lines_mark_nothing(model: Path, text: tuple[Path, Path]) -> None:
    before = {path.name: path.read_bytes() for path in model.iterdir()}
    finished = mtcli("quantize", model, "--src", text[0], "--ref", text[1], "--lines", "40", "--json")
    assert finished.returncode == 0
    found = json.loads(finished.stdout)
    assert (found["lines"], found["passed"], found["set"]) == (40, False, "test.tgt")
    assert set(found["int8"]) == {"bleu", "chrf", "lines_per_second", "weight_bytes"}
    assert b"Not marked: 40 lines are too few" in finished.stderr
    assert b"--dtype auto stays float32" in finished.stderr
    assert {path.name: path.read_bytes() for path in model.iterdir()} == before


def test_an_earlier_mark_stays_and_is_told(model: Path, text: tuple[Path, Path]) -> None:
    before = (marked(model) / INT8_MARK).read_bytes()
    finished = mtcli("quantize", model, "--src", text[0], "--lines", "10")
    assert "--dtype auto stays int8, unless you delete" in finished.stderr.decode()
    assert (model / INT8_MARK).read_bytes() == before


def test_without_references_both_are_compared_alone(model: Path, text: tuple[Path, Path]) -> None:
    finished = mtcli("quantize", model, "--src", text[0], "--json")
    found: Any = json.loads(finished.stdout)
    assert found["signatures"] == {}
    assert set(found["int8"]) == {"lines_per_second", "weight_bytes"}
    assert 0 <= found["same"] <= found["lines"] == 100
    assert b"Without references nobody can say" in finished.stderr
    assert not (model / INT8_MARK).exists()


def test_a_run_is_checked_on_its_own_validation_set(reverse_model: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(reverse_model, run)
    found = json.loads(succeed("quantize", run, "--json"))
    assert (found["set"], found["lines"], found["passed"]) == ("its validation set", 100, True)
    assert load_int8_mark(run) is not None


def test_a_directory_that_cannot_be_written_is_a_sentence(read_only: Path, text: tuple[Path, Path]) -> None:
    call = ("quantize", read_only, "--src", text[0], "--ref", text[1])
    finished = mtcli(*call, prepare="support.permissions:obey_permissions")
    assert finished.returncode == 1
    assert finished.stdout.startswith(b"dtype\t")
    assert finished.stderr.startswith(b"Error: Cannot write ") and finished.stderr.count(b"\n") == 1
    assert not (read_only / INT8_MARK).exists()


@pytest.mark.parametrize(
    ("call", "code", "sentence"),
    [
        ("MODEL", 2, "keeps no validation set, as a training run does: give --src F and --ref F."),
        ("MODEL --ref three", 2, "--ref F needs --src F"),
        ("MODEL --src - --ref -", 2, "cannot both come from standard input"),
        ("MODEL --src three --ref two", 1, "three has 3 lines and two has 2"),
        ("MODEL --src none --ref none", 1, "the text is empty"),
        ("MODEL --src missing --ref three", 1, "missing"),
        ("MODEL --src three --ref three --tokenize klingon", 2, "--tokenize klingon: expected one of"),
        ("nowhere --src three --ref three", 1, "The model nowhere does not exist"),
        ("nowhere", 1, "The model nowhere does not exist"),
        ("MODEL --lines 0", 2, "--lines"),
    ],
)
def test_nonsense_is_a_sentence(call: str, code: int, sentence: str, tmp_path: Path) -> None:
    write_untrained(tmp_path / "MODEL")
    for name, count in (("none", 0), ("two", 2), ("three", 3)):
        (tmp_path / name).write_text("a b\n" * count)
    finished = mtcli("quantize", *call.split(), cwd=tmp_path)
    assert finished.returncode == code, finished.stderr.decode()
    assert sentence in finished.stderr.decode()
    assert b"Traceback" not in finished.stderr
    assert not (tmp_path / "MODEL" / INT8_MARK).exists()


def test_a_damaged_mark_is_told_by_whoever_decodes(model: Path) -> None:
    (marked(model) / INT8_MARK).write_text("{}")
    finished = mtcli("translate", "-m", model, stdin=b"a b\n")
    assert finished.returncode == 1
    assert b"int8.json was damaged or edited" in finished.stderr
    assert succeed("translate", "-m", model, "--dtype", "float32", stdin=b"a b\n") == "b a\n"
