"""What checks found, as text, JSON and HTML."""

import json
from html.parser import HTMLParser

import pytest

from mtcli.checking import Finding, Severity
from mtcli.checking.reports import CheckTally, FlaggedLine, HtmlReport, JsonReport, Report, ReportHead, TextReport
from mtcli.checking.reports.entries import in_pieces, visible

HEAD = ReportHead(source="a.en", target="<b>.de", pair=("en", "de"))
SOURCE, TARGET = "It costs <$5>.", "Es kostet\x1b[31m <$6>."
LINE = FlaggedLine(
    1204,
    SOURCE,
    TARGET,
    [
        Finding("number", Severity.ERROR, '"5" became "6"', ((11, 12),), ((17, 18),)),
        Finding("quote", Severity.WARNING, "a <mark> is alone"),
    ],
)


def written(report: Report, *lines: FlaggedLine) -> str:
    tally = CheckTally(lines=2000)
    text = report.begin(HEAD)
    for line in lines:
        tally.add(line)
        text += report.add(line)
    return text + report.end(tally)


def test_text_has_the_places_in_brackets() -> None:
    assert written(TextReport(), LINE) == (
        "line 1,204\n"
        '  error   number: "5" became "6" (source 12; target 18)\n'
        "  warning quote: a <mark> is alone\n"
        "  source  It costs <$⟦5⟧>.\n"
        "  target  Es kostet␛[31m <$⟦6⟧>.\n\n"
    )


def test_a_terminal_gets_colours_and_none_of_the_line() -> None:
    text = written(TextReport(colour=True), LINE)
    assert "\x1b[7m6\x1b[0m" in text and "⟦" not in text and "\x1b[31m" not in text


def test_a_long_line_is_shown_around_its_first_mark() -> None:
    finding = Finding("loop", Severity.ERROR, "x", target=((5000, 5003), (9000, 9001)))
    text = written(TextReport(), FlaggedLine(1, "s", "a" * 5000 + "bbb" + "c" * 5000, [finding]))
    assert f"…{'a' * 100}⟦bbb⟧{'c' * 297}…" in text and len(text) < 600


@pytest.mark.parametrize("lines", [(), (LINE,), (LINE, LINE)])
def test_json_is_one_object(lines: tuple[FlaggedLine, ...]) -> None:
    content = json.loads(written(JsonReport(), *lines))
    assert content["languages"] == ["en", "de"] and content["target"] == "<b>.de"
    assert len(content["lines"]) == content["counts"]["flagged"] == len(lines)
    for line in content["lines"]:
        [start, end] = line["findings"][0]["target"][0]
        assert line["line"] == 1204 and line["target"][start:end] == "6"
        assert line["findings"][1] == {
            "check": "quote",
            "severity": "warning",
            "message": "a <mark> is alone",
            "source": [],
            "target": [],
        }
    assert content["counts"]["checked"] == 2000


class Elements(HTMLParser):
    """Collects tags, attributes and text, and sees that tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.marks: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "mark":
            self.marks.append(data)


def test_html_is_whole_escaped_and_needs_no_other_host() -> None:
    page = written(HtmlReport(), LINE)
    found = Elements()
    found.feed(page)
    assert found.open == [] and found.marks == ["5", "6"]
    assert not {"link", "img", "iframe", "b>.de"} & set(found.tags) and found.tags.count("script") == 1
    assert not {"src", "href"} & {name for name, _ in found.attributes}
    assert "http" not in page and "url(" not in page and "@import" not in page
    assert "&lt;b&gt;.de" in page and "a &lt;mark&gt; is alone" in page
    assert '<article class="error" id="line-1204">' in page and 'value="number" checked' in page


def test_html_of_hostile_lines_stays_one_page() -> None:
    source, target = "</article></main><script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>\u202e&lt;"
    finding = Finding("echo", Severity.ERROR, source, ((0, len(source)),), ((0, 3), (2, len(target))))
    found = Elements()
    found.feed(written(HtmlReport(), FlaggedLine(1, source, target, [finding])))
    assert found.open == [] and found.tags.count("script") == 1 and "img" not in found.tags


def test_what_was_counted_in_one_sentence() -> None:
    tally = CheckTally(lines=1)
    assert tally.sentence() == "1 line checked, none flagged."
    tally = CheckTally(lines=2000)
    tally.add(LINE)
    tally.add(LINE)
    assert tally.sentence() == "2,000 lines checked, 2 flagged (0.1%): number 2, quote 2."
    assert tally.grave == 2


def test_overlapping_places_are_marked_once() -> None:
    assert list(in_pieces("abcdef", [(4, 5), (1, 3), (2, 4), (9, 12), (3, 3)])) == [
        ("a", False),
        ("bcde", True),
        ("f", False),
    ]


def test_what_would_move_a_cursor_is_shown() -> None:
    assert visible("a\x1b\x07\x7f\u202e\u2028\x9b") == "a␛␇␡\ufffd\ufffd\ufffd"
