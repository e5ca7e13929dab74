"""What stands around a line: kept around its translation where it belongs to the whole line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tiny import untrained_model

from mtcli.data.normalisation import normalise
from mtcli.decoding.frame import Frame
from mtcli.decoding.translator import Translator


@pytest.mark.parametrize(
    ("line", "framed"),
    [
        ("the dog", "X"),
        ("\u200fthe dog\u200e", "\u200fX\u200e"),
        ("\u202bthe dog\u202c", "\u202bX\u202c"),
        ("\u2067\u200ethe dog\u2069 ", "\u2067\u200eX\u2069"),
        ("\u202b\u2068the dog\u2069\u202c", "\u202b\u2068X\u2069\u202c"),
        ("the dog\u00ad", "X\u00ad"),
        ("\u200fthe dog\u200f\v", "\u200fX\u200f\v"),
        ("the dog,\u2028", "X,\u2028".replace(",", "")),
        ("\u2068Tom\u2069 sees the dog", "X"),  # the isolate is about one word
        ("\u200f\u202bthe dog", "\u200fX"),
        ("\u2067the dog\u202c\u200e", "X\u200e"),
        ("the \u200edog\ufeff\x00", "X"),
    ],
    ids=ascii,
)
def test_a_frame_stays_around_the_translation(line: str, framed: str) -> None:
    assert Frame.of(line).around("X") == framed


@pytest.mark.parametrize("char", "\u200e\u2066\u2069\u061c\u2060\u200b\ufeff\u00ad\0\u202a\u206a", ids=ascii)
def test_an_invisible_character_changes_no_translation(char: str) -> None:
    translator, line = Translator(untrained_model()), "the small dog sees a house"
    marked = [line[:place] + char + line[place:] for place in (6, 9, 10)]
    [plain, *found] = translator.translate([line, *marked])
    assert {translation.text for translation in found} == {plain.text}
    assert translator.translate([f"\u2067{line}\u2069\v"])[0].text == f"\u2067{plain.text}\u2069\v"


@given(st.text(st.sampled_from("\u200e\u202b\u202c\u2066\u2069\u00ad\v a"), max_size=12))
def test_a_frame_holds_nothing_that_is_read(line: str) -> None:
    frame = Frame.of(line)
    assert normalise(frame.before) == normalise(frame.behind) == ""
    assert len(frame.before) <= len(line) - len(line.lstrip(" \u200e\u202b\u202c\u2066\u2069"))
