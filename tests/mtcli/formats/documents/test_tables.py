"""Tables: what `csv` reads is what was there, with a column filled."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.documents import check_identity, read, saved, shout, texts, translate, write

from mtcli.errors import DataError
from mtcli.formats.documents.csv_table import FORMAT as CSV
from mtcli.formats.documents.model import Filled, ReadOptions, plain
from mtcli.formats.documents.tsv_table import FORMAT as TSV

FILES = {
    "header alone": "source,target\n",
    "simple": "key,source,target\na,one two,\nb,three four,drei\n",
    "quoted": '"key","source","target"\r\n"a","one, two",""\r\n"b","say ""it""",""\r\n',
    "line ends": 'source,target\n"one\ntwo",\n"three\r\nfour",""\n',
    "short rows": "source,x,target\none two\nthree four,y\n\n,\nfive,z,fünf\n",
    "target first": "target,source\n,one two\nzwei,three\n",
    "semicolons": "source;target\none, two;\nthree;drei\n",
    "tabs": "source\ttarget\none, two\t\n",
    "no final newline": "source,target\none two,",
    "edges": "source,target\n one two ,\n",
    "blank sources": 'source,target\n,\n" ",\nx y,\n',
    "more columns": "source,target,comment,comment\none two,,note a,b\n",
    "mark": "\ufeffsource,target\none two,\n",
    "crlf": "source,target\r\none two,\r\n",
    "letters": "source,target\né ü 漢,\n",
    "spaces in the header": " source , target \none two,\n",
    "quotes inside": 'source,target\nsay "it" now,\n',
}


def parsed(content: bytes) -> list[list[str]]:
    text = content.decode("utf-8-sig")
    delimiter = next(one for one in ";\t," if one in text.splitlines()[0])
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


@pytest.mark.parametrize("name", FILES)
def test_translations_that_change_nothing_change_nothing(name: str, tmp_path: Path) -> None:
    check_identity(CSV, saved(tmp_path, "x.csv", FILES[name]))


@pytest.mark.parametrize("name", FILES)
def test_a_column_is_filled_and_the_others_stay(name: str, tmp_path: Path) -> None:
    path = saved(tmp_path, "x.csv", FILES[name])
    before = read(CSV, path)
    after = saved(tmp_path, "y.csv", translate(CSV, path))
    again = read(CSV, after)
    assert [(one.id, one.text) for one in again] == [(one.id, one.text) for one in before]
    assert not texts(again)
    for old, new in zip(before, again, strict=True):
        wanted = plain(shout(old.content)) if old.translate else plain(old.target or ())
        assert plain(new.target or ()).strip() == wanted
    rows, new_rows = parsed(path.read_bytes()), parsed(after.read_bytes())
    target = [cell.strip() for cell in rows[0]].index("target")
    for row, new_row in zip(rows, new_rows, strict=True):
        assert (
            new_row[:target] + new_row[target + 1 :] == (row + [""] * (target - len(row)))[:target] + row[target + 1 :]
            or new_row == row
        )


def test_quotes_are_kept_and_set_where_they_are_needed(tmp_path: Path) -> None:
    path = saved(tmp_path, "x.csv", 'source,target\none,\n"two",\nthree,""\n')
    filled = [Filled("2", ("a",)), Filled("3", ("b",)), Filled("4", ("c",))]
    assert write(CSV, path, filled).decode() == 'source,target\none,a\n"two","b"\nthree,"c"\n'
    filled = [Filled("2", ("a,b",)), Filled("3", ('"b"',)), Filled("4", ("c\nd",))]
    assert write(CSV, path, filled).decode() == 'source,target\none,"a,b"\n"two","""b"""\nthree,"c\nd"\n'


def test_settings_name_the_columns(tmp_path: Path) -> None:
    path = saved(tmp_path, "x.tsv", "en\tde\tnote\nhello you\t\ta note\n")
    options = ReadOptions(settings={"source": "en", "target": "de"})
    (segment,) = read(TSV, path, options)
    assert segment.context == "a note"
    assert translate(TSV, path, options=options).decode() == "en\tde\tnote\nhello you\tYOU HELLO\ta note\n"


@pytest.mark.parametrize(
    ("content", "line", "what"),
    [
        (b"", 1, "no column source"),
        (b"a,b\n1,2\n", 1, "no column source; there are a, b"),
        (b'source,target\n"a,\n', 2, "never closed"),
        (b'source,target\n"a"b,\n', 2, "after a closing quote"),
        (b"source,target\na,\n\xff,\n", 3, "not valid UTF-8"),
    ],
)
def test_what_is_no_table_is_told(content: bytes, line: int, what: str, tmp_path: Path) -> None:
    path = saved(tmp_path, "x.csv", content)
    with pytest.raises(DataError, match=f"x.csv:{line}: .*{what}"):
        read(CSV, path)


CELLS = st.text(st.sampled_from('ab é,;"\n\r\t'), max_size=8)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=6), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
def test_made_up_tables(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]], quoting: Any) -> None:
    stream = io.StringIO(newline="")
    csv.writer(stream, quoting=quoting).writerows([("key", "source", "target"), *rows])
    path = saved(tmp_path_factory.mktemp("table"), "x.csv", stream.getvalue())
    before = check_identity(CSV, path)
    assert [one.text for one in before] == [row[1].strip() for row in rows if row[1].strip()]
    written = list(csv.reader(io.StringIO(translate(CSV, path).decode(), newline="")))
    assert [row[:2] for row in written[1:]] == [list(row[:2]) for row in rows]
