"""Markup: tags stay, text stays text, and nothing takes long."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtcli.serve.markup import Runs, well_formed

HOSTILE = st.text(alphabet="<>/!?-='\" &;ab[]", max_size=60)


def translated(text: str, **options: object) -> str:
    runs = Runs.of(text, **options)  # type: ignore[arg-type]
    return runs.filled([run.upper() for run in runs.texts])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<p>I love <b>you</b>.</p>", "<p>I LOVE <b>YOU</b>.</p>"),
        ("a<br>b", "A<br>B"),
        ("  a\n b  ", "  A B  "),
        ("&lt;script&gt;alert(1)&lt;/script&gt;", "&lt;SCRIPT&gt;ALERT(1)&lt;/SCRIPT&gt;"),
        ("&amp;lt;b&amp;gt;", "&amp;LT;B&amp;GT;"),
        ("<script>if (a < b) a()</script>c", "<script>if (a < b) a()</script>C"),
        ("<code>a</code> b", "<code>a</code> B"),
        ('<span translate="no">a <b>c</b></span> b', '<span translate="no">a <b>c</b></span> B'),
        ('<i class="x notranslate">a</i> b', '<i class="x notranslate">a</i> B'),
        ("<!-- a > b -->c", "<!-- a > b -->C"),
        ('<a title="x > y">z</a>', '<a title="x > y">Z</a>'),
        ("1 < 2 and b > a", "1 &lt; 2 AND B &gt; A"),
        ("a <b", "A &lt;B"),
        ("", ""),
        ("<br>", "<br>"),
    ],
)
def test_tags_stay_and_text_is_translated(text: str, expected: str) -> None:
    assert translated(text) == expected


def test_elements_to_ignore_are_copied() -> None:
    text = 'a <x id="12">b</x> <X>c</X>'
    assert translated(text, also_copied=frozenset({"x"}), is_html=False) == 'A <x id="12">b</x> <X>C</X>'
    assert translated('a <x id="12"/> b', also_copied=frozenset({"x"}), is_html=False) == 'A <x id="12"/> B'


@given(HOSTILE)
def test_no_tag_is_made_and_none_is_lost(text: str) -> None:
    runs = Runs.of(text)
    tags = Runs.of(runs.filled(runs.texts))
    assert [re.sub(r"\s+", " ", piece) for piece in tags.kept] == [re.sub(r"\s+", " ", piece) for piece in runs.kept]
    assert list(tags.texts) == list(runs.texts)


@pytest.mark.parametrize(
    "text", ["<a " * 50_000, "<" * 100_000, "<a '\">" * 20_000, "<!--" * 50_000 + ">", "</" * 50_000]
)
def test_hostile_markup_ends(text: str) -> None:
    assert translated(text)


@pytest.mark.parametrize(
    ("text", "is_whole"), [("a <b>c</b>", True), ("<b>", False), ("&nbsp;", False), ("a]]>", False)]
)
def test_what_is_well_formed(text: str, is_whole: bool) -> None:
    assert well_formed(text) is is_whole
