"""Plain text: what was broken at a width is one text and wrapped again, all else stays by line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.documents import check_identity, read, saved, shout, texts, translate, write

from mtcli.errors import DataError
from mtcli.formats.documents.model import Filled, ReadOptions, plain
from mtcli.formats.documents.paragraphs import FORMAT

PROSE = (
    "The quick brown fox jumps over the lazy dog and runs away from\n"
    "all of them, because nobody has told it where the others went,\n"
    "and so it goes on until it comes to the river, where it stops\n"
    "and drinks.\n"
)
POEM = (
    "Once upon a morning in the early spring,\nThere was a bird that would not ever sing,\n"
    "Until the sun came up above the sea,\nAnd said to it: now come and sing with me.\n"
)
FILES = {
    "empty": "",
    "blank": "\n \n\t\n",
    "one line": "Hello there, you.\n",
    "no final newline": "Hello there, you.",
    "prose": PROSE,
    "two paragraphs": f"{PROSE}\n{PROSE}",
    "poem": POEM,
    "list": f"Things to buy:\n- bread and butter\n- milk\n  1. one of it\n  2. two of it\n\n{PROSE}",
    "long item": "- The quick brown fox jumps over the lazy dog and runs away from\n"
    "  all of them, because nobody has told it where the others went,\n  and drinks.\n- short one\n",
    "table": "Name      Age   Town\nAnn Lee   12    New York\n\na\tb c\td\n\n| x y | z w |\n|-----|-----|\n",
    "heading": f"A heading here\n==============\n\n{PROSE}",
    "code": "Text of it:\n\n```\nint main() { return 0; }\n```\n\nMore text.\n",
    "indented": "".join(f"    {line}\n" for line in PROSE.splitlines()),
    "quote": "> quoted words\n> more of them\n",
    "crlf": PROSE.replace("\n", "\r\n"),
    "address": "Ann Lee\n12 Long Street\nNew York\n",
    "first line indented": "    " + PROSE,
    "wide": "これは長い文章で、改行されていますが、実際には一つの段落です。そして、\n"
    "二行目もありますので、つなげて翻訳する必要があります。空白はありません。\n三行目です。\n",
    "hyphen": "The quick brown fox jumps over the lazy dog and is a well-\n"
    "known animal in all of the towns that it has ever visited,\n"
    "as far as we have been told by those who live in them now,\nand so.\n",
    "double spaces": PROSE.replace(", ", ".  "),
    "mark": "\ufeff" + PROSE,
    "rules": "One two\n-----\n*****\n\n- - -\n3 4\n",
}


@pytest.mark.parametrize("name", FILES)
def test_translations_that_change_nothing_change_nothing(name: str, tmp_path: Path) -> None:
    path = saved(tmp_path, "x.txt", FILES[name])
    check_identity(FORMAT, path)
    check_identity(FORMAT, path, ReadOptions(wrap=30))


@pytest.mark.parametrize("name", [name for name in FILES if name != "double spaces"])  # which would begin cells
def test_what_is_written_reads_as_what_was_filled_in(name: str, tmp_path: Path) -> None:
    path = saved(tmp_path, "x.txt", FILES[name])
    before = read(FORMAT, path)
    written = translate(FORMAT, path)
    again = read(FORMAT, saved(tmp_path, "y.txt", written))
    assert [one.text for one in again] == [plain(shout(one.content)) for one in before], written.decode()
    blank = [not line.strip() for line in [*FILES[name].splitlines(), ""]]
    new_blank = [not line.strip() for line in [*written.decode().splitlines(), ""]]
    assert sum(blank) == sum(new_blank)


def test_what_is_one_text(tmp_path: Path) -> None:
    def found(name: str) -> list[str]:
        return texts(read(FORMAT, saved(tmp_path, "x.txt", FILES[name])))

    prose = " ".join(PROSE.split())
    for name in ("prose", "indented", "crlf"):
        assert found(name) == [prose]
    assert found("poem") == POEM.splitlines()
    assert found("list")[:3] == ["Things to buy:", "bread and butter", "milk"]
    assert found("long item")[0].endswith("went, and drinks.") and found("long item")[1:] == ["short one"]
    assert found("table") == ["Name", "Age", "Town", "Ann Lee", "12", "New York", *"a", "b c", "d", "x y", "z w"]
    assert found("heading") == ["A heading here", prose]
    assert found("code") == ["Text of it:", "More text."]
    assert found("address") == FILES["address"].splitlines()
    assert len(found("wide")) == 1 and " " not in found("wide")[0]
    assert "well-known" in found("hyphen")[0]


def test_a_paragraph_is_wrapped_as_it_was_or_as_is_asked(tmp_path: Path) -> None:
    path = saved(tmp_path, "x.txt", FILES["indented"])
    text = "word " * 60 + "- end"
    for options, width in ((ReadOptions(), 66), (ReadOptions(wrap=40), 40)):
        lines = write(FORMAT, path, [Filled("1", (text,))], options).decode().splitlines()
        assert " ".join(line.removeprefix("    ") for line in lines) == text
        assert width - 5 < max(map(len, lines)) <= width and all(line.startswith("    ") for line in lines)


@pytest.mark.parametrize(
    ("content", "line", "what"),
    [(b"a\nb \xff\n", 2, "not valid UTF-8"), (b"a\n\nb\0\n", 3, "zero byte"), (b"\xff\xfea", 1, "not valid utf-16")],
)
def test_what_is_no_text_is_told(content: bytes, line: int, what: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"x.txt:{line}: .*{what}"):
        read(FORMAT, saved(tmp_path, "x.txt", content))


@pytest.mark.parametrize(
    ("content", "what"), [(b"\x1f\x8b\x08\x00", "compressed"), (b"%PDF-1.4\n", "PDF"), (b"PK\x03\x04word/", "Word")]
)
def test_what_is_another_kind_of_file_is_told(content: bytes, what: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=what):
        read(FORMAT, saved(tmp_path, "x.txt", content))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        read(FORMAT, tmp_path / "x.txt")


LINES = st.lists(
    st.one_of(
        st.lists(st.sampled_from(["a", "word", "longer", "é", "漢字", "-", "1.", "|", "  ", "\t"]), max_size=20).map(
            " ".join
        ),
        st.sampled_from(["", "```", "- x y", "====", PROSE.strip()]),
    ),
    max_size=8,
)


@given(LINES, st.sampled_from(["\n", "\r\n"]))
def test_made_up_texts(tmp_path_factory: pytest.TempPathFactory, lines: list[str], newline: str) -> None:
    path = saved(tmp_path_factory.mktemp("text"), "x.txt", "\n".join(lines).replace("\n", newline))
    check_identity(FORMAT, path)
    check_identity(FORMAT, path, ReadOptions(wrap=20))
    translate(FORMAT, path)
