"""XLIFF of both kinds: targets are filled and marked, what is done stays, codes are kept as they are."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from support.documents import check_identity, read, saved, texts, translate, write

from mtcli.errors import DataError
from mtcli.formats.documents.model import Filled, ReadOptions, codes_of, plain
from mtcli.formats.documents.registry import by_name, name_for

FORM = by_name("xliff")
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2">'
UNITS = {
    "open": '<trans-unit id="1"><source>Where is the station?</source></trans-unit>',
    "spaced": '<trans-unit id="2" resname="menu">\n  <source>Open &amp; close</source>\n  <note>x</note></trans-unit>',
    "empty": '<trans-unit id="3"><source>An empty one</source><target/></trans-unit>',
    "new": '<trans-unit id="4"><source>A new one</source><target state="new">A new one</target></trans-unit>',
    "done": '<trans-unit id="5"><source>A done one</source><target>Fertig</target></trans-unit>',
    "approved": '<trans-unit id="6" approved="yes"><source>Approved</source></trans-unit>',
    "kept": '<trans-unit id="7" translate="no"><source>ACME</source></trans-unit>',
    "codes": '<trans-unit id="8"><source>Press <g id="1">the <x id="2"/>key</g> <bpt id="3">&lt;b&gt;</bpt>now'
    '<ept id="3">&lt;/b&gt;</ept><ph id="4">{0}</ph>.</source></trans-unit>',
    "review": '<trans-unit id="9"><source>Look</source><target state="needs-review-translation">Schau</target>'
    "</trans-unit>",
    "sdl": '<trans-unit id="10"><source>One. Two.</source><seg-source><mrk mtype="seg" mid="1">One.</mrk> '
    '<mrk mtype="seg" mid="2">Two.</mrk></seg-source><sdl:x xmlns:sdl="s" y="&quot;"/></trans-unit>',
    "blank": '<trans-unit id="11"><source> </source></trans-unit>',
}
OLD = {
    name: f'{HEAD}<file source-language="en" original="a"><body>{unit}</body></file></xliff>\n'
    for name, unit in UNITS.items()
}
NEW = {
    "two": '<xliff xmlns="urn:oasis:names:tc:xliff:document:2.0" version="2.0" srcLang="en"><file id="f"><unit id="u">'
    '<segment id="s"><source>Press <pc id="1">the key</pc><ph id="2"/></source></segment>'
    "<ignorable><source> </source></ignorable>"
    '<segment state="final"><source>Done</source><target>Fertig</target></segment></unit>'
    '<unit id="v" translate="no"><segment><source>ACME</source></segment></unit></file></xliff>'
}
FILES = {**OLD, **NEW, "all": f"{HEAD}<file source-language='en'><body>{''.join(UNITS.values())}</body></file></xliff>"}


@pytest.mark.parametrize("name", FILES)
def test_what_is_not_translated_keeps_its_bytes(name: str, tmp_path: Path) -> None:
    path = saved(tmp_path, "a.xlf", FILES[name])
    assert name_for(path) == "xliff"
    check_identity(FORM, path, ReadOptions(target_language="de"))


@pytest.mark.parametrize("name", FILES)
def test_what_is_translated_is_sound_and_then_done(name: str, tmp_path: Path) -> None:
    path = saved(tmp_path, "a.xlf", FILES[name])
    output = saved(tmp_path, "b.xlf", translate(FORM, path, options=ReadOptions(target_language="de")))
    ElementTree.parse(output)
    assert texts(read(FORM, output)) == []
    assert output.read_text().count("<source") == FILES[name].count("<source")


def test_which_units_are_translated(tmp_path: Path) -> None:
    path = saved(tmp_path, "a.xlf", FILES["all"])
    wanted = ["Where is the station?", "Open & close", "An empty one", "A new one", "Press the key now.", "One. Two."]
    assert texts(read(FORM, path)) == wanted
    assert texts(read(FORM, path, ReadOptions(fuzzy=True))) == [*wanted[:-1], "Look", wanted[-1]]
    assert texts(read(FORM, saved(tmp_path, "b.xlf", NEW["two"]))) == ["Press the key"]


def test_targets_are_marked_and_stand_behind_their_sources(tmp_path: Path) -> None:
    options = ReadOptions(target_language="de")
    path = saved(tmp_path, "a.xlf", OLD["spaced"])
    written = write(FORM, path, [Filled("1:2", ("Auf & <zu>",))], options).decode()
    assert (
        '<source>Open &amp; close</source>\n  <target state="needs-review-translation" state-qualifier="mt-suggestion">'
        "Auf &amp; &lt;zu&gt;</target>\n  <note>x</note>" in written
    )
    assert '<file source-language="en" original="a" target-language="de">' in written
    path = saved(tmp_path, "b.xlf", NEW["two"])
    written = translate(FORM, path, options=options).decode()
    assert 'srcLang="en" trgLang="de"' in written
    assert '<segment id="s" state="translated">' in written


def test_codes_are_in_the_target(tmp_path: Path) -> None:
    path = saved(tmp_path, "a.xlf", OLD["codes"])
    [segment] = read(FORM, path)
    assert [code.kind.value for code in codes_of(segment.content)] == [
        "open",
        "point",
        "close",
        "open",
        "close",
        "point",
    ]
    written = translate(FORM, path).decode()
    [target] = re.findall(r"<target[^>]*>(.*)</target>", written)
    [source] = re.findall(r"<source>(.*)</source>", written)
    assert sorted(re.findall(r"<[^>]*>", target)) == sorted(re.findall(r"<[^>]*>", source))
    path = saved(tmp_path, "b.xlf", OLD["sdl"])
    assert (
        '<mrk mtype="seg" mid="1">ONE.</mrk> <mrk mtype="seg" mid="2">TWO.</mrk></target>'
        in translate(FORM, path).decode()
    )
    assert plain(read(FORM, path)[0].content) == "One. Two."


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("<html></html>", "is no XLIFF file"),
        ("<xliff><file>", "no sound XML"),
        ('<!DOCTYPE xliff [<!ENTITY a "b">]><xliff>&a;</xliff>', "declares entities"),
        ("", "no sound XML"),
    ],
)
def test_what_is_wrong_is_a_sentence(content: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said):
        read(FORM, saved(tmp_path, "a.xlf", content))
