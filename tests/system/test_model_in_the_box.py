"""The model that comes with mtcli: it translates without -m, as well as it did when it was made."""

import json
import shutil
from pathlib import Path

import pytest
from support.command import fresh_mtcli, mtcli, succeed
from support.corpora import first_lines

from mtcli import Translator
from mtcli.model_directory.box import DIRECTION, IN_THE_BOX

ROOT = Path(__file__).resolve().parents[2]
SENTENCES = Path(__file__).with_name("model_in_the_box.tsv")
LARGEST = 12_000_000  # bytes, all files together


def test_a_sentence_is_translated_without_naming_a_model(tmp_path: Path) -> None:
    finished = fresh_mtcli("translate", stdin=b"Where is the station?\n", cwd=tmp_path, env={"PYTHONPATH": str(ROOT)})
    assert finished.returncode == 0, finished.stderr.decode()
    assert finished.stdout.decode() == "Wo ist der Bahnhof?\n"
    assert f"model in the box, {DIRECTION}" in finished.stderr.decode()


def test_quiet_says_nothing_of_it() -> None:
    finished = mtcli("translate", "--quiet", stdin=b"Thank you.\n")
    assert finished.returncode == 0
    assert finished.stdout.decode() == "Danke!\n"
    assert finished.stderr == b""


def test_twenty_sentences_are_translated_as_when_it_was_made() -> None:
    pairs = [line.split("\t") for line in SENTENCES.read_text(encoding="utf-8").splitlines()]
    assert len(pairs) == 20
    translated = succeed("translate", "--quiet", stdin="".join(f"{src}\n" for src, _ in pairs).encode())
    assert translated.splitlines() == [tgt for _, tgt in pairs]


def test_both_engines_find_the_same_hypotheses_in_float32() -> None:
    stdin = SENTENCES.read_bytes()  # each line a sentence and its translation: longer than what the model has read
    command = ("translate", "--quiet", "--device", "cpu", "--dtype", "float32", "--format", "jsonl", "--n-best", "4")
    found = [
        [json.loads(line) for line in succeed(*command, "--engine", engine, stdin=stdin).splitlines()]
        for engine in ("native", "torch")
    ]
    for line, other in zip(*found, strict=True):
        assert [each["text"] for each in line["n_best"]] == [each["text"] for each in other["n_best"]]
        scores, others = ([each["score"] for each in one["n_best"]] for one in (line, other))
        assert scores == pytest.approx(others, rel=0, abs=1e-5)


def test_python_takes_it_too() -> None:
    assert Translator().translate(["Where is the station?"])[0].text == "Wo ist der Bahnhof?"


def test_it_fits_into_its_box() -> None:
    assert sum(path.stat().st_size for path in IN_THE_BOX.iterdir()) <= LARGEST


@pytest.mark.slow
def test_it_translates_a_slice_of_its_test_set_as_well_as_when_it_was_made(tmp_path: Path) -> None:
    src = first_lines("tatoeba-en-de", "test.en.xz", 300, tmp_path / "test.en")
    ref = first_lines("tatoeba-en-de", "test.de.xz", 300, tmp_path / "test.de")
    report = json.loads(succeed("evaluate", "-m", IN_THE_BOX, "--src", src, "--ref", ref, "--json"))
    whole = json.loads((IN_THE_BOX / "provenance.json").read_text(encoding="utf-8"))["tests"][0]
    assert abs(report["bleu"] - whole["bleu"]) < 5
    assert whole["bleu"] > 35


def test_it_is_decoded_in_int8_on_a_cpu() -> None:
    facts = json.loads(succeed("info", "--device", "cpu", "--json"))
    assert "2,000 lines of dev.de.xz" in facts["int8 checked"]
    assert facts["runs here on"].endswith(", int8")
    plain = json.loads(succeed("info", "--device", "cpu", "--dtype", "float32", "--json"))
    assert plain["runs here on"].endswith(", float32")


def test_info_describes_it() -> None:
    facts = json.loads(succeed("info", "--json"))
    assert facts["direction"] == DIRECTION
    assert "BLEU" in facts["tested"][0]
    assert "tatoeba.org" in facts["credit"]
    assert "CC BY 2.0 FR" in facts["license"]
    assert "Tom" in facts["not for"]


def test_its_card_and_the_notice_give_credit_and_terms() -> None:
    for text in (IN_THE_BOX / "README.md", ROOT / "NOTICE"):
        content = text.read_text(encoding="utf-8")
        assert "https://creativecommons.org/licenses/by/2.0/fr/" in content
        assert "https://tatoeba.org" in content
        assert "https://www.manythings.org/anki" in content


def test_it_works_from_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    copy = tmp_path / "en-de"
    shutil.copytree(IN_THE_BOX, copy)
    for path in [*copy.iterdir(), copy]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert succeed("translate", "-m", copy, stdin=b"Thank you.\n") == "Danke!\n"
        assert sorted(path.name for path in copy.iterdir()) == sorted(path.name for path in IN_THE_BOX.iterdir())
    finally:
        copy.chmod(0o755)
