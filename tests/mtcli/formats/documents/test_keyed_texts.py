# ruff: noqa: E501 (a document is read best in one line)
"""Formats of an interface's texts by their keys: JSON, ARB, properties, Apple's strings."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.documents import check_identity, read, saved, shout, texts, translate, write

from mtcli.errors import DataError
from mtcli.formats.documents import arb, json_format, properties, strings
from mtcli.formats.documents.model import Filled, ReadOptions, plain

JSON = {
    "empty object": "{}",
    "simple": '{"a": "one two", "b": "three"}\n',
    "nested": '{\n  "menu": {"open": "Open it", "items": ["one two", 3, {"x": "four five"}, ["six seven"]]},\n  "n": null, "t": true, "e": 1.5e3\n}\n',
    "array": '["one two", "three four"]',
    "one string": '  "one two"  ',
    "escapes": '{"a": "tab\\there \\"q\\" \\\\ \\u00e9 \\ud83d\\ude00 a\\/b\\nnew"}',
    "raw letters": '{"é": "ü ä", "漢": "字 か", "x": "😀 a"}',
    "no text": '{"a": "", "b": " ", "c": 1}',
    "edges": '{"a": " one two\\n"}',
    "odd keys": '{"a.b": "one two", "a": {"b": "three four", "c/d~e": "five six"}, "": "seven"}',
    "same keys": '{"a": "one two", "a": "three four", "b": {"a": "x y"}}',
    "crlf and tabs": '{\r\n\t"a" :\t"one two" ,\r\n\t"b":"three"\r\n}\r\n',
    "half a pair": '{"a": "one \\ud83d two", "b": "three four"}',
    "strings with brackets": '{"a": "one } ] two", "b": "{three}, [four]: \\"x\\"", "c,d": "x:y z"}',
    "extension": '{"title": {"message": "A title", "description": "What it says"}, "x": {"message": "Hello $NAME$", "placeholders": {"name": {"content": "$1"}}}}',
    "mark": '\ufeff{"a": "one two"}',
    "deep": '{"a":' * 50 + '"one two"' + "}" * 50,
    "no space": '{"a":"b c","d":["e f","g h"]}',
}
ARB = {
    "empty": "{}",
    "simple": '{\n  "@@locale": "en",\n  "hello": "Hello {name}",\n  "@hello": {"description": "Greets", "placeholders": {"name": {"type": "String", "example": "Ann Lee"}}}\n}\n',
    "no locale": '{"hello": "Hello you", "bye": "Bye now"}',
    "global metadata": '{"@@locale": "en", "@@x-template": "a b", "@@last_modified": "2020", "a": "one two"}',
    "plural": '{"n": "{count, plural, =1{one thing} other{{count} things}}", "@n": {"placeholders": {"count": {}}}}',
    **{
        name: JSON[name]
        for name in (
            "escapes",
            "raw letters",
            "edges",
            "crlf and tabs",
            "mark",
            "no text",
            "strings with brackets",
            "half a pair",
            "same keys",
            "nested",
        )
    },
}
PROPERTIES = {
    "empty": "",
    "simple": "a=one two\nb: three\nc four five\n",
    "comments": "# note here\n! and here\na = one two\n\n#other\n\nb = three\n",
    "continued": "a = one \\\n    two \\\n\tthree\nb\\\n = four five\n",
    "escapes": "a\\ b\\:c\\=d = tab\\there \\u00e9 \\\\ new\\nline \\q\n\\u0061x=six\n",
    "unicode": "a=é ü\nb=漢 字\nc=\\u6f22 😀\n",
    "crlf": "# c d\r\na=one \\\r\n  two\r\n\r\nb=three\r\n",
    "carriage returns": "a=one two\rb=three\r",
    "no values": "a\nb=\nc:\nd   \n = e f\n",
    "edges": "a=\\ one two  \nb=\\u0020x y\n",
    "same keys": "a=one two\na=three\n",
    "no final newline": "a=one two",
    "backslash at the end": "a=one two\\",
    "message format": "a=It''s {0} of {1,number}\nb=100% sure\n",
    "comment with a backslash": "# not continued \\\na=one two\n",
    "separators": "a = = x y\nb:=z w\nc\t\fd e\n",
    "mark": "\ufeffa=one two\n",
}
STRINGS = {
    "empty": "",
    "simple": '"a" = "one two";\n"b"="three";\n',
    "comments": '/* Title of\n the window */\n"a" = "one two";\n// another\n"b" = "three"; // after\n/* left */',
    "escapes": '"a \\"b\\"" = "say \\"it\\" \\n tab\\t \\\\ \\U00e9 \\u00e9 \\101";\n',
    "no quotes": 'CFBundleName = Name;\nkey.b = "one two";\n',
    "key alone": '"one two";\n"b" = "three";\n',
    "on lines": '"a"\n=\n"one\ntwo"\n;\n',
    "comments inside": '"a" /* x */ = /* y */ "one two" /* z */;\n',
    "crlf": '/* c */\r\n"a" = "one two";\r\n',
    "same keys": '"a" = "one two";\n"a" = "three";\n',
    "letters": '"é" = "ü ä";\n"漢" = "字 か 😀";\n',
    "formats": '"%d files" = "%1$d files in %2$@";\n',
    "edges": '"a" = " one two\\n";\n"b" = "";\n',
    "comment signs in texts": '"a" = "one /* two */ // three";\n',
    "mark": '\ufeff"a" = "one two";\n',
    "one line": '"a"="b c";"d"="e f";',
}
KINDS: dict[str, tuple[Any, dict[str, str]]] = {
    "json": (json_format.FORMAT, JSON),
    "arb": (arb.FORMAT, ARB),
    "properties": (properties.FORMAT, PROPERTIES),
    "strings": (strings.FORMAT, STRINGS),
}
CASES = [(kind, name) for kind, (_, files) in KINDS.items() for name in files]


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_translations_that_change_nothing_change_nothing(kind: str, name: str, tmp_path: Path) -> None:
    form, files = KINDS[kind]
    check_identity(form, saved(tmp_path, f"x.{kind}", files[name]), ReadOptions(target_language="de"))


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_what_is_written_reads_as_what_was_filled_in(kind: str, name: str, tmp_path: Path) -> None:
    form, files = KINDS[kind]
    path = saved(tmp_path, f"x.{kind}", files[name])
    before = read(form, path)
    after = saved(tmp_path, f"y.{kind}", translate(form, path))
    again = read(form, after)
    assert [(one.id, one.text, one.context) for one in again] == [
        (one.id, plain(shout(one.content)).strip(), one.context) for one in before
    ]
    if kind in ("json", "arb"):
        old, new = (json.loads(one.read_bytes().decode("utf-8-sig")) for one in (path, after))
        assert shape(old) == shape(new)


def shape(value: Any) -> Any:
    """All but the texts, in order."""
    if isinstance(value, dict):
        return [(key, shape(one)) for key, one in value.items()]
    if isinstance(value, list):
        return [shape(one) for one in value]
    return "text" if isinstance(value, str) and value.strip() else value


TEXTS = (
    *(
        '"q" \\ /',
        "a\nb\tc\r",
        "é漢😀",
        "\u2028x\x85",
        "a\\nb",
        "#x",
        "!x",
        "= x",
        ": x",
        "\\u00e9",
        "a;b",
        "*/ x",
        "//",
        "{x}",
    ),
    *("a, b", "]}", "  x  ", "\x07x", "it's", "\\", '\\"', "%@", "\x0cx", "word " * 40 + "end"),
)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (kind, name)
        for kind, name in CASES
        if name in ("simple", "escapes", "letters", "unicode", "crlf", "continued", "raw letters")
    ],
)
def test_any_text_can_be_written(kind: str, name: str, tmp_path: Path) -> None:
    form, files = KINDS[kind]
    path = saved(tmp_path, f"x.{kind}", files[name])
    before = read(form, path)
    for text in TEXTS:
        after = saved(tmp_path, f"y.{kind}", write(form, path, [Filled(one.id, (text,)) for one in before]))
        assert [(one.id, one.text) for one in read(form, after)] == [(one.id, text.strip()) for one in before], text


def test_json_keeps_its_ways(tmp_path: Path) -> None:
    for content, expected in (
        (JSON["crlf and tabs"], '{\r\n\t"a" :\t"ÄÖ" ,\r\n\t"b":"ÄÖ"\r\n}\r\n'),
        ('{"a": "\\u00e9 x"}', '{"a": "\\u00c4\\u00d6"}'),
        ('{"a": "x\\/y"}', '{"a": "ÄÖ"}'),
    ):
        path = saved(tmp_path, "x.json", content)
        written = write(json_format.FORMAT, path, [Filled(one.id, ("ÄÖ",)) for one in read(json_format.FORMAT, path)])
        assert written.decode() == expected
    path = saved(tmp_path, "x.json", '{"a": "x\\/y"}')
    assert write(json_format.FORMAT, path, [Filled("/a", ("z/w",))]) == b'{"a": "z\\/w"}'


def test_what_is_translated_of_json(tmp_path: Path) -> None:
    found = read(json_format.FORMAT, saved(tmp_path, "x.json", JSON["extension"]))
    assert [(one.id, one.text, one.context) for one in found] == [
        ("/title/message", "A title", "What it says"),
        ("/x/message", "Hello $NAME$", ""),
    ]
    ids = [one.id for one in read(json_format.FORMAT, saved(tmp_path, "x.json", JSON["odd keys"]))]
    assert ids == ["/a.b", "/a/b", "/a/c~1d~0e", "/"]
    assert texts(read(json_format.FORMAT, saved(tmp_path, "x.json", JSON["half a pair"]))) == ["three four"]


def test_an_arb_file_gets_the_targets_language(tmp_path: Path) -> None:
    path = saved(tmp_path, "x.arb", ARB["simple"])
    (segment,) = read(arb.FORMAT, path)
    assert (segment.text, segment.context, segment.syntax) == ("Hello {name}", "Greets", {"icu"})
    written = translate(arb.FORMAT, path, options=ReadOptions(target_language="pt-BR")).decode()
    assert written == ARB["simple"].replace('"en"', '"pt_BR"').replace("Hello {name}", "{name} HELLO")
    assert translate(arb.FORMAT, path).decode() == ARB["simple"].replace("Hello {name}", "{name} HELLO")
    assert texts(read(arb.FORMAT, saved(tmp_path, "x.arb", ARB["global metadata"]))) == ["one two"]


def test_properties_are_written_as_the_file_writes_letters(tmp_path: Path) -> None:
    for content, expected in (
        (b"a=x y\n", b"a=\\u00c4 \\ud83d\\ude00\n"),
        ("a=é y\n".encode(), "a=Ä 😀\n".encode()),
        ("a=é y\n".encode("latin-1"), b"a=\xc4 \\ud83d\\ude00\n"),
    ):
        path = saved(tmp_path, "x.properties", content)
        check_identity(properties.FORMAT, path)
        assert write(properties.FORMAT, path, [Filled("a", ("Ä 😀",))]) == expected
    assert texts(read(properties.FORMAT, saved(tmp_path, "x", PROPERTIES["continued"]))) == [
        "one two three",
        "four five",
    ]
    found = read(properties.FORMAT, saved(tmp_path, "x", PROPERTIES["crlf"]))
    assert [(one.text, one.context) for one in found] == [("one two", "c d"), ("three", "")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig"])
def test_strings_in_other_encodings(encoding: str, tmp_path: Path) -> None:
    path = saved(tmp_path, "x.strings", STRINGS["comments"].encode(encoding))
    found = check_identity(strings.FORMAT, path)
    assert [one.context for one in found] == ["Title of\n the window", "another"]
    assert '"a" = "TWO ONE";' in translate(strings.FORMAT, path).decode(encoding)


@pytest.mark.parametrize(
    ("kind", "content", "line", "what"),
    [
        ("json", b'{"a": "b"\n, "c": "d\n', 2, "not JSON"),
        ("json", b'{"a": "b"', 1, "not JSON"),
        ("json", b'{"a": "b",\n}', 2, "not JSON"),
        ("json", b"", 1, "not JSON"),
        ("json", b'{"a":\n"\xff"}', 2, "not valid UTF-8"),
        ("json", b'{"a": "x\x01"}', 1, "not JSON"),
        ("json", b"[" * 100_000, 1, "nests too deeply"),
        ("arb", b"[]", 1, "an .arb file is an object"),
        ("arb", b'{"a": "b"', 1, "not JSON"),
        ("properties", b"a=b c\nb=\\u12\n", 2, "lacks its four digits"),
        ("properties", b"a=b\0\n", 1, "zero byte"),
        ("strings", b'"a" = "b";\n"c" = "d"\n', 2, "no entry begins here"),
        ("strings", b'"a" = "b;\n', 1, "no entry begins here"),
        ("strings", b'/* a\n\n"a" = "b";\n', 1, "no entry begins here"),
        ("strings", b'"a" = "b";\n"a" = "\xff";\n', 2, "not valid UTF-8"),
    ],
)
def test_what_is_damaged_is_told_with_its_line(kind: str, content: bytes, line: int, what: str, tmp_path: Path) -> None:
    path = saved(tmp_path, f"x.{kind}", content)
    with pytest.raises(DataError, match=f"x.{kind}:{line}: .*{re.escape(what)}"):
        read(KINDS[kind][0], path)


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=8,
)


@given(VALUES, st.sampled_from([None, 2, "\t"]), st.booleans())
def test_made_up_json(tmp_path_factory: pytest.TempPathFactory, value: Any, indent: Any, is_ascii: bool) -> None:
    path = saved(tmp_path_factory.mktemp("json"), "x.json", json.dumps(value, indent=indent, ensure_ascii=is_ascii))
    check_identity(json_format.FORMAT, path)
    written = translate(json_format.FORMAT, path)
    assert shape(json.loads(written)) == shape(value)


PAIRS = st.lists(st.tuples(st.text(min_size=1, max_size=8), st.text(max_size=20)), max_size=5)


@given(PAIRS, st.sampled_from(["\n", "\r\n"]), st.sampled_from([" = ", "=", ": ", " "]))
def test_made_up_properties_and_strings(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, str]], newline: str, separator: str
) -> None:
    directory = tmp_path_factory.mktemp("keyed")

    def escaped(text: str) -> str:
        units = text.encode("utf-16-be")
        return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))

    content = "".join(f"{escaped(key)}{separator}{escaped(value)}{newline}" for key, value in pairs)
    check_made_up(saved(directory, "x.properties", content), "properties", pairs)
    content = "".join(f'"{escaped(key)}" = "{escaped(value)}";{newline}' for key, value in pairs)
    check_made_up(saved(directory, "x.strings", content), "strings", pairs)


def check_made_up(path: Path, kind: str, pairs: list[tuple[str, str]]) -> None:
    form = KINDS[kind][0]
    before = check_identity(form, path)
    assert [one.text for one in before] == [value.strip() for _, value in pairs if value.strip()]
    after = saved(path.parent, f"y.{kind}", write(form, path, [Filled(one.id, (one.text + "é😀",)) for one in before]))
    assert [one.text for one in read(form, after)] == [f"{one.text}é😀" for one in before]


@pytest.mark.parametrize(
    "content", ['"a" ' + "/* */ " * 3000 + "x", '"a" = "b"' + " \n" * 3000 + "/*", '"' + "\\a" * 9000]
)
def test_hostile_strings_end(content: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no entry begins here"):
        read(strings.FORMAT, saved(tmp_path, "x.strings", content))
