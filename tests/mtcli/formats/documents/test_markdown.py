# ruff: noqa: E501 (a document is read best in one line)
"""Markdown: what is written reads as what was there, with other words."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.documents import check_identity, read, saved, shout, texts, translate, write

from mtcli.errors import DataError
from mtcli.formats.documents.markdown import FORMAT
from mtcli.formats.documents.markdown_parsing import parser
from mtcli.formats.documents.model import Code, Filled, codes_of, plain

FILES = {
    "empty": "",
    "blank": "\n\n  \n",
    "paragraph": "Hello there, you.\n",
    "no final newline": "Hello there, you.",
    "headings": "# One two #\n\n## Three `four` ##\n\nFive six\n===\n\nseven\neight\n---\n\n#\n\n####### no heading\n",
    "wrapped": "This is a paragraph that somebody has broken\ninto lines of a width of some fifty columns,\nas is usual.\n",
    "emphasis": "Some *very* **bold and _nested_ words** and ~~gone ones~~, `code`, __more__, un*frigging*believable.\n",
    "links": 'See [the page](https://x.org/a_b "A title") and [this][ref], [ref] or [ref][], <https://y.org/_z_>.\n\n'
    "[ref]: https://z.org 'Ref title'\n",
    "images": '![A nice dog](dog.png "My dog") runs by ![](x.png) and ![ref].\n\n[![Build it](b.svg)](https://ci)\n\n[ref]: a.png\n',
    "code": "Text one:\n\n    indented code\n\n```python\nprint('x')\n```\n\n~~~\nmore code\n~~~\n\nEnd of it `` a ` b ``.\n",
    "lists": "- one two\n- three four\n  five six\n\n  second paragraph\n    - nested one\n\n1. first\n2) second\n* [ ] to do\n* [x] done it\n",
    "quotes": "> quoted words that go\n> on in a second line\nand a lazy one\n>\n> > nested quote here\n\n> [!NOTE]\n> Mind the gap.\n",
    "table": "| Name one | Value \\| two |\n|---|:-:|\n| a `b\\|c` d | **x y** |\n| lonely\nz | w x |\n\nA b | C d\n--- | ---\n1 | two three\n",
    "quoted table": "> | One two | Three |\n> |---|---|\n> | four five | |\n",
    "html": '<div align="center">\n<b>not touched</b>\n</div>\n\nA <b>bold</b> word<br>and <kbd>Ctrl</kbd> <!-- no -->.\n',
    "breaks": "First line here  \nsecond line here\\\nthird line here\n\n> quoted one  \n> quoted two\n",
    "footnotes": "Text with a note[^1] and ^[inline note].\n\n[^1]: The note says\n    more than this.\n\n    Second paragraph.\n",
    "math": "The sum $a_1 + b*c$ is big, it costs $5 and $10.\n\n$$\nx = y\n$$\n",
    "front matter": '---\ntitle: A nice page\ndescription: "Said: yes"\nlayout: home\ntags: [one, two]\n---\n\nText of it.\n',
    "shortcodes": '{{< figure src="x" >}}\n\n{% include a.html %}\n\nHello {{ user.name }}, see {% link b %}.\n\n:::note\nMind this.\n:::\n\n# A title {#anchor}\n',
    "mdx": "import X from './x'\n\nexport const y = 1\n\n<Tabs>\n\nText in it.\n\n</Tabs>\n\n{/* comment */}\n",
    "crlf": "# One two\r\n\r\nThree four\r\nfive six.\r\n\r\n- seven eight\r\n  nine\r\n",
    "entities": "AT&amp;T &copy; 2020 &nbsp; \\*not emphasis\\* 2 * 3 < 4 & snake_case_name [x] a\\_b\n",
    "rules": "Above it\n\n---\n\n***\n\nBelow it\n",
    "tabs": "-\tone two\n\n\tthree four\n\n>\tfive six\n",
    "emoji": "Well done :tada: my friend at 10:30:45.\n",
    "looks like blocks": "It has 1\\. and \\# and \\- in it, a + b, 1986\\. A year.\n",
    "mark": "\ufeff# Title of it\n\nText one.\n",
    "alert without text": "> [!TIP]\n",
    "comments": "<!-- a\nlong one -->\n\nText after it.\n\nText <!-- inside --> here.\n",
    "reference in text": "Go to [the *big* page][] now.\n\n[the *big* page]: /x\n",
    "toc": "[TOC]\n\n[[_TOC_]]\n\nText one.\n",
    "wide": "これは**とても重要**です。次の文。\n\n**重要。**です\n",
    "parts of words": "foo_bar_ baz **a**b *c*d __e__\n",
}


def structure(content: str) -> list[tuple[object, ...]]:
    """The kinds of tokens, with where they lead and what is code in them."""
    found: list[tuple[object, ...]] = []
    for token in parser().parse(content.removeprefix("\ufeff"), {}):
        kept = token.content if token.type in ("fence", "code_block", "html_block", "verbatim", "math_block") else ""
        found.append((token.type, token.tag, token.markup, token.info, kept))
        for child in token.children or ():
            if child.type not in ("text", "softbreak"):
                attributes = {key: value for key, value in child.attrs.items() if key not in ("title", "alt")}
                kept = child.content if child.type in ("code_inline", "html_inline", "math_inline") else ""
                kept = " ".join(kept.split())
                found.append((child.type, child.markup.replace("_", "*"), str(attributes), kept))
    return found


def body(content: str) -> str:
    """The document after its front matter."""
    return content.split("---\n", 2)[2] if content.startswith("---\ntitle") else content


@pytest.mark.parametrize("name", FILES)
def test_translations_that_change_nothing_change_nothing(name: str, tmp_path: Path) -> None:
    check_identity(FORMAT, saved(tmp_path, "x.md", FILES[name]))


@pytest.mark.parametrize("name", FILES)
def test_what_is_written_has_the_same_structure(name: str, tmp_path: Path) -> None:
    path = saved(tmp_path, "x.md", FILES[name])
    before = read(FORMAT, path)
    after = saved(tmp_path, "y.md", translate(FORMAT, path))
    written = after.read_bytes().decode()
    assert structure(body(written)) == structure(body(FILES[name])), written
    again = read(FORMAT, after)
    if name not in ("wide", "parts of words"):  # whose emphasis needs another space, or a star for a line
        assert [one.text for one in again] == [plain(shout(one.content)) for one in before], written


def test_what_is_in_a_document(tmp_path: Path) -> None:
    def found(name: str) -> list[str]:
        return texts(read(FORMAT, saved(tmp_path, "x.md", FILES[name])))

    assert found("wrapped") == [FILES["wrapped"].replace("\n", " ").strip()]
    assert found("code") == ["Text one:", "End of it  a ` b ."]
    assert found("images") == [" runs by  and .", "A nice dog", "My dog", "ref", "Build it"]
    assert found("links")[1:] == ["A title"]
    assert found("lists")[-2:] == ["to do", "done it"]
    assert found("quotes") == [
        "quoted words that go on in a second line and a lazy one",
        "nested quote here",
        "Mind the gap.",
    ]
    assert found("table")[:3] == ["Name one", "Value | two", "a b|c d"]
    assert found("front matter") == ["A nice page", "Said: yes", "Text of it."]
    assert found("mdx") == ["Text in it."]
    assert found("shortcodes") == ["Hello , see .", "Mind this.", "A title "]
    assert found("entities") == ["AT&T © 2020 \u00a0 *not emphasis* 2 * 3 < 4 & snake_case_name [x] a_b"]


def test_what_is_code_is_opaque(tmp_path: Path) -> None:
    (segment,) = read(FORMAT, saved(tmp_path, "x.md", "Run `a b` or <https://x.y>, **z**\n"))
    assert [(code.source, code.is_opaque) for code in codes_of(segment.content)] == [
        *[("`", True)] * 2,
        ("<", True),
        (">", True),
        *[("**", False)] * 2,
    ]


def filled(content: str, *translations: str | tuple[str | Code, ...], tmp_path: Path) -> str:
    path = saved(tmp_path, "x.md", content)
    segments = read(FORMAT, path)
    new = [(one,) if isinstance(one, str) else one for one in translations]
    return write(FORMAT, path, [Filled(one.id, text) for one, text in zip(segments, new, strict=True)]).decode()


def test_text_that_would_be_markdown_is_escaped_and_other_is_not(tmp_path: Path) -> None:
    assert filled("a\n", "2 * 3 is snake_case, [x] & C#!", tmp_path=tmp_path) == "2 * 3 is snake_case, [x] & C#!\n"
    for text in (
        *("# no heading", "- no item", "1. no item", "1986) x", "> no quote", "*a*", "_a_ b", "`x`", "<b>x</b>"),
        *("[a](b)", "![a](b)", "&amp; &lt;", "a\\*b", "a | b", "~~a~~", "$x$", "***", "===", "+ a", ":::note", "[^1]"),
        *(
            "{{ x }}",
            "{x}",
            "<https://a.b>",
            "[a]: b",
            "```",
            "~~~",
            ":tada:",
            "end\\",
            "[TOC]",
            "[x] y",
            "| a |",
            "    x",
        ),
        *("import a from 'b'", "!!! note", "%%x%%", "http://a_b_c.d", "a^[b]"),
    ):
        for frame in ("{}\n", "# {}\n", "- {}\n", "> {}\n\nx\n", "| {} |\n|---|\n", "{}\n===\n"):
            source = frame.format("word")
            written = filled(source, text, *(["y"] if "x\n" in source else []), tmp_path=tmp_path)
            again = saved(tmp_path, "z.md", written)
            assert structure(written) == structure(source), (text, frame, written)
            assert texts(read(FORMAT, again))[0] in (text.strip(), "word"), (text, frame, written)


def test_text_is_wrapped_as_wide_as_it_was_and_no_line_begins_a_block(tmp_path: Path) -> None:
    content = "> - This item is broken into lines\n>   that are about thirty-four wide\n"
    text = "Much longer text than it was - with dashes 1. and numbers # and signs that must not begin a line of it"
    written = filled(content, text, tmp_path=tmp_path)
    lines = written.splitlines()
    assert lines[0].startswith("> - Much") and all(line.startswith(">   ") for line in lines[1:])
    assert len(lines) == 4 and max(map(len, lines)) <= 38
    assert texts(read(FORMAT, saved(tmp_path, "z.md", written))) == [text]


def test_emphasis_that_moved_is_one_still(tmp_path: Path) -> None:
    path = saved(tmp_path, "x.md", "a **b** c\n")
    (segment,) = read(FORMAT, path)
    opening, closing = codes_of(segment.content)
    for content, written in (
        (("x ", opening, " y ", closing, "z"), "x **y** z\n"),
        (("これは", opening, "重要。", closing, "です"), "これは **重要。** です\n"),
        ((opening, "y", closing), "**y**\n"),
        ((opening, "a*b", closing, "c"), "**a\\*b**c\n"),
    ):
        assert write(FORMAT, path, [Filled(segment.id, content)]).decode() == written


def test_what_cannot_be_written_stays(tmp_path: Path) -> None:
    path = saved(tmp_path, "x.md", "a **b** c\n")
    (segment,) = read(FORMAT, path)
    opening, closing = codes_of(segment.content)
    assert write(FORMAT, path, [Filled(segment.id, ("x ", opening, closing, " y"))]) == b"a **b** c\n"


def test_a_link_whose_text_was_its_name_keeps_it(tmp_path: Path) -> None:
    content = "See [Ref] or [ref][].\n\n[ref]: /x\n"
    path = saved(tmp_path, "x.md", content)
    assert translate(FORMAT, path).decode() == "SEE [REF][Ref] OR [REF][ref].\n\n[ref]: /x\n"


def test_descriptions_and_titles_alone(tmp_path: Path) -> None:
    content = 'Look: ![a dog](d.png "A title") here\n'
    path = saved(tmp_path, "x.md", content)
    ids = [one.id for one in read(FORMAT, path)]
    for new, expected in (
        ((None, ("ein [Hund]",), None), 'Look: ![ein \\[Hund\\]](d.png "A title") here\n'),
        ((None, None, ('Ein "Titel"',)), 'Look: ![a dog](d.png "Ein \\"Titel\\"") here\n'),
        ((None, ("x",), ("y",)), 'Look: ![x](d.png "y") here\n'),
    ):
        written = write(FORMAT, path, [Filled(one, text) for one, text in zip(ids, new, strict=True)])
        assert written.decode() == expected


@pytest.mark.parametrize(
    ("content", "line", "what"), [(b"a\n\nb \xff\n", 3, "not valid UTF-8"), (b"a\n\0\n", 2, "zero byte")]
)
def test_what_is_no_text_is_told(content: bytes, line: int, what: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"x.md:{line}: .*{what}"):
        read(FORMAT, saved(tmp_path, "x.md", content))


@pytest.mark.parametrize(
    "piece", ["[", "![", "> ", "*a ", "`" * 3 + "\n", "<", "- ", "[a](", "_*", "$a", "{{", "| a ", "&"]
)
def test_hostile_documents_end(piece: str, tmp_path: Path) -> None:
    path = saved(tmp_path, "x.md", piece * 1500)
    check_identity(FORMAT, path)
    translate(FORMAT, path)


PIECES = st.sampled_from(
    [
        *"ab*_`[]()!<>#-+|~$\\:{}&;1.\n \t",
        "\n\n",
        "\n- ",
        "\n> ",
        "\n    ",
        "**b**",
        "[x](y)",
        "`c`",
        "| a | b |\n|---|---|\n",
        "word ",
        "![i](j)",
        "<b>",
        "</b>",
        "<br>",
        "\n# ",
        "\n1. ",
        "[r]: /u\n",
        "[r]",
        "  \n",
        "[^1]",
        "\n---\n",
        "é漢 ",
    ]
)


@given(st.lists(PIECES, max_size=25).map("".join))
def test_made_up_documents(tmp_path_factory: pytest.TempPathFactory, content: str) -> None:
    path = saved(tmp_path_factory.mktemp("markdown"), "x.md", content)
    check_identity(FORMAT, path)
    written = translate(FORMAT, path).decode()
    assert structure(written) == structure(content), (content, written)
