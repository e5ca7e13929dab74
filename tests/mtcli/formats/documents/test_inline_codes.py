"""Pairs of marks are found and numbered; what is left over stands alone."""

from hypothesis import given
from hypothesis import strategies as st
from support.documents import check_content

from mtcli.formats.documents.inline_codes import Mark, numbered
from mtcli.formats.documents.model import Code, CodeKind, codes_of

OPEN, CLOSE, POINT = CodeKind.OPEN, CodeKind.CLOSE, CodeKind.POINT


def test_what_overlaps_is_no_pair() -> None:
    content = numbered(["a", Mark("<b>", OPEN, "b"), "c", Mark("<i>", OPEN, "i"), Mark("</b>", CLOSE, "b"), "", "d"])
    assert content == ("a", Code(0, OPEN, "<b>"), "c", Code(1, POINT, "<i>"), Code(0, CLOSE, "</b>"), "d")


def test_an_end_alone_and_the_outer_of_two_beginnings_stand_alone() -> None:
    begin, end = Mark("<i>", OPEN, "i"), Mark("</i>", CLOSE, "i")
    content = numbered([end, begin, begin, "x", end])
    assert [(code.number, code.kind) for code in codes_of(content)] == [(0, POINT), (1, POINT), (2, OPEN), (2, CLOSE)]


MARKS = st.builds(Mark, st.just("<>"), st.sampled_from(CodeKind), st.sampled_from("ab"))


@given(st.lists(st.one_of(MARKS, st.sampled_from(["", "x", " "])), max_size=12))
def test_any_marks_make_a_content_with_all_of_them(pieces: list[str | Mark]) -> None:
    content = numbered(pieces)
    check_content(content)
    assert len(codes_of(content)) == sum(isinstance(piece, Mark) for piece in pieces)
    singles = [code.number for code in codes_of(content) if code.kind is not CLOSE]
    assert len(set(singles)) == len(singles)
