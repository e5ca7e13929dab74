"""Is all of it there, and no more? And what is usual, measured."""

import json
from pathlib import Path
from random import Random

import pytest
from support.checking import EN_DE, EN_KO, findings_of

from mtcli.checking import CheckSettings, LengthStatistics, check
from mtcli.checking.calibration import CALIBRATION_FILE, measure, read_calibration
from mtcli.checking.pairs import TranslatedLine
from mtcli.errors import DataError

LINE = "This is an ordinary sentence about nothing in particular."


@pytest.mark.parametrize("target", ["", "   ", "\u3000"])
def test_nothing_is_found_to_be_empty(target: str) -> None:
    assert [one.check for one in check(LINE, target, pair=EN_DE)] == ["empty"]


@pytest.mark.parametrize("source", ["", "12:30", "...", "👍", "%d %"])
def test_words_for_a_line_without_words_are_invented(source: str) -> None:
    expected = [] if source == "%d %" else ["invented"]
    assert [one.check for one in findings_of("invented", EN_DE, source, "Das ist ein Satz.")] == expected


@pytest.mark.parametrize(("source", "target"), [("", ""), (" ", ""), ("12:30", "12.30"), ("👍", "👍"), (LINE, "Ja")])
def test_nothing_is_invented(source: str, target: str) -> None:
    assert findings_of("invented", EN_DE, source, target) == []


@pytest.mark.parametrize(
    ("pair", "target", "expected"),
    [
        (EN_DE, "Das ist ein gewöhnlicher Satz über nichts Besonderes.", []),
        (EN_DE, "Das ist ein Satz.", ["too-short"]),
        (EN_DE, "Das ist ein gewöhnlicher Satz über nichts Besonderes, den niemand lesen muss, " * 2, ["too-long"]),
        (EN_KO, "이것은 특별할 것 없는 평범한 문장이다.", []),
        (EN_KO, "문장.", ["too-short"]),
        ((None, None), "이것은 특별할 것 없는 평범한 문장이다.", []),
        ((None, None), "문장.", ["too-short"]),
    ],
)
def test_lengths(pair: tuple[str | None, str | None], target: str, expected: list[str]) -> None:
    found = [one.check for name in ("too-short", "too-long") for one in findings_of(name, pair, LINE, target)]
    assert found == expected


@pytest.mark.parametrize(("source", "target"), [("Yes", "Jawohl"), ("OK", "In Ordnung"), ("Open", "Öffnen")])
def test_short_lines_may_differ_much(source: str, target: str) -> None:
    assert findings_of("too-long", EN_DE, source, target) == []


@pytest.mark.parametrize(
    ("log_prob", "tokens", "expected"), [(-50.0, 10, ["low-score"]), (-5.0, 10, []), (-5.0, 0, [])]
)
def test_an_improbable_translation_is_found(log_prob: float, tokens: int, expected: list[str]) -> None:
    found = check("A dog.", "Ein Hund.", pair=EN_DE, log_prob=log_prob, num_tokens=tokens)
    assert [one.check for one in found] == expected


def sample(count: int, factor: float, seed: int = 1) -> list[TranslatedLine]:
    """Lines of letters, and others about `factor` times as long."""
    random = Random(seed)
    lines = []
    for _ in range(count):
        length = random.randint(30, 90)
        target = "b" * round(length * factor * random.uniform(0.95, 1.05))
        lines.append(TranslatedLine("a" * length + ".", target + ".", -random.uniform(1, 5), 10))
    return lines


def test_what_is_usual_is_measured_and_read_again(tmp_path: Path) -> None:
    found = measure(sample(400, 2.0))
    assert 0.6 < found.lengths.mean < 0.7 and found.lengths.spread == 0.05
    assert found.full_stops
    assert found.min_mean_log_prob is not None and -0.5 <= found.min_mean_log_prob < -0.48
    (tmp_path / CALIBRATION_FILE).write_text(json.dumps(found.to_json()))
    read = read_calibration(tmp_path)
    settings = read.applied_to(CheckSettings(min_repeats=9))
    assert (settings.min_repeats, settings.full_stops) == (9, True)
    assert settings.min_mean_log_prob == read.min_mean_log_prob
    assert settings.lengths is not None and abs(settings.lengths.mean - found.lengths.mean) < 1e-4
    assert "too-short" in [one.check for one in check("a bcde " * 7, "a fghi " * 8, settings=settings)]
    assert "too-short" not in [one.check for one in check("a bcde " * 7, "a fghi " * 14, settings=settings)]


def test_lines_without_scores_keep_the_general_limit() -> None:
    lines = [TranslatedLine(one.source, one.target.rstrip(".")) for one in sample(150, 1.0)]
    found = measure(lines)
    assert found.min_mean_log_prob is None and not found.full_stops
    assert found.applied_to(CheckSettings()).min_mean_log_prob == CheckSettings().min_mean_log_prob


def test_too_few_pairs_say_nothing() -> None:
    with pytest.raises(ValueError, match="99 pairs have text on both sides; 100 are needed"):
        LengthStatistics.measure([("a", "b")] * 99 + [("", "c"), ("d", "")])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "no JSON"),
        ("[]", "lacks"),
        ("{}", "lacks 'lengths'"),
        ('{"lengths": {"mean": 0}}', "expected an object such as"),
        ('{"lengths": {"mean": 0, "spread": 0}}', "cannot be"),
        ('{"lengths": {"mean": 0, "spread": 1}, "full_stops": true}', "lacks 'min_mean_log_prob'"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(DataError, match=message):
        read_calibration(tmp_path / "x.json")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=CALIBRATION_FILE):
        read_calibration(tmp_path)
