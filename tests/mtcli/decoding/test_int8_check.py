"""What may stand in for float32, and what is measured to find that out."""

from dataclasses import replace
from pathlib import Path

import pytest
from support.tiny import write_untrained

from mtcli.decoding import int8_check
from mtcli.decoding.int8_check import FEWEST_LINES, Int8Comparison, TimedTranslation, compare_int8
from mtcli.decoding.translator import Translator
from mtcli.errors import BackendUnavailableError, CheckpointError, DataError
from mtcli.evaluation.metrics import ValidationMetrics, validation_metrics
from mtcli.model_directory.integrity import stored_checksum

LINES = [f"the dog {word} a cat" for word in ("sees", "hears", "has", "wants")]


def comparison(
    bleu: tuple[float, float] = (30.0, 29.86), chrf: tuple[float, float] = (55.0, 56.0), lines: int = FEWEST_LINES
) -> Int8Comparison:
    found = TimedTranslation(lines=["x"] * lines, lines_per_second=1.0, num_bytes=1)
    scores = {
        dtype: ValidationMetrics(bleu[i], chrf[i], "tok:13a", "nc:6") for i, dtype in enumerate(("float32", "int8"))
    }
    return Int8Comparison(
        text="dev",
        beam=4,
        weights="abc",
        translations={"float32": found, "int8": found},
        scores=scores,
        same=lines,
        likeness=100.0,
    )


def test_little_loss_may_stand_in_and_says_what_was_measured() -> None:
    found = comparison()
    assert found.obstacle is None
    mark = found.mark()
    assert (mark.weights, mark.text, mark.lines, mark.beam) == ("abc", "dev", FEWEST_LINES, 4)
    assert (mark.bleu.float32, mark.bleu.int8, mark.chrf.int8) == (30.0, 29.86, 56.0)
    assert mark.signatures == {"bleu": "bleu|tok:13a", "chrf": "chrf|nc:6"}


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (comparison(bleu=(30.0, 29.84)), "int8 loses 0.16 BLEU on 100 lines; 0.15 may be lost."),
        (comparison(chrf=(55.0, 54.0)), "int8 loses 1.00 chrF on 100 lines; 0.15 may be lost."),
        (comparison((9.0, 8.0), (9.0, 7.0)), "int8 loses 1.00 BLEU and 2.00 chrF on 100 lines; 0.15 may be lost."),
        (comparison(lines=99), "99 lines are too few to tell: at least 100 are needed."),
        (
            replace(comparison(), scores=None),
            "Without references nobody can say which translations are the better ones.",
        ),
    ],
)
def test_what_speaks_against_it_is_a_sentence(found: Int8Comparison, sentence: str) -> None:
    assert found.obstacle == sentence


def test_weights_without_a_checksum_cannot_be_marked() -> None:
    assert "has no checksum" in (replace(comparison(), weights=None).obstacle or "")


def test_both_are_what_a_translator_makes_of_the_text(tmp_path: Path) -> None:
    model = write_untrained(tmp_path / "model")
    found = compare_int8(model, LINES, LINES[::-1], text="dev", tokenize="13a")
    assert found.weights == stored_checksum(model / "model.safetensors")
    assert (found.beam, found.num_lines) == (2, 4)
    assert found.scores is not None
    expected = {}
    for dtype in ("float32", "int8"):
        expected[dtype] = [
            one.text for one in Translator(model, dtype=dtype, engine="native").translate(LINES, repair=False)
        ]
        assert found.translations[dtype].lines == expected[dtype]
        assert found.scores[dtype] == validation_metrics(expected[dtype], LINES[::-1], "13a")
    assert found.same == sum(map(str.__eq__, expected["float32"], expected["int8"]))
    assert found.translations["int8"].num_bytes < found.translations["float32"].num_bytes


def test_without_references_both_are_compared_with_each_other(tmp_path: Path) -> None:
    found = compare_int8(write_untrained(tmp_path / "model"), LINES, None, text="dev", tokenize="13a")
    assert found.scores is None
    assert found.losses == found.signatures == {}
    assert 0 < found.likeness <= 100


def test_nothing_to_translate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the text is empty"):
        compare_int8(write_untrained(tmp_path / "model"), [], [], text="dev", tokenize="13a")


def test_weights_that_change_meanwhile_are_not_vouched_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = iter(["before", "after"])
    monkeypatch.setattr(int8_check, "stored_checksum", lambda path: next(seen))
    with pytest.raises(CheckpointError, match="was replaced while it was compared"):
        compare_int8(write_untrained(tmp_path / "model"), LINES, None, text="dev", tokenize="13a")


def test_where_int8_cannot_be_had_a_sentence_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mtcli.decoding.engines.native.obstacle", lambda *_, dtype: "No such processor.")
    with pytest.raises(BackendUnavailableError, match=r"needs the native engine\. No such processor\."):
        compare_int8(write_untrained(tmp_path / "model"), LINES, None, text="dev", tokenize="13a")
