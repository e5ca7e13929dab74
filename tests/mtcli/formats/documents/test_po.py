"""gettext catalogues; polib and msgfmt say whether what is written is one."""

import shutil
import subprocess
from pathlib import Path

import polib
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.documents import check_identity, read, saved, shout, texts, translate, write

from mtcli.errors import DataError
from mtcli.formats.documents.accelerators import accelerator_of
from mtcli.formats.documents.model import Filled, ReadOptions, plain
from mtcli.formats.documents.plurals import rule_for
from mtcli.formats.documents.po import FORMAT
from mtcli.formats.documents.po_entries import escape, unescape

HEADER = (
    'msgid ""\nmsgstr ""\n"Project-Id-Version: x 1\\n"\n"Language: \\n"\n"MIME-Version: 1.0\\n"\n'
    '"Content-Type: text/plain; charset=UTF-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n\n'
)
TEMPLATE = (
    '# SOME TITLE.\n#, fuzzy\nmsgid ""\nmsgstr ""\n"PO-Revision-Date: YEAR-MO-DA HO:MI+ZONE\\n"\n"Language: \\n"\n'
    '"MIME-Version: 1.0\\n"\n"Content-Type: text/plain; charset=CHARSET\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n'
    '"Plural-Forms: nplurals=INTEGER; plural=EXPRESSION;\\n"\n\n'
)
PLURAL = '#, c-format\nmsgid "%d file"\nmsgid_plural "%d files"\nmsgstr[0] ""\nmsgstr[1] ""\n'
FILES = {
    "empty": "",
    "blank lines": "\n\n \n",
    "header alone": HEADER,
    "simple": HEADER + 'msgid "Open"\nmsgstr ""\n',
    "no header": 'msgid "Open"\nmsgstr ""\n',
    "no final newline": HEADER + 'msgid "Open the door"\nmsgstr ""',
    "translated": HEADER + 'msgid "Open"\nmsgstr "Öffnen"\n\nmsgid "Close it"\nmsgstr ""\n',
    "crlf": (HEADER + '#: a.c:1\nmsgid "Open it"\nmsgstr ""\n\nmsgid "b c"\nmsgstr ""\n').replace("\n", "\r\n"),
    "comments": HEADER
    + '#  tr\n#. dev says\n#: a.c:3 b.c:4\n#| msgid "Old"\nmsgctxt "menu"\nmsgid "New one"\nmsgstr ""\n',
    "fuzzy": HEADER + '#, fuzzy, c-format\n#| msgid "Oldest %s"\nmsgid "Newest %s"\nmsgstr "Älteste %s"\n',
    "obsolete": HEADER + 'msgid "a b"\nmsgstr ""\n\n#~ msgid "gone"\n#~ msgstr "weg"\n\n'
    '#~| msgid "x"\n#~ msgid "y"\n#~ msgstr ""\n',
    "plural": HEADER + PLURAL,
    "template": TEMPLATE + PLURAL + '\nmsgid "Open it"\nmsgstr ""\n',
    "wrapped": HEADER + 'msgid ""\n"First line of it\\n"\n"and a second, \\"quoted\\" one\\n"\nmsgstr ""\n',
    "edges": HEADER + 'msgid "\\n  in between\\n"\nmsgstr ""\n',
    "escapes": HEADER + 'msgid "tab\\there \\\\n \\101 \\x41 done"\nmsgstr ""\n',
    "two strings on a line": HEADER + 'msgid "one " "two"\nmsgstr "" ""\n',
    "indented": HEADER + '  msgid "one two"\n\tmsgstr ""\n',
    "tight": 'msgid "a b"\nmsgstr ""\nmsgid "c d"\nmsgstr ""\n# c\nmsgid "e f"\nmsgstr ""\n',
    "same text in contexts": 'msgctxt "1"\nmsgid "a b"\nmsgstr ""\n\nmsgctxt "2"\nmsgid "a b"\nmsgstr ""\n\n'
    'msgctxt ""\nmsgid ""\nmsgstr ""\n',
    "half a plural": HEADER + 'msgid "%d x"\nmsgid_plural "%d xs"\nmsgstr[0] "%d X"\nmsgstr[1] ""\n',
    "flag between": HEADER + '#| msgid "o"\n#, c-format\n#: a:1\nmsgid "a %s"\nmsgstr ""\n',
}

NOT_FOR_POLIB = ("two strings on a line",)  # which it refuses as they come
NOT_FOR_MSGFMT = ("flag between",)


@pytest.mark.parametrize("name", FILES)
def test_translations_that_change_nothing_change_nothing(name: str, tmp_path: Path) -> None:
    path = saved(tmp_path, "x.po", FILES[name])
    for options in (ReadOptions(), ReadOptions(target_language="ru", fuzzy=True), ReadOptions(target_language="ja")):
        check_identity(FORMAT, path, options)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("language", ["", "de", "ru", "ja", "ar"])
def test_what_is_written_is_a_catalogue_with_what_was_filled_in(name: str, language: str, tmp_path: Path) -> None:
    path = saved(tmp_path, "x.po", FILES[name])
    options = ReadOptions(target_language=language, fuzzy=True)
    before = read(FORMAT, path, options)
    after = saved(tmp_path, "y.po", translate(FORMAT, path, shout, options))
    again = read(FORMAT, after, options)
    wanted = [plain(shout(one.content)) if one.translate else None for one in before]
    assert [one.text for one in again] == [one.text for one in before]
    for one, text in zip(again, wanted, strict=True):
        assert text is None or plain(one.target or ()).strip() == text
    if name not in NOT_FOR_POLIB:
        check_with_polib(path, after)
    if shutil.which("msgfmt") and name not in NOT_FOR_MSGFMT:
        check_with_msgfmt(after)


def check_with_polib(path: Path, after: Path) -> None:
    """The same entries with the same flags; what has become another is fuzzy."""
    for new, old in zip(polib.pofile(str(after)), polib.pofile(str(path)), strict=True):
        assert (new.msgctxt, new.msgid, new.obsolete) == (old.msgctxt, old.msgid, old.obsolete)
        if (new.msgstr, new.msgstr_plural) != (old.msgstr, old.msgstr_plural):
            assert set(new.flags) == {*old.flags, "fuzzy"}
        else:
            assert new.flags == old.flags


def check_with_msgfmt(path: Path) -> None:
    command = ["msgfmt", "--check-format", "--use-fuzzy", "-o", "/dev/null", str(path)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr + path.read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("msgfmt") is None, reason="msgfmt of gettext is not installed")
@pytest.mark.parametrize("language", ["de", "ru", "ja", "pt-BR", "ar", "pl"])
def test_a_template_becomes_a_catalogue_that_msgfmt_takes(language: str, tmp_path: Path) -> None:
    path = saved(tmp_path, "x.pot", FILES["template"])
    after = saved(tmp_path, "y.po", translate(FORMAT, path, options=ReadOptions(target_language=language)))
    command = ["msgfmt", "--check-format", "--check-domain", "--use-fuzzy", "-o", "/dev/null", str(after)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    rule = rule_for(language)
    assert rule is not None
    catalogue = polib.pofile(str(after))
    assert catalogue.metadata["Plural-Forms"] == rule.header
    assert catalogue.metadata["Language"] == language.replace("-", "_")
    assert catalogue.metadata["Content-Type"] == "text/plain; charset=UTF-8"
    assert not catalogue.metadata_is_fuzzy
    assert len(next(one for one in catalogue if one.msgid_plural).msgstr_plural) == rule.num_forms


def test_the_form_of_one_thing_comes_from_msgid(tmp_path: Path) -> None:
    path = saved(tmp_path, "x.po", HEADER + PLURAL)
    sources = {
        language: texts(read(FORMAT, path, ReadOptions(target_language=language))) for language in ("ru", "ja", "ar")
    }
    assert sources["ru"] == ["%d file", "%d files", "%d files"]
    assert sources["ja"] == ["%d files"]
    assert sources["ar"] == ["%d files", "%d file", *["%d files"] * 4]


def test_the_headers_plural_forms_go_before_the_languages(tmp_path: Path) -> None:
    header = HEADER.replace('"MIME', '"Plural-Forms: nplurals=2; plural=n>1;\\n"\n"MIME')
    path = saved(tmp_path, "x.po", header + PLURAL)
    assert len(read(FORMAT, path, ReadOptions(target_language="ru"))) == 2


def test_only_what_changed_changes(tmp_path: Path) -> None:
    path = saved(tmp_path, "x.po", FILES["comments"] + "\n" + 'msgid "b c"\nmsgstr   ""\n')
    segments = read(FORMAT, path)
    written = write(FORMAT, path, [Filled(segments[0].id, ("Neues",)), Filled(segments[1].id, None)])
    expected = FILES["comments"].replace('#| msgid "Old"', '#, fuzzy\n#| msgid "Old"').replace('One"\nmsgstr ""', "")
    expected = expected.replace('msgid "New one"\nmsgstr ""', 'msgid "New one"\nmsgstr "Neues"')
    assert written.decode() == expected + "\n" + 'msgid "b c"\nmsgstr   ""\n'
    assert segments[0].context == "menu\ndev says"


def test_long_text_is_wrapped_as_gettext_wraps(tmp_path: Path) -> None:
    path = saved(tmp_path, "x.po", HEADER + 'msgid "Say it"\nmsgstr ""\n')
    for text in ("word " * 60 + "end", "漢字" * 90, "line one\nline two"):
        written = saved(tmp_path, "y.po", write(FORMAT, path, [Filled("2", (text,))])).read_text(encoding="utf-8")
        assert polib.pofile(written)[0].msgstr == text
        assert 'msgstr ""\n"' in written and max(map(len, written.splitlines())) <= 79


def test_fuzzy_entries_are_translated_again_where_that_is_asked(tmp_path: Path) -> None:
    path = saved(tmp_path, "x.po", FILES["fuzzy"])
    (kept,) = read(FORMAT, path)
    (again,) = read(FORMAT, path, ReadOptions(fuzzy=True))
    assert (kept.translate, again.translate, kept.target) == (False, True, ("Älteste %s",))
    written = write(FORMAT, path, [Filled(again.id, ("Neueste %s",))], ReadOptions(fuzzy=True)).decode()
    assert written == FILES["fuzzy"].replace("Älteste", "Neueste")


def test_text_that_the_files_encoding_lacks_makes_it_utf8(tmp_path: Path) -> None:
    content = HEADER.replace("UTF-8", "ISO-8859-1") + 'msgid "Öl und Öfen"\nmsgstr ""\n'
    path = saved(tmp_path, "x.po", content.encode("latin-1"))
    check_identity(FORMAT, path)
    assert b"\xc4HNLICH" in write(FORMAT, path, [Filled("2", ("ÄHNLICH",))])
    catalogue = polib.pofile(str(saved(tmp_path, "y.po", write(FORMAT, path, [Filled("2", ("기름",))]))))
    assert catalogue.metadata["Content-Type"].endswith("UTF-8") and catalogue[0].msgstr == "기름"


@pytest.mark.parametrize(
    ("content", "line", "what"),
    [
        (b'msgid "a"\nmsgstr ""\nnonsense\n', 3, "no part of a gettext catalogue"),
        (b'msgid "a"\nmsgstr "\n', 2, "no part"),
        (b'msgid "a"\n\nmsgid "b"\nmsgstr ""\n', 1, "no msgstr"),
        (b'msgid "a"\n', 1, "no msgstr"),
        (b'msgstr "a"\n', 1, "does not belong here"),
        (b'msgid "a"\nmsgstr[0] ""\n', 2, "does not belong here"),
        (b'msgid "a"\nmsgstr ""\nmsgstr ""\n', 3, "does not belong here"),
        (b'"a"\n', 1, "no part"),
        (b'msgid "a"\nmsgstr "\xff\xfe"\n', 2, "not valid UTF-8"),
        (b'msgid "a\0"\nmsgstr ""\n', 1, "zero byte"),
    ],
)
def test_what_is_no_catalogue_is_told_with_its_line(content: bytes, line: int, what: str, tmp_path: Path) -> None:
    path = saved(tmp_path, "x.po", content)
    with pytest.raises(DataError, match=f"x.po:{line}: .*{what}"):
        read(FORMAT, path)


def test_an_encoding_that_nobody_knows_is_told(tmp_path: Path) -> None:
    path = saved(tmp_path, "x.po", HEADER.replace("UTF-8", "klingon-8") + 'msgid "a"\nmsgstr ""\n')
    with pytest.raises(DataError, match="klingon-8"):
        read(FORMAT, path)


def test_translations_of_another_file_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, "x.po", FILES["simple"])
    for filled in ([], [Filled("7", None)], [Filled("2", None), Filled("3", None)]):
        with pytest.raises(DataError, match="not those of"):
            write(FORMAT, path, filled)


def test_shortcuts_are_seen_where_they_surely_are_ones() -> None:
    assert [accelerator_of(text) for text in ("_File", "&File", "Save _As…", "E_xit", "E&xit", "Open (&O)")] == [
        *"_&__&&"
    ]
    for text in (
        "AT&T",
        "R&D",
        "snake_case",
        "a & b",
        "&amp; more",
        "Q&A",
        "a_b_c",
        "__init__",
        "100% _x",
        "x_",
        "",
        "_1",
    ):
        assert accelerator_of(text) == "", text


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_strings_are_read_as_they_were_written(text: str) -> None:
    assert unescape(escape(text), "utf-8") == text


SOME_TEXT = st.text(st.sampled_from('ab é漢\\"\n\t %s_&#~'), min_size=1, max_size=30)


@given(st.lists(st.tuples(SOME_TEXT, st.booleans(), SOME_TEXT), max_size=5), st.sampled_from(["\n", "\r\n"]))
def test_made_up_catalogues(tmp_path_factory: pytest.TempPathFactory, entries: list, newline: str) -> None:
    directory = tmp_path_factory.mktemp("po")
    content = HEADER
    for number, (source, is_done, target) in enumerate(entries):
        msgstr = escape(target) if is_done else ""
        content += f'msgctxt "{number}"\nmsgid "{escape(source)}"\nmsgstr "{msgstr}"\n\n'
    path = saved(directory, "x.po", content.replace("\n", newline))
    segments = check_identity(FORMAT, path)
    filled = [Filled(one.id, (f"<{one.text}> \n x",) if one.translate else None) for one in segments]
    after = read(FORMAT, saved(directory, "y.po", write(FORMAT, path, filled)))
    for one, new in zip(segments, after, strict=True):
        if one.translate:
            assert plain(new.target or ()).strip() == f"<{one.text}> \n x"
