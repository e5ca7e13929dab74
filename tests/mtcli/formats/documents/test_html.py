"""Web pages as people write them: what is not translated keeps its bytes, what is keeps its tags."""

from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.documents import check_identity, read, saved, shout, texts, translate, write

from mtcli.errors import DataError
from mtcli.formats.documents.model import Filled, ReadOptions, codes_of, plain
from mtcli.formats.documents.registry import by_name, name_for

FORM = by_name("html")
PAGES = {
    "plain": "<p>Hello world.</p>",
    "whole": "<!DOCTYPE html>\n<html lang='en'>\n<head><meta charset=utf-8><title>My page</title>\n"
    '<meta name="description" content="What it is &amp; does">\n<style>p > b { color: red }</style>'
    "<script>if (a < b) document.write('<p>no</p>')</script></head>\n<body>\n  <h1>The  house</h1>\n"
    "  <p>I live in a\n     <b>big <i>house</i></b>.</p>\n</body></html>\n",
    "unclosed": "<ul><li>One thing<li>Two <b>things<li>Three</b></ul><p>And<p>so on",
    "attributes": "<img src=a.png alt='A black dog'><input type=submit value=Send>"
    "<a title=\"The page\" href=x?a=1&b=2>go</a><input type=text value=kept placeholder='Your name'>",
    "kept": '<p>Use <code>git &lt;x&gt;</code> and <span translate="no">ACME <b>x</b></span> now</p>'
    '<div class="a notranslate"><p>not <b>this</b></p><div>nor this</div></div><p>but this</p>',
    "breaks": "<p>line one<br>line two<br />line three</p><pre>  a\n   b c\n</pre>",
    "entities": "<p>Tom &amp; Jerry &lt;3 &nbsp;caf&eacute; &#x1F600; &copy &notanentity; a < b</p>",
    "comments": "<p>a <!-- <b> --> b</p><!-- c --><![CDATA[x]]><?php echo 1 ?><p>d</p>",
    "table": "<table><tr><th>Name<th>Age<tr><td>Tom<td>12</table>",
    "select": "<label>Size <select><option value=1>small<option>large</select></label><textarea>Some text</textarea>",
    "upper": "<HTML><BODY><P ALIGN=left>Upper <B>case</B></P></BODY></HTML>",
    "crlf": "<p>one\r\ntwo</p>\r\n<p>three</p>\r\n",
    "nothing": "<p>  </p><div><img src=x></div>",
    "empty": "",
    "broken": "<p>a <b c='d>e</b> f < g <> </ h> <",
    "svg": "<p>see <svg viewBox='0 0 1 1'><title>No</title><path d='M0'/></svg> there</p>",
    "nested": "<div>text before <p>inside <a href=#><em>the</em> link</a></p> text after</div>",
    "xhtml": '<?xml version="1.0"?><html xmlns="x" xml:lang="en" lang="en"><body><p>a<br/>b</p></body></html>',
}  # fmt: skip


class Tags(HTMLParser):
    """The tags of a page, with attributes that people do not see."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        hidden = [(name, value) for name, value in attributes if name in ("src", "href", "class", "type", "name")]
        self.found.append(f"{tag} {sorted(map(str, hidden))}")

    def handle_endtag(self, tag: str) -> None:
        self.found.append(f"/{tag}")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_that_is_not_translated_keeps_its_bytes(name: str, tmp_path: Path) -> None:
    path = saved(tmp_path, "a.html", PAGES[name])
    assert name_for(path) == "html"
    check_identity(FORM, path, ReadOptions(target_language="ar"))


@pytest.mark.parametrize("name", PAGES)
def test_a_translated_page_has_its_tags_and_reads_back(name: str, tmp_path: Path) -> None:
    path = saved(tmp_path, "a.html", PAGES[name])
    output = saved(tmp_path, "b.html", translate(FORM, path))
    wanted, found = read(FORM, path), read(FORM, output)
    assert [plain(shout(one.content)).split() for one in wanted] == [plain(one.content).split() for one in found]
    assert [len(codes_of(one.content)) for one in wanted] == [len(codes_of(one.content)) for one in found]
    assert sorted(Tags(output.read_text()).found) == sorted(Tags(PAGES[name]).found)


TEXT = st.text(st.sampled_from("ab <>&;'\"=/!-\n\t"), max_size=8)
TAGS = st.sampled_from(
    ["<p>", "</p>", "<b>", "</b>", "<br>", "<i title='t u'>", "</i>", "<code>", "</code>", "<!--", "-->", "<pre>"]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(TEXT, TAGS), max_size=12))
def test_any_text_at_all_is_read_and_kept(tmp_path: Path, pieces: list[str]) -> None:
    path = saved(tmp_path, "a.html", "".join(pieces))
    segments = check_identity(FORM, path)
    written = saved(
        tmp_path,
        "b.html",
        write(FORM, path, [Filled(one.id, ("x",) if not codes_of(one.content) else None) for one in segments]),
    )
    assert len(read(FORM, written)) == len(segments)


def test_blocks_and_what_is_shown_are_segments(tmp_path: Path) -> None:
    assert texts(read(FORM, saved(tmp_path, "a.html", PAGES["whole"]))) == [
        "My page", "What it is & does", "The house", "I live in a big house.",
    ]  # fmt: skip
    assert texts(read(FORM, saved(tmp_path, "b.html", PAGES["attributes"]))) == [
        *("go", "A black dog", "Send"),
        *("The page", "Your name"),
    ]
    assert texts(read(FORM, saved(tmp_path, "c.html", PAGES["kept"]))) == ["Use git <x> and ACME x now", "but this"]
    assert texts(read(FORM, saved(tmp_path, "d.html", PAGES["select"]))) == ["Size ", "small", "large", "Some text"]


@pytest.mark.parametrize(
    ("page", "wanted"),
    [
        ("<p>a <span translate=no>ACME <b>x</b></span> c</p><p class=notranslate>no</p>", ["a ACME x c"]),
        ("<P TRANSLATE=NO>no</P><p>yes</p>", ["yes"]),
        ("<ul><li translate=no>no<li>yes</ul><p>one", ["yes", "one"]),
        ("<ul><li translate=no>no <b>nor this</ul><p>one", ["one"]),
        ("<div><p translate=no>no <i>nor</i> this<p>yes</div>", ["yes"]),
        ("<table><tr translate=no><td>no<td>nor<tr><td>yes</table>", ["yes"]),
        ("<div translate=no><p>no<p>nor</div>yes", ["yes"]),
        ("<div translate=no>no <p>to <div>the</div> end", []),
        ("<!-->yes<!-- <p>no --><p>one", ["yes", "one"]),
        ("<textarea>a\n  b</textarea><pre>c\n  d</pre> e\n  f", ["a\n  b", "c\n  d", " e f"]),
        ("<p>so <math><mi>x</mi><annotation>x^2</annotation></math> is", ["so  is"]),
        ("<p>see <picture><source><img alt='a dog' src=x></picture> there", ["see  there", "a dog"]),
        ("<p>open <svg><g>to the <p>end", ["open ", "to the ", "end"]),
        ("<a href=/?a=b&title=x title=seen title=not>go</a>", ["go", "seen"]),
    ],
)
def test_pages_are_read_as_browsers_do(page: str, wanted: list[str], tmp_path: Path) -> None:
    assert texts(check_identity(FORM, saved(tmp_path, "a.html", page))) == wanted


def test_a_picture_is_one_code_whatever_is_in_it(tmp_path: Path) -> None:
    path = saved(tmp_path, "a.html", "<p>see <picture><div><img alt='a dog' src=x></div></picture> <b>there</b></p>")
    assert [code.kind.value for code in codes_of(read(FORM, path)[0].content)] == ["point", "open", "close"]
    wanted = b'<p>SEE <picture><div><img alt="DOG A" src=x></div></picture> <b>THERE</b></p>'
    assert translate(FORM, path) == wanted


@pytest.mark.parametrize(
    "piece",
    ["<", "<a ", "<a b='", '<a b="', '<a =">"', "<!--", "<![CDATA[", "</", "<script>", "a<b ", " ", "<svg>", "&"],
)
def test_no_page_takes_long(piece: str, tmp_path: Path) -> None:
    # A reader that looks at all that follows once for each piece takes minutes for these: nobody needs a clock for it.
    for end in ("", ">", "<p>x"):
        list(FORM.read(saved(tmp_path, "a.html", piece * 20_000 + end), ReadOptions()))


def test_new_text_never_becomes_a_tag(tmp_path: Path) -> None:
    path = saved(tmp_path, "a.html", '<p title="a">b</p>')
    new = [Filled(one.id, ("<script>\"'&",)) for one in read(FORM, path)]
    assert write(FORM, path, new) == b'<p title="&lt;script&gt;&quot;&#x27;&amp;">&lt;script&gt;"\'&amp;</p>'


@pytest.mark.parametrize(
    ("page", "language", "wanted"),
    [
        ("<html lang=en class=x><p>b</p></html>", "de", '<html lang="de" class=x><p>B</p></html>'),
        ("<HTML LANG='en'><p>b</p>", "de", '<HTML LANG="de"><p>B</p>'),
        ("<html><p>b</p>", "ar", '<html lang="ar" dir="rtl"><p>B</p>'),
        ('<html lang="ar" dir=rtl><p>b</p>', "de", '<html lang="de" dir="ltr"><p>B</p>'),
        (
            "<!--[if IE]><html class=ie><![endif]--><html lang=en xml:lang=en>b",
            "de",
            '<!--[if IE]><html class=ie><![endif]--><html lang="de" xml:lang="de">B',
        ),
        ("<p>b</p>", "ar", "<p>B</p>"),
    ],
)
def test_language_and_direction_are_set(page: str, language: str, wanted: str, tmp_path: Path) -> None:
    path = saved(tmp_path, "a.html", page)
    assert translate(FORM, path, options=ReadOptions(target_language=language)).decode() == wanted


def test_encodings(tmp_path: Path) -> None:
    latin = saved(tmp_path, "a.html", '<meta charset="iso-8859-1"><p>café</p>'.encode("latin-1"))
    [segment] = check_identity(FORM, latin)
    assert segment.text == "café"
    output = write(FORM, latin, [Filled(segment.id, ("한 café",))])
    assert output == '<meta charset="iso-8859-1"><p>&#54620; café</p>'.encode("latin-1")
    with pytest.raises(DataError, match=r"b\.html:1: byte 4"):
        read(FORM, saved(tmp_path, "b.html", b"<p>\xff</p>"))
