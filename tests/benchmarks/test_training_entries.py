"""Who trains with which settings, by name alone."""

from benchmarks.questions.training.entries import (
    AS_IT_COMES,
    BY_LENGTH,
    COMPILED,
    DROPPING_EVERYWHERE,
    JOEYNMT,
    MARIAN,
    MTCLI,
    STOCK,
    Entry,
    entries,
    matching,
)
from benchmarks.questions.training.tiny import tiny_entries

TINY = {MTCLI: ["float32", "bfloat16"], JOEYNMT: ["float32"]}


def test_every_way_is_tried_once_and_the_reference_first() -> None:
    found = entries(TINY, (1, 2))
    assert len({one.name for one in found}) == len(found) == 2 * (2 * 2 + 2)
    assert found[0] == Entry(contestant=MTCLI, dtype="float32", cores=1)
    assert found[0].is_reference
    assert {(one.dtype, one.way) for one in found if one.contestant == JOEYNMT} == {
        ("float32", BY_LENGTH),
        ("float32", AS_IT_COMES),
    }
    assert "mtcli, bfloat16, 2 cores" in [one.name for one in found]


def test_joeynmt_has_float32_alone() -> None:
    found = tiny_entries(["float32", "bfloat16"], (1,), (MTCLI, JOEYNMT, STOCK, COMPILED), [])
    assert [one.contestant for one in found if one.dtype == "bfloat16"] == [MTCLI, MTCLI, STOCK, COMPILED]
    assert len({one.name for one in found}) == len(found) == 4 + 2 * 2 + 2


def test_dropout_everywhere_is_tried_beside_joeynmt_alone() -> None:
    ways = {one.way for one in entries({MTCLI: ["float32"], MARIAN: ["float32"]}, (1,))}
    assert ways == {""}
    assert DROPPING_EVERYWHERE in {one.way for one in entries(TINY, (1,)) if one.contestant == MTCLI}


def test_no_way_makes_another_superfluous() -> None:
    found = entries(TINY, (1, 2))
    assert len({one.kind for one in found}) == len(found)
    ours = Entry(contestant=MTCLI, dtype="float32", cores=1)
    dropping = Entry(contestant=MTCLI, dtype="float32", cores=1, way=DROPPING_EVERYWHERE)
    assert ours.is_reference and not dropping.is_reference


def test_the_reference_of_the_same_cores_stays_whatever_is_asked_for() -> None:
    names = [one.name for one in matching(entries(TINY, (1, 2)), ["joeynmt*2 cores*sorted*"])]
    assert names == ["mtcli, float32, 2 cores", "JoeyNMT, float32, 2 cores, corpus sorted into batches"]
    assert len(matching(entries(TINY, (1,)), [])) == len(entries(TINY, (1,)))
