"""SubRip and WebVTT subtitles: cues and times never change, lines are broken again, sentences go on in the next cue."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.documents import check_identity, read, saved, shout, texts, translate, write

from mtcli.errors import DataError
from mtcli.formats.documents import srt, vtt
from mtcli.formats.documents.model import CodeKind, Content, Filled, Segment, codes_of, plain
from mtcli.formats.documents.subtitles import goes_on
from mtcli.formats.documents.wrapping import balance

CUE = "1\n00:00:01,000 --> 00:00:02,500\nHello there, you.\n"
SRT = {
    "empty": "",
    "blank": "\n\n",
    "one": CUE,
    "no end": CUE.rstrip("\n"),
    "crlf": (CUE + "\n2\n00:00:03,000 --> 00:00:04,000\nTwo lines\nof it.\n\n").replace("\n", "\r\n"),
    "two": CUE + "\n2\n00:00:03,000 --> 00:00:04,000\nA long line that was broken\nby somebody else.\n",
    "tags": '1\n00:00:01,000 --> 00:00:02,500\n<i>Hello</i> <font color="#fff">my</FONT> <B>friend\n{\\an8}here.\n',
    "dialogue": "1\n00:00:01,000 --> 00:00:02,500\n- Who is there?\n- It is me.\n",
    "three turns": "7\n00:00:01,000 --> 00:00:02,500\nthen he said:\n– Who is\nthere?\n-It is me.\n",
    "blank lines inside": "1\n00:00:01,000 --> 00:00:02,500\nfirst part\n\nsecond part\n\n\n"
    "2\n00:00:03,0 --> 00:00:04,0\nthird one\n",
    "no numbers": "00:00:01,000 --> 00:00:02,500\nHello you.\n\n00:00:03,000 --> 00:00:04,000\nBye now.\n",
    "no blank lines": "1\n00:00:01,000 --> 00:00:02,500\nHello you.\n2\n00:00:03,000 --> 00:00:04,000\nBye now.\n",
    "empty cue": "1\n00:00:01,000 --> 00:00:02,500\n\n2\n00:00:03,000 --> 00:00:04,000\nBye now.\n",
    "coordinates": "1\n00:00:01,000 --> 00:00:02,500 X1:40 X2:600 Y1:20 Y2:50\n  Hello you.  \n",
    "dots and short hours": "1\n0:00:01.000-->0:00:02.500\nHello you.\n\n2\n00:03,5 --> 00:04,5\nBye now.\n",
    "numbers as text": "1\n00:00:01,000 --> 00:00:02,500\n42\n\n2\n00:00:03,000 --> 00:00:04,000\n1 2\n3\n",
    "wide": "1\n00:00:01,000 --> 00:00:02,500\n今日はとても良い天気ですね。\n散歩に行きましょう。\n",
    "cut after a number": CUE + "\n2\n",
    "mark": "\ufeff" + CUE,
}
VTT = {
    "header alone": "WEBVTT",
    "header": "WEBVTT - a title\nKind: captions\nLanguage: en\n\n00:01.000 --> 00:02.000\nHello you.\n",
    "note": "WEBVTT\n\nNOTE do not\ntouch this\n\n00:01.000 --> 00:02.000\nHello you.\n\nNOTE\n\nNOTE -\n",
    "style": "WEBVTT\n\nSTYLE\n::cue { color: red }\n\nREGION\nid:a\n\n1\n00:01.000 --> 00:02.000 align:start\n"
    "Hello you.",
    "names": "WEBVTT\n\nintro-1\n00:00:01.000 --> 00:00:02.000\nHello you.\n\n"
    "NOTED\n00:00:03.000 --> 00:00:04.000\nBye now.\n",
    "voice": "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Roger Bing>We are in <c.loud>New York</c>\n",
    "two voices": "WEBVTT\n\n00:01.000 --> 00:02.000\n<v A>- One two.</v>\n<v B>- Three four.</v>\n",
    "times inside": "WEBVTT\n\n00:01.000 --> 00:09.000\nOne <00:02.000>two <00:03.000><i>three</i>\n",
    "entities": "WEBVTT\n\n00:01.000 --> 00:02.000\nTom &amp; Jerry &lt;3 a&nbsp;b & c &gt; d\n",
    "ruby": "WEBVTT\n\n00:01.000 --> 00:02.000\n<ruby>漢<rt>kan</rt></ruby> is <lang en>it</lang>\n",
    "crlf": "WEBVTT\r\n\r\n00:01.000 --> 00:02.000\r\nHello you,\r\nmy friend.\r\n\r\n",
    "empty cue": "WEBVTT\n\n00:01.000 --> 00:02.000\n\n00:02.000 --> 00:03.000\nBye now.\n",
    "block without times": "WEBVTT\n\njust text\nof two lines\n\n00:02.000 --> 00:03.000\nBye now.\n",
    "mark": "\ufeffWEBVTT\n\n00:02.000 --> 00:03.000\nBye now.\n",
    "dialogue": "WEBVTT\n\n00:01.000 --> 00:02.000\n- Who is there?\n- It is me.\n",
    "many blank lines": "WEBVTT\n\n\n\n00:02.000 --> 00:03.000\nBye now.\n\n\n\n"
    "00:04.000 --> 00:05.000\nReally gone.\n\n\n",
}
FORMATS = {"srt": srt.FORMAT, "vtt": vtt.FORMAT}
CASES = [(kind, name) for kind, files in (("srt", SRT), ("vtt", VTT)) for name in files]


def file_of(kind: str, name: str, directory: Path) -> Path:
    return saved(directory, f"x.{kind}", {"srt": SRT, "vtt": VTT}[kind][name])


def squeezed(segment: Segment, content: Content | None = None) -> str:
    """Its text, or another one, without spaces: a line's end between wide characters is none, and one beside is."""
    return "".join(plain(segment.content if content is None else content).split())


def frame(content: bytes) -> list[str]:
    """What never changes: the lines with times and those that are no text."""
    return [line.strip() for line in content.decode().split("\n") if "-->" in line or line.startswith("NOTE")]


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_translations_that_change_nothing_change_nothing(kind: str, name: str, tmp_path: Path) -> None:
    check_identity(FORMATS[kind], file_of(kind, name, tmp_path))


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_cues_keep_their_times_and_have_what_was_filled_in(kind: str, name: str, tmp_path: Path) -> None:
    form, path = FORMATS[kind], file_of(kind, name, tmp_path)
    before = read(form, path)
    after = saved(tmp_path, f"y.{kind}", translate(form, path))
    again = read(form, after)
    assert [one.id for one in again] == [one.id for one in before]
    assert list(map(squeezed, again)) == [squeezed(one, shout(one.content)) for one in before]
    assert [codes_of(one.content) for one in again] == [codes_of(one.content) for one in before]
    assert frame(after.read_bytes()) == frame(path.read_bytes())
    assert after.read_bytes().count(b"\n") <= path.read_bytes().count(b"\n")


def test_what_is_in_a_cue(tmp_path: Path) -> None:
    assert (
        texts(read(srt.FORMAT, file_of("srt", "two", tmp_path)))[1] == "A long line that was broken by somebody else."
    )
    assert texts(read(srt.FORMAT, file_of("srt", "dialogue", tmp_path))) == ["Who is there?", "It is me."]
    assert texts(read(srt.FORMAT, file_of("srt", "three turns", tmp_path))) == [
        "then he said:",
        "Who is there?",
        "It is me.",
    ]
    (tagged,) = read(srt.FORMAT, file_of("srt", "tags", tmp_path))
    assert [(one.source, one.kind) for one in codes_of(tagged.content)] == [
        ("<i>", CodeKind.OPEN),
        ("</i>", CodeKind.CLOSE),
        ('<font color="#fff">', CodeKind.OPEN),
        ("</FONT>", CodeKind.CLOSE),
        ("<B>", CodeKind.POINT),
        ("{\\an8}", CodeKind.POINT),
    ]
    assert texts(read(vtt.FORMAT, file_of("vtt", "entities", tmp_path))) == ["Tom & Jerry <3 a\u00a0b & c > d"]
    assert texts(read(vtt.FORMAT, file_of("vtt", "style", tmp_path))) == ["Hello you."]


def test_a_translation_has_at_most_as_many_lines_and_even_ones(tmp_path: Path) -> None:
    path = file_of("srt", "two", tmp_path)
    long = "This translation is quite a bit longer than what had been there before it"
    written = write(srt.FORMAT, path, [Filled("1", None), Filled("2", (long,))]).decode()
    assert written.endswith("This translation is quite a bit longer\nthan what had been there before it\n")
    assert write(srt.FORMAT, path, [Filled("1", (long,)), Filled("2", ("Short.",))]).decode() == (
        f"1\n00:00:01,000 --> 00:00:02,500\n{long}\n\n2\n00:00:03,000 --> 00:00:04,000\nShort.\n"
    )


def test_text_that_looks_like_times_ends_no_cue(tmp_path: Path) -> None:
    for kind, name in (("srt", "two"), ("vtt", "header")):
        path = file_of(kind, name, tmp_path)
        segments = read(FORMATS[kind], path)
        filled = [Filled(one.id, ("00:00:09,000 --> 00:00:10,000\n\nx",)) for one in segments]
        assert len(read(FORMATS[kind], saved(tmp_path, "y", write(FORMATS[kind], path, filled)))) == len(segments)


def test_sentences_that_go_on_in_the_next_cue(tmp_path: Path) -> None:
    cues = ["I went to the market", "to buy some bread.", "It was closed.", "So I came,", "John, home", "Later", "then"]
    starts = [1, 3, 5, 7, 9, 11, 30]
    content = "".join(
        f"{number}\n00:00:{start:02},000 --> 00:00:{start + 1:02},500\n{cue}\n\n"
        for number, (cue, start) in enumerate(zip(cues, starts, strict=True), start=1)
    )
    segments = read(srt.FORMAT, saved(tmp_path, "x.srt", content))
    assert [one.joins for one in segments] == [True, False, False, True, False, False, False]
    for text, following in (
        ("[door]", "it opens"),
        ("Stop!", "he said"),
        ("안녕", "하세요"),
        ("♪ la", "la la"),
        ("x", "♪ y"),
    ):
        assert not goes_on(text, following)
    assert goes_on("and so...", "...it went on")


def test_lines_are_as_even_as_can_be() -> None:
    assert balance(["a ", "b ", "c ", "d"], [1, 1, 1, 1], 2, 4) == ["a b", "c d"]
    assert balance(["a ", "b"], [1, 1], 2, 42) == ["a b"]
    assert balance(["long " * 1] * 400, [4] * 400, 3, 42)[0].count("long") == 134


@pytest.mark.parametrize(
    ("kind", "content", "line", "what"),
    [
        ("srt", b"Dear reader,\nthis is a letter.\n", 1, "no subtitle begins here"),
        ("srt", b"\n\nx\n00:00:01,000 --> 00:00:02,000\na\n", 3, "no subtitle begins here"),
        ("srt", CUE.encode() + b"\n2\n00:00:03,000 --> 00:\n", 6, "no line of times"),
        ("srt", CUE.encode() + b"\n2\n00:00:03,000 --> 00:00:04,000\n\xe9t\xe9\n", 7, "not valid UTF-8"),
        ("srt", CUE.encode("utf-16-le")[:-1], 3, "not valid utf-16"),
        ("vtt", CUE.encode(), 1, "begins with the word WEBVTT"),
        ("vtt", b"", 1, "begins with the word WEBVTT"),
        ("vtt", b"WEBVTT\n\n00:01.000 --> 00:0\nx\n", 3, "no line of times"),
        ("vtt", b"WEBVTT\n\n00:01.000 --> 00:02.000\n\xff\n", 4, "not valid UTF-8"),
    ],
)
def test_what_is_no_file_of_subtitles_is_told(kind: str, content: bytes, line: int, what: str, tmp_path: Path) -> None:
    path = saved(tmp_path, f"x.{kind}", content)
    with pytest.raises(DataError, match=f"x.{kind}:{line}: .*{what}"):
        read(FORMATS[kind], path)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_marked_encodings_stay(encoding: str, tmp_path: Path) -> None:
    path = saved(tmp_path, "x.srt", SRT["two"].encode(encoding))
    check_identity(srt.FORMAT, path)
    assert translate(srt.FORMAT, path).decode(encoding).startswith("1\n")


WORDS = st.lists(st.sampled_from(["a", "Bb", "<i>", "</i>", "<b>", "- x", "12", "漢字", "{\\an8}", "…", "\n", " "]))


@given(st.lists(WORDS, max_size=5), st.sampled_from(["\n", "\r\n"]))
def test_made_up_subtitles(tmp_path_factory: pytest.TempPathFactory, cues: list[list[str]], newline: str) -> None:
    directory = tmp_path_factory.mktemp("subtitles")
    for kind in ("srt", "vtt"):
        point = "," if kind == "srt" else "."
        content = "WEBVTT\n\n" if kind == "vtt" else ""
        for number, words in enumerate(cues):
            text = re.sub(r"\n\s*\n", "\n", " ".join(words)).strip()
            content += f"{number}\n00:00:{number:02}{point}000 --> 00:00:{number:02}{point}900\n{text}\n\n"
        path = saved(directory, f"x.{kind}", content.replace("\n", newline))
        segments = check_identity(FORMATS[kind], path)
        after = saved(directory, f"y.{kind}", translate(FORMATS[kind], path))
        assert frame(after.read_bytes()) == frame(path.read_bytes())
        wanted = [squeezed(one, shout(one.content)) for one in segments]
        assert list(map(squeezed, read(FORMATS[kind], after))) == wanted
