"""Rounds of made-up figures."""

from benchmarks.contest.rounds import Series, finalists, run_rounds
from benchmarks.questions.decoding.contestants import CTRANSLATE2, MTCLI, Entry
from benchmarks.questions.decoding.session import reference_of

OURS = Entry(MTCLI, "float32", 4, {"independent": True, "lines": False})
SLOW, FAST, GREEDY = (
    Entry(CTRANSLATE2, "int8", beam, {"batch": batch, "inter_threads": 1, "intra_threads": 1})
    for beam, batch in ((4, 32), (4, 64), (1, 32))
)
RATES = {OURS.name: 100.0, SLOW.name: 50.0, FAST.name: 200.0, GREEDY.name: 300.0}


def test_the_best_settings_of_each_kind_go_on_and_the_order_turns() -> None:
    log: list[Entry] = []

    def measure(entry: Entry) -> float:
        log.append(entry)
        return RATES[entry.name] + len(log)

    series = run_rounds([OURS, SLOW, FAST, GREEDY], measure, 3)
    assert log == [OURS, SLOW, FAST, GREEDY, GREEDY, FAST, OURS, OURS, FAST, GREEDY]
    assert [one.figures for one in series] == [
        (101.0, 107.0, 108.0),
        (52.0, None, None),
        (203.0, 206.0, 209.0),
        (304.0, 305.0, 310.0),
    ]


def test_all_settings_may_run_in_all_rounds() -> None:
    series = run_rounds([OURS, SLOW, FAST], lambda entry: RATES[entry.name], 2, all_settings=True)
    assert [one.figures for one in series] == [(100.0, 100.0), (50.0, 50.0), (200.0, 200.0)]


def test_what_fails_takes_no_part_any_more() -> None:
    log: list[Entry] = []

    def measure(entry: Entry) -> float | None:
        log.append(entry)
        return None if (entry, len(log)) in ((FAST, 3), (GREEDY, 5)) else RATES[entry.name]

    series = run_rounds([OURS, SLOW, FAST, GREEDY], measure, 3)
    assert log == [OURS, SLOW, FAST, GREEDY, GREEDY, SLOW, OURS, OURS, SLOW]
    assert [one.figures for one in series] == [
        (100.0, 100.0, 100.0),
        (50.0, 50.0, 50.0),
        (None, None, None),
        (300.0, None, None),
    ]


def test_of_times_the_least_is_best() -> None:
    series = [Series(SLOW, (50.0,)), Series(FAST, (200.0,))]
    assert finalists(series) == [FAST]
    assert finalists(series, min) == [SLOW]


def test_ratios_are_taken_within_rounds() -> None:
    ours, theirs = Series(OURS, (100.0, 50.0, 10.0)), Series(FAST, (200.0, None, 30.0))
    assert theirs.ratio(ours) == 2.5
    assert theirs.median == 115.0


def test_the_reference_has_the_same_search() -> None:
    greedy = Entry(MTCLI, "float32", 1, OURS.settings)
    loose = Entry(MTCLI, "float32", 4, {"independent": False, "lines": False})
    series = [Series(loose, (3.0,)), Series(greedy, (2.0,)), Series(OURS, (1.0,))]
    assert reference_of(series, 4).entry == OURS
    assert reference_of(series, 1).entry == greedy
