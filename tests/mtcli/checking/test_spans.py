"""What is protected in a text, and what only looks like it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtcli.checking.spans import SpanKind, protected_spans

URL, EMAIL, CODE, TAG, ENTITY, PLACEHOLDER, PATH, OPTION, VERSION, NUMBER, EMOJI = SpanKind


def found(text: str) -> list[tuple[SpanKind, str]]:
    return [(span.kind, span.text) for span in protected_spans(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("See https://example.com/path?x=1.", [(URL, "https://example.com/path?x=1")]),
        ("(https://de.wikipedia.org/wiki/Maß_(Physik))", [(URL, "https://de.wikipedia.org/wiki/Maß_(Physik)")]),
        ("https://example.com를 보세요", [(URL, "https://example.com")]),
        ("詳細はwww.example.jpをご覧ください。", [(URL, "www.example.jp")]),
        ("Visit www.example.com, please", [(URL, "www.example.com")]),
        ("http://{host}/a", [(URL, "http://{host}/a")]),
        ("Write to jane.doe+x@mail.example.org.", [(EMAIL, "jane.doe+x@mail.example.org")]),
        ("mail a_b@example.com에", [(EMAIL, "a_b@example.com")]),
        ("Run `git push` or __init__", [(CODE, "`git push`"), (CODE, "__init__")]),
        ("call file_name and os.path() now", [(CODE, "file_name"), (CODE, "os.path()")]),
        ("commit 3f786850e387550f", [(CODE, "3f786850e387550f")]),
        ("Click <b>Save</b> now", [(TAG, "<b>"), (TAG, "</b>")]),
        ('<a href="x.html">here</a><br/>', [(TAG, '<a href="x.html">'), (TAG, "</a>"), (TAG, "<br/>")]),
        ("<0>one</0>", [(TAG, "<0>"), (TAG, "</0>")]),
        ("a &amp; b &#8211; c", [(ENTITY, "&amp;"), (ENTITY, "&#8211;")]),
        ("%d files in {folder}", [(PLACEHOLDER, "%d"), (PLACEHOLDER, "{folder}")]),
        ("%1$s of %(total)d", [(PLACEHOLDER, "%1$s"), (PLACEHOLDER, "%(total)d")]),
        ("{{ name }} ${x} %{y} {0} {}", [(PLACEHOLDER, one) for one in ("{{ name }}", "${x}", "%{y}", "{0}", "{}")]),
        (
            "{n, plural, one {# file} other {# files}} left",
            [(PLACEHOLDER, "{n, plural, one {# file} other {# files}}")],
        ),
        ("%.2f %-5d %%", [(PLACEHOLDER, "%.2f"), (PLACEHOLDER, "%-5d"), (PLACEHOLDER, "%%")]),
        ("$name costs $5.50", [(PLACEHOLDER, "$name"), (NUMBER, "5.50")]),
        ("$1 copied", [(PLACEHOLDER, "$1")]),
        ("Open C:\\Users\\x.txt or /etc/fstab.", [(PATH, "C:\\Users\\x.txt"), (PATH, "/etc/fstab")]),
        ("the file report.pdf.", [(PATH, "report.pdf")]),
        ("~/.bashrc", [(PATH, "~/.bashrc")]),
        ("use --dry-run here", [(OPTION, "--dry-run")]),
        ("version 2.11.0-rc1, v3", [(VERSION, "2.11.0-rc1"), (VERSION, "v3")]),
        ("1,299.99 und 1.299.000", [(NUMBER, "1,299.99"), (NUMBER, "1.299.000")]),
        ("am 31.12.1999 um 7:30", [(NUMBER, "31.12.1999"), (NUMBER, "7:30")]),
        ("12\u202f500 €", [(NUMBER, "12\u202f500")]),
        ("fine 👍🏽 👨‍👩‍👧 🇩🇪 1️⃣", [(EMOJI, one) for one in ("👍🏽", "👨‍👩‍👧", "🇩🇪", "1️⃣")]),
    ],
)
def test_what_is_protected(text: str, expected: list[tuple[SpanKind, str]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A man and/or a woman -- who knows?",
        "He said: wait--what?",
        "Das ist gut.",
        "a < b and c > d",
        "AT&T and R&D",
        "e.g. this, z.B. das",
        "{this is only a remark in braces}",
    ],
)
def test_what_is_not_protected(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize("text", ["100% of it", "50 %ige Lösung", "a discount of 20%discount"])
def test_a_percentage_is_no_placeholder(text: str) -> None:
    assert {kind for kind, _ in found(text)} == {NUMBER}


def test_only_the_kinds_wanted_are_given() -> None:
    text = "3 files at https://example.com/4 by a@example.com"
    assert [span.text for span in protected_spans(text, {NUMBER, EMAIL})] == ["3", "a@example.com"]


@given(st.text(st.sampled_from("ab1.%{}<>/\\$@_-&;:()`' \u00a0한。😀"), max_size=40))
def test_spans_lie_in_the_text_in_order(text: str) -> None:
    place = 0
    for span in protected_spans(text):
        assert place <= span.start < span.end <= len(text)
        assert text[span.start : span.end] == span.text
        place = span.end
