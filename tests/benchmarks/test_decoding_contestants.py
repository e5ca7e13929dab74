"""Who decodes with which settings, by name alone."""

from benchmarks.questions.decoding.contestants import (
    COMPILED,
    CTRANSLATE2,
    JOEYNMT,
    MARIAN,
    MTCLI,
    NAMES,
    STOCK,
    Entry,
    Offer,
    entries,
    matching,
)
from benchmarks.questions.decoding.workers import MODULES

OFFER = Offer(
    cores=4,
    dtypes={MTCLI: ["float32"], CTRANSLATE2: ["float32", "int8"], MARIAN: ["float32", "bfloat16"]},
    batches=True,
)


def test_every_setting_is_tried_once() -> None:
    names = [entry.name for entry in entries(OFFER, (4, 1))]
    assert len(names) == len(set(names)) == 2 * (2 + 2 * 3 * 2 + 2 * 2)
    assert "CTranslate2, int8, beam 4, batch 64, 4 x 1 threads" in names
    assert "Hugging Face Marian, bfloat16, greedy, batch 32" in names
    assert {"mtcli, float32, beam 4", "mtcli, float32, beam 4, not independent"} <= set(names)


def test_contestants_take_turns() -> None:
    first = [entry.contestant for entry in entries(OFFER, (4, 1))[:6]]
    assert first == [MTCLI, CTRANSLATE2, MARIAN] * 2


def test_every_contestant_is_a_module() -> None:
    assert MODULES.keys() == set(NAMES)


def test_what_is_compiled_is_compiled_for_one_number_type() -> None:
    dtypes = {name: ["float32", "bfloat16"] for name in (STOCK, COMPILED)}
    found = entries(Offer(cores=4, dtypes=dtypes, batches=True), (1,))
    names = [one.name for one in found if one.contestant == COMPILED]
    assert names == [f"PyTorch, compiled, float32, greedy, batch {batch}" for batch in (32, 64)]
    assert {one.settings.get("compiled") for one in found if one.contestant == COMPILED} == {"inductor"}
    assert [(one.dtype, one.settings) for one in found if one.contestant == STOCK] == [
        (dtype, {"batch": batch}) for dtype in ("float32", "bfloat16") for batch in (32, 64)
    ]


def test_the_slow_decode_a_part_where_that_is_offered() -> None:
    dtypes = {name: ["float32"] for name in NAMES}
    for few in (None, 64):
        found = entries(Offer(cores=4, dtypes=dtypes, batches=True, first_of_slow=few), (4, 1))
        assert {one.first for one in found if one.contestant == JOEYNMT} == {few}
        assert {one.first for one in found if one.contestant != JOEYNMT} == {None}
        assert any("first 64 sentences" in one.way for one in found) == (few is not None)


def test_one_core_has_one_layout() -> None:
    offer = Offer(cores=1, dtypes={CTRANSLATE2: ["float32"]}, batches=True)
    layouts = [(one.settings["inter_threads"], one.settings["intra_threads"]) for one in entries(offer, (1,))]
    assert layouts == [(1, 1)] * 3


def test_one_sentence_at_a_time_has_nothing_to_run_side_by_side() -> None:
    offer = Offer(cores=4, dtypes={CTRANSLATE2: ["float32"], MARIAN: ["float32"]}, batches=False)
    found = entries(offer, (1,))
    assert {one.settings["batch"] for one in found} == {1}
    assert {one.settings.get("inter_threads", 1) for one in found} == {1}
    assert {one.settings["intra_threads"] for one in found if one.contestant == CTRANSLATE2} == {1, 4}


def test_lines_are_an_offer() -> None:
    offer = Offer(cores=4, dtypes={MTCLI: ["float32"]}, batches=True, lines=True)
    assert [one.way for one in entries(offer, (1,))] == ["", "not independent", "lines to lines"]


def test_kinds_differ_in_more_than_batch_and_threads() -> None:
    settings = {"batch": 32, "inter_threads": 1, "intra_threads": 4}
    entry = Entry(CTRANSLATE2, "int8", 4, settings)
    assert entry.kind == Entry(CTRANSLATE2, "int8", 4, {"batch": 64, "inter_threads": 4, "intra_threads": 1}).kind
    assert entry.kind != Entry(CTRANSLATE2, "int8", 1, settings).kind
    assert entry.kind != Entry(CTRANSLATE2, "float32", 4, settings).kind
    assert len({one.kind for one in entries(OFFER, (4,)) if one.contestant == MTCLI}) == 2


def test_the_reference_stays_whatever_is_asked_for() -> None:
    names = [entry.name for entry in matching(entries(OFFER, (4, 1)), ["*int8*batch 64, 4 x*"])]
    assert names == [
        "mtcli, float32, beam 4",
        "mtcli, float32, greedy",
        "CTranslate2, int8, beam 4, batch 64, 4 x 1 threads",
        "CTranslate2, int8, greedy, batch 64, 4 x 1 threads",
    ]
    assert len(matching(entries(OFFER, (4,)), [])) == len(entries(OFFER, (4,)))
