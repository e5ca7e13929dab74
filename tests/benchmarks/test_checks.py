"""The benchmark of checks, with a few lines."""

import lzma
from pathlib import Path

import pytest

from benchmarks import checks
from benchmarks.contest.machine import opening
from benchmarks.contest.records import Checks
from benchmarks.questions.checks_faults import FAULTS, Fault, Pair, damaged
from benchmarks.report.markdown import filled
from mtcli.checking import CHECK_NAMES, check

PAIRS = [
    (
        f"We saw {number} dogs on the long road to the old town today.",
        f"Wir sahen heute {number} Hunde auf dem Weg zur Stadt.",
    )
    for number in range(13, 33)
]


def flags(name: str, pair: Pair) -> bool:
    return name in {one.check for one in check(*pair, pair=("en", "de"))}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_every_fault_is_made_of_good_pairs_and_found(fault: Fault) -> None:
    cases = damaged(fault, PAIRS, 1, 8)
    assert len(cases) == 8 and cases == damaged(fault, PAIRS, 1, 8) != damaged(fault, PAIRS, 2, 8)
    assert fault.check in CHECK_NAMES
    found = [[one.check for one in check(*bad, pair=("en", "de"))] for _, bad in cases]
    assert sum(fault.check in names for names in found) >= 6
    assert all(
        good != bad and fault.check not in {one.check for one in check(*good, pair=("en", "de"))} for good, bad in cases
    )


def test_what_is_measured_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for language, side in (("en", 0), ("de", 1)):
        text = "".join(f"{pair[side]}\n" for pair in [*PAIRS, ("It is 5.", "Es ist 6.")])
        (tmp_path / f"t.{language}.xz").write_bytes(lzma.compress(text.encode()))
    pairs = checks.load(tmp_path, "t", "en", "de")
    monkeypatch.setattr(checks, "FAULTS_EACH", 4)
    monkeypatch.setattr(checks, "FEWEST", 4)
    corpus = checks.false_alarms("Tatoeba", "en", "de", pairs)
    assert (corpus.lines, corpus.flagged, corpus.checks) == (21, 1, {"number": 1})
    assert corpus.most == "number 4.8%"
    rows = checks.found_faults("en", "de", pairs)
    assert {row.check for row in rows} == set(CHECK_NAMES) - {"language", "low-score"}
    assert all(row.lines == 4 and row.found <= row.lines for row in rows)
    result = Checks(
        **opening("Checks", "x"), faults=rows, corpora=[corpus], translating=checks.translating_times(checks.RESULTS)
    )
    table = filled("checks", result=result)
    assert "| Tatoeba | en-de | 21 | 4.8% | number 4.8% |" in table
