"""A sample of lines translated again, alone."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from mtcli.errors import ExitCode
from mtcli.formats.reader import Reader
from mtcli.formats.records import Record
from mtcli.jobs import run
from mtcli.jobs import sample as sampling
from mtcli.jobs.sample import Sample
from mtcli.jobs.verify import agreement, disagreement, verify_alone
from mtcli.translation import Candidate, Translation


def translation(text: str, score: float = -0.5) -> Translation:
    return Translation(text, (Candidate(text.upper(), score, 2 * score, 2), Candidate(text, score - 1, -9.0, 3)))


def translate(lines: Iterable[str]) -> Iterator[Translation]:
    return map(translation, lines)


def sample_of(lines: Iterable[str], size: int) -> Sample:
    sample = Sample(size)
    for number, line in enumerate(lines, start=1):
        sample.offer(Record(line), number, translation(line))
    return sample


def test_blank_lines_are_never_chosen() -> None:
    sample = sample_of(["", "a", " \u3000", "b", "\x00", "c"], 10)
    assert [sampled.line for sampled in sample] == [2, 4, 5, 6]
    assert len(sample) == 4


def test_every_line_has_the_same_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: Counter[int] = Counter()
    for seed in range(2000):
        monkeypatch.setattr(sampling, "_SEED", seed)
        chosen.update(sampled.line for sampled in sample_of(map(str, range(40)), 8))
    assert sorted(chosen) == list(range(1, 41))
    assert all(300 < times < 500 for times in chosen.values())  # 400, and five standard deviations


def test_the_same_lines_are_chosen_each_time_and_stay_in_order() -> None:
    lines = [f"line {number}" for number in range(500)]
    first, second = ([sampled.line for sampled in sample_of(lines, 20)] for _ in range(2))
    assert first == second == sorted(set(first))
    assert len(first) == 20
    assert max(first) > 100


def test_what_agrees_is_said() -> None:
    sample = sample_of(["a", "b", ""], 5)
    assert verify_alone(sample, translate) == []
    assert "2 lines" in agreement(len(sample))
    assert "no line" in agreement(0)


@pytest.mark.parametrize(
    "other",
    [
        translation("c"),
        translation("b", score=-0.5000001),
        Translation("b", translation("b").n_best[:1]),
        Translation("b", (translation("b").n_best[0], translation("c").n_best[1])),
    ],
    ids=["text", "score", "fewer", "second"],
)
def test_any_difference_is_found_and_shown(other: Translation, tmp_path: Path) -> None:
    (tmp_path / "first").write_bytes(b"a\n\n")
    (tmp_path / "second").write_bytes(b"a\nb\n")
    reader, sample = Reader([tmp_path / "first", tmp_path / "second"]), Sample(9)
    for number, record in enumerate(reader, start=1):
        sample.offer(record, number, translation(record.text))

    def translate_alone(lines: Iterable[str]) -> Iterator[Translation]:
        (line,) = lines
        yield other if line == "b" else translation(line)

    (difference,) = verify_alone(sample, translate_alone)
    where, together, alone = difference.describe(reader).split("\n")
    assert where.startswith(f"{tmp_path}/second:2 ")
    assert "B (-0.5)" in together
    assert alone != together.replace("among others:", "alone:       ")
    error = disagreement(len(sample), [difference])
    assert str(error).startswith("1 of 3 lines came out different")
    assert error.exit_code == ExitCode.FAILURE


@pytest.mark.parametrize(
    ("other", "warned"), [(translation("b", score=-0.5000001), 0), (translation("c"), 1)], ids=["score", "text"]
)
def test_where_rounding_may_differ_a_difference_is_counted_and_no_error(
    other: Translation, warned: int, tmp_path: Path
) -> None:
    (tmp_path / "in").write_bytes(b"a\nb\n")
    reader, sample = Reader([tmp_path / "in"]), Sample(9)
    for number, record in enumerate(reader, start=1):
        sample.offer(record, number, translation(record.text))

    def translate_alone(lines: Iterable[str]) -> Iterator[Translation]:
        (line,) = lines
        yield other if line == "b" else translation(line)

    reporter, counts = Mock(), dict[str, Any]()
    assert run._verify(sample, translate_alone, reader, reporter, counts, is_exact=False) is None
    assert counts == {"verified": {"lines": 2, "different": 1}}
    [[sentence]] = [call.args for call in reporter.say.call_args_list]
    assert sentence.startswith(
        "1 of 2 lines, chosen at random and translated again alone, came out the same to the bit."
    )
    assert "up to rounding" in sentence
    assert reporter.warn.call_count == warned
    assert run._verify(sample, translate_alone, reader, reporter, counts, is_exact=True) is not None
