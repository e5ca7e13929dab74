"""A line is repaired the same alone and in company, however it is asked for; without repair nothing is."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtcli.decoding.repair.faults import weight_of
from mtcli.decoding.translator import Translator
from mtcli.translation import Translation

LINES = (
    "https://example.com/path?x=1",
    "The price is $1,299.99 (incl. VAT).",
    "Click <b>Save</b> to store %d files in {folder}.",
    "PLEASE DO NOT SWITCH OFF THE MACHINE.",
    "Run `pip install foo` first.",
    "Hello, {name}! You have {count} new messages.",
    "I am here.",
    "",
    "It was 17 or 230 miles. He knows.",
)


@cache
def box() -> Translator:
    """The model in the box."""
    return Translator()


@cache
def alone(line: str) -> Translation:
    """A line repaired by itself."""
    [found] = box().translate([line])
    return found


@settings(max_examples=10)
@given(st.lists(st.sampled_from(LINES), max_size=7), st.sampled_from(["list", "iterator", "futures"]))
def test_the_same_alone_and_in_company(lines: list[str], way: str) -> None:
    expected = [alone(line) for line in lines]
    if way == "list":
        assert box().translate(lines) == expected
    elif way == "iterator":
        assert list(box().translate(iter(lines), batch_tokens=64)) == expected
    else:
        assert [future.result(60) for future in box().submit(lines)] == expected


def test_most_faults_go_and_none_are_added() -> None:
    plain, repaired = box().translate(LINES, repair=False, flag=True), box().translate(LINES, flag=True)
    weights = [(weight_of(one.findings), weight_of(other.findings)) for one, other in zip(plain, repaired, strict=True)]
    assert all(after <= before for before, after in weights)
    assert sum(after for _, after in weights) < sum(before for before, _ in weights) / 4
    for line, one, other in zip(LINES, plain, repaired, strict=True):
        assert (one.text == other.text) or other.repaired or "https" in line


def test_without_repair_lines_are_as_the_search_gave_them() -> None:
    translator = box()
    before = translator.work.repaired
    for found in translator.translate(LINES, repair=False):
        assert (found.findings, found.repaired) == ((), "")
        if found.source and len(found.source_parts) == 1:
            assert found.text == translator.model.tokenizers.tgt.line(list(found.tokens))
    assert translator.work.repaired == before


def test_work_is_counted() -> None:
    translator = Translator()
    found = translator.translate(LINES)
    assert translator.work.repaired == sum(bool(one.repaired) for one in found) > 3
    assert translator.work.flagged == sum(bool(one.findings) for one in found)
    assert translator.work.parts >= translator.work.decoded > len(LINES)


@pytest.mark.parametrize("n_best", [1, 4])
def test_the_first_is_the_same_however_many_are_wanted(n_best: int) -> None:
    for line, found in zip(LINES, box().translate(LINES, n_best=n_best), strict=True):
        assert found.text == alone(line).text
        texts = [candidate.text for candidate in found.n_best]
        assert len(texts) == len(set(texts)) <= n_best


def test_futures_given_up_free_the_engines() -> None:
    translator = box()
    for future in reversed(translator.submit([*LINES] * 3)):
        future.cancel()
    assert translator.translate(["I am here."])[0].text == alone("I am here.").text
