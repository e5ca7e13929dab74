# ruff: noqa: E501 (a document is read best in one line)
"""YAML: what is written loads as what was there, with other texts."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from support.documents import check_identity, read, saved, shout, translate, write

from mtcli.errors import DataError
from mtcli.formats.documents.model import Filled, ReadOptions, plain
from mtcli.formats.documents.yaml_format import FORMAT

FILES = {
    "empty": "",
    "comment": "# nothing\n",
    "plain": "a: one two\nb: three # four\nc:   five six  \n",
    "no final newline": "a: one two",
    "quoted": "a: 'it''s one'\nb: \"two \\\"three\\\" \\u00e9\\n four\"\nc: ''\nd: \"\"\n",
    "no text": "a: 1\nb: true\nc: ~\nd: 2020-01-01\ne: 1.5\nf: yes\ng:\nh: !!binary aGk=\ni: !!int '3'\n",
    "lists": "- one two\n- - three\n  - four five\n- a: six\n  b: [seven eight, 'nine', \"ten\", {c: eleven twelve}]\n",
    "literal": "a: |\n  one two\n    three\n\n  four\nb: |-\n  five\nc: |+\n  six\n\n\nd: |2\n    lead seven\n",
    "folded": "a: >\n  one two three four\n  five six seven\n\n  eight nine\nb: >-\n  ten\nc: end\n",
    "plain on lines": "a: one two\n  three four\n\n  five\nb: 'six\n  seven'\nc: \"eight \\\n  nine\"\n",
    "anchors": "a: &x one two\nb: *x\nc: &y !!str three four\nd: !custom five\ne: &z\n  f: six\ng:\n  <<: *z\n",
    "documents": "%YAML 1.1\n---\na: one two\n---\na: three four\n...\n",
    "crlf": "a: one two\r\nb: |\r\n  three four\r\n  five\r\nc: six\r\n",
    "rails": 'en:\n  hello: Hello %{name}\n  day_names: [Sunday, Monday]\n  \'true\': "Yes it is"\n  posts:\n    one: one post\n    other: "%{count} posts"\n',
    "mark": "\ufeffa: one two\n",
    "odd keys": "? complex key\n: one two\n? (a)\n: three four\n1: five six\n'a/b~c': seven\na.b: eight\na: {b: nine ten}\n",
    "same keys": "a: one two\na: three four\n",
    "wide": "é: 'ü ä' # c\nb: 漢字 かな\n😀: 😀 a\n",
    "one scalar": "just a text\n",
    "one block": "--- |\n this is\n a text\n",
    "flow on lines": "{a: one two,\n b: 'three\n   four', c: [five\n six]}\n",
    "strange text": "a: one:two\nb: one#two\nc: -one\nd: 'yes'\ne: '12'\nf: \"- x\"\ng: 'a: b'\nh: \"#x y\"\n",
    "tabs after": "a: one two\t\nb: three\t# c\n",
    "header comments": "a: | # note\n  one two\nb: >1-\n   lead\n  x y\n",
}


def load(content: bytes) -> list[Any]:
    class Loader(yaml.CSafeLoader):
        pass

    Loader.add_constructor("!custom", lambda loader, node: loader.construct_scalar(node))  # type: ignore[arg-type]
    return list(yaml.load_all(content, Loader=Loader))


def shape(value: Any) -> Any:
    """All but the texts."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value]
    return "text" if isinstance(value, str) and value.strip() else value


@pytest.mark.parametrize("name", FILES)
def test_translations_that_change_nothing_change_nothing(name: str, tmp_path: Path) -> None:
    check_identity(
        FORMAT, saved(tmp_path, "x.yml", FILES[name]), ReadOptions(source_language="en", target_language="de")
    )


@pytest.mark.parametrize("name", FILES)
def test_what_is_written_loads_as_the_same_with_what_was_filled_in(name: str, tmp_path: Path) -> None:
    path = saved(tmp_path, "x.yml", FILES[name])
    before = read(FORMAT, path)
    after = saved(tmp_path, "y.yml", translate(FORMAT, path))
    written = after.read_bytes()
    assert [shape(one) for one in load(written)] == [shape(one) for one in load(path.read_bytes())], written.decode()
    again = read(FORMAT, after)
    assert [one.id for one in again] == [one.id for one in before]
    assert [one.text for one in again] == [plain(shout(one.content)).strip() for one in before], written.decode()


TEXTS = (
    *("yes", "12", "null", "- a", "a: b", "a #b", "#x", "it's", '"q"', "a\nb", "a\n\n\nb", "\ta", "a\\b", "[x]", "{x}"),
    *(
        "x, y",
        "!t",
        "&a",
        "*a",
        "%x",
        "@x",
        "`x",
        "|",
        ">",
        "? a",
        ": a",
        "a:",
        "...",
        "--- a",
        "é漢😀",
        "a\x85b",
        "a\u2028b",
    ),
    *(
        "a\x07b",
        "=",
        "<<",
        "1e3",
        "0x1F",
        "2020-01-01",
        "a  b",
        "word " * 40 + "end",
        "a\n b",
        "\ufeffa",
        "-",
        "key: [a",
    ),
)


@pytest.mark.parametrize(
    "name", ["plain", "quoted", "lists", "literal", "folded", "anchors", "crlf", "one block", "flow on lines"]
)
def test_any_text_can_be_written(name: str, tmp_path: Path) -> None:
    path = saved(tmp_path, "x.yml", FILES[name])
    before = read(FORMAT, path)
    for text in TEXTS:
        written = write(FORMAT, path, [Filled(one.id, (text,)) for one in before])
        after = saved(tmp_path, "y.yml", written)
        assert [one.text for one in read(FORMAT, after)] == [text.strip()] * len(before), (text, written.decode())
        assert [shape(one) for one in load(written)] == [shape(one) for one in load(path.read_bytes())]


def test_styles_are_kept(tmp_path: Path) -> None:
    assert translate(FORMAT, saved(tmp_path, "x.yml", FILES["quoted"])).decode() == (
        "a: 'ONE IT''S'\nb: \"FOUR \\\"THREE\\\" É\\n TWO\"\nc: ''\nd: \"\"\n"
    ).replace('FOUR \\"THREE\\" É\\n TWO', 'FOUR É\\n \\"THREE\\" TWO')
    literal = "a: |\n  one two\n  three\nb: c d\n"
    assert translate(FORMAT, saved(tmp_path, "x.yml", literal)).decode() == "a: |\n  TWO\n  THREE ONE\nb: D C\n"
    folded = "a: >-\n  one two three four\n  five six seven\nb: c\n"
    assert translate(FORMAT, saved(tmp_path, "x.yml", folded)).decode() == (
        "a: >-\n  SEVEN SIX FIVE\n  FOUR THREE TWO ONE\nb: C\n"
    )


def test_what_is_no_text_is_left_out(tmp_path: Path) -> None:
    assert read(FORMAT, saved(tmp_path, "x.yml", FILES["no text"])) == []
    odd = read(FORMAT, saved(tmp_path, "x.yml", FILES["odd keys"]))
    assert [one.id for one in odd] == ["/complex key", "/(a)", "/1", "/a~1b~0c", "/a.b", "/a/b"]


def test_rails_names_the_language_in_the_first_key(tmp_path: Path) -> None:
    path = saved(tmp_path, "x.yml", FILES["rails"])
    for target, key in (("de", "de"), ("pt_BR", "pt-BR"), ("no", '"no"')):
        options = ReadOptions(source_language="en", target_language=target)
        assert translate(FORMAT, path, options=options).decode().startswith(f'{key}:\n  hello: "%{{name}} HELLO"\n')
    assert translate(FORMAT, path).decode().startswith("en:\n")
    names = saved(tmp_path, "y.yml", "en: English it is\nfr: French\n")
    assert translate(FORMAT, names, options=ReadOptions(source_language="en", target_language="de")).startswith(
        b"en: IS"
    )


@pytest.mark.parametrize(
    ("content", "line", "what"),
    [
        (b"a: b\nc: [d\n", 3, "not YAML"),
        (b"a: 'b\n", 2, "not YAML"),
        (b"a: b\n\tc: d\n", 2, "not YAML"),
        (b"a: b\nc: \x07\n", 2, "not YAML"),
        (b"a: *x\nb: 'c\n", 3, "not YAML"),
        (b"a: b\nc: \xff\n", 2, "not valid UTF-8"),
    ],
)
def test_what_is_not_yaml_is_told(content: bytes, line: int, what: str, tmp_path: Path) -> None:
    path = saved(tmp_path, "x.yml", content)
    with pytest.raises(DataError, match=f"x.yml:{line}: .*{what}"):
        read(FORMAT, path)


@pytest.mark.parametrize(
    "content",
    ["[" * 5000 + "]" * 5000, "- " * 5000 + "a", "a: &a [x]\n" + "".join(f"b{n}: &b{n} [*a,*a]\n" for n in range(50))],
)
def test_hostile_files_end(content: str, tmp_path: Path) -> None:
    path = saved(tmp_path, "x.yml", content)
    try:
        check_identity(FORMAT, path)
    except DataError as error:
        assert "x.yml:" in str(error)


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=8,
)


@given(VALUES, st.sampled_from(["'", '"', "|", ">", None]), st.sampled_from([True, False, None]), st.booleans())
def test_made_up_files(tmp_path_factory: pytest.TempPathFactory, value: Any, style: str, flow: bool, raw: bool) -> None:
    content = yaml.safe_dump(value, default_style=style, default_flow_style=flow, allow_unicode=raw, width=30)  # type: ignore[arg-type]
    path = saved(tmp_path_factory.mktemp("yaml"), "x.yml", content)
    before = check_identity(FORMAT, path)
    written = translate(FORMAT, path)
    assert [one.text for one in read(FORMAT, saved(path.parent, "y.yml", written))] == [
        plain(shout(one.content)).strip() for one in before
    ]
    assert [shape(one) for one in load(written)] == [shape(one) for one in load(path.read_bytes())]
