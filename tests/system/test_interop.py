"""mtcli import, export and info --check as processes of their own."""

import json
import shutil
from pathlib import Path

import pytest
from support.command import mtcli, succeed
from support.marian import ENGLISH, make_marian
from support.tiny import write_untrained

pytest.importorskip("transformers")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_marian(tmp_path_factory.mktemp("original") / "marian", end_bias=2.0)


@pytest.fixture(scope="module")
def imported(original: Path) -> Path:
    out = original.parent / "imported"
    finished = mtcli("import", original, "-o", out)
    assert finished.returncode == 0, finished.stderr.decode()
    assert b"computes the same ids, and log-probabilities within" in finished.stderr
    assert f"mtcli quantize {out} --src F --ref F".encode() in finished.stderr
    assert finished.stdout == b""
    return out


def test_an_imported_model_translates_and_is_checked(imported: Path) -> None:
    translated = succeed("translate", "-m", imported, "--device", "cpu", stdin="\n".join(ENGLISH).encode() + b"\n")
    assert translated.count("\n") == len(ENGLISH)
    facts = json.loads(succeed("info", imported, "--check", "--json"))
    assert facts["check"].startswith("6 sentences as transformers ")
    assert facts["imported from"].endswith("(Marian, in Hugging Face's form)")


def test_a_model_that_computes_something_else_fails_the_check(imported: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(imported, copy)
    config = json.loads((copy / "config.json").read_text())
    config["model"]["activation"] = "relu"
    del config["checksums"]
    (copy / "config.json").write_text(json.dumps(config))
    failed = mtcli("info", copy, "--check")
    assert failed.returncode == 1
    assert b"does not compute what transformers" in failed.stderr


def test_only_imported_models_have_a_reference(tmp_path: Path) -> None:
    failed = mtcli("info", write_untrained(tmp_path / "model"), "--check")
    assert failed.returncode == 1
    assert b"--check is for models that mtcli import brought in" in failed.stderr


@pytest.mark.parametrize(("form", "expected"), [("hf", "vocab.json"), ("ctranslate2", "model.bin")])
def test_exports_are_whole_directories(form: str, expected: str, imported: Path, tmp_path: Path) -> None:
    if form == "ctranslate2":
        pytest.importorskip("ctranslate2")
    out = tmp_path / "out"
    succeed("export", form, "-m", imported, "-o", out)
    assert (out / expected).exists()
    again = mtcli("export", form, "-m", imported, "-o", out)
    assert again.returncode == 1
    assert b"exists already. Give another name, or --force to replace it." in again.stderr
    succeed("export", form, "-m", imported, "-o", out, "--force")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_what_cannot_be_imported_leaves_nothing(original: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(original, broken)
    (broken / "model.safetensors").rename(broken / "pytorch_model.bin")
    failed = mtcli("import", broken, "-o", tmp_path / "out")
    assert failed.returncode == 1
    assert failed.stderr.startswith(b"Error: ") and failed.stderr.count(b"\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken"]


def test_force_replaces_models_alone(original: Path, tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "novel.txt").write_text("x")
    failed = mtcli("import", original, "-o", tmp_path / "papers", "--force")
    assert failed.returncode == 1
    assert b"holds something that is no model" in failed.stderr
    assert (tmp_path / "papers" / "novel.txt").exists()


def test_bad_calls_exit_2(original: Path, tmp_path: Path) -> None:
    assert mtcli("export", "onnx", "-m", original, "-o", tmp_path / "out").returncode == 2
    failed = mtcli("import", original, "-o", tmp_path / "out", "--target-lang", "fr")
    assert failed.returncode == 2
    assert b"it translates into one language alone: leave it out" in failed.stderr
    assert list(tmp_path.iterdir()) == []


def test_imported_models_are_not_fine_tuned(imported: Path, tmp_path: Path) -> None:
    for side in ("src", "tgt"):
        (tmp_path / side).write_text("a b c\n" * 20)
    sides = ("--src", tmp_path / "src", "--tgt", tmp_path / "tgt")
    failed = mtcli("train", *sides, "-o", tmp_path / "run", "--fine-tune", imported, "--max-steps", "1")
    assert failed.returncode == 1
    assert b"was imported: mtcli translates with such models" in failed.stderr
    failed = mtcli("train", *sides, "-o", tmp_path / "run", "--set", "model.output_bias=true", "--max-steps", "1")
    assert failed.returncode == 1
    assert b"model.output_bias is for imported models" in failed.stderr


def test_words_of_an_imported_model_are_aligned(imported: Path, tmp_path: Path) -> None:
    source, links = tmp_path / "in.txt", tmp_path / "links"
    source.write_text("".join(f"{line}\n" for line in (*ENGLISH, "", "  two   spaces ")))
    succeed("translate", "-m", imported, "-i", source, "-o", tmp_path / "out", "--alignments", links, "--device", "cpu")
    found = links.read_text().splitlines()
    assert len(found) == len(ENGLISH) + 2
    for line, pairs in zip(ENGLISH, found, strict=False):
        assert all(int(pair.split("-")[0]) < len(line.split()) for pair in pairs.split())
