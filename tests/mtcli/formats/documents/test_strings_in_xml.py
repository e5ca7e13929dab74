"""TMX, Android's, Qt's and Apple's strings: what is open is filled, all else keeps its bytes."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from support.documents import check_identity, read, saved, texts, translate, write

from mtcli.errors import DataError, UsageError
from mtcli.formats.documents.model import Filled, ReadOptions
from mtcli.formats.documents.registry import by_name, name_for

GERMAN = ReadOptions(source_language="en", target_language="de")
TMX = (
    '<?xml version="1.0"?>\n<tmx version="1.4"><header srclang="en-US" datatype="x"/><body>\n'
    '<tu tuid="1">\n  <tuv xml:lang="en-US"><seg>Where is <bpt i="1">&lt;b&gt;</bpt>it<ept i="1">&lt;/b&gt;</ept>?'
    "</seg></tuv>\n</tu>\n"
    '<tu><tuv xml:lang="en"><seg>Done</seg></tuv><tuv xml:lang="de-AT"><seg>Fertig</seg></tuv></tu>\n'
    '<tu><tuv xml:lang="fr"><seg>Autre</seg></tuv></tu><tu><note>x</note><tuv xml:lang="en"><seg>Two</seg></tuv></tu>'
    "</body></tmx>\n"
)
ANDROID = (
    '<?xml version="1.0" encoding="utf-8"?>\n<resources xmlns:xliff="urn:x">\n    <!-- greeting -->\n'
    '    <string name="a">Don\\\'t   stop\\n now &amp; then</string>\n'
    '    <string name="b" translatable="false">ACME</string>\n'
    '    <string name="c">Hello <b>dear</b> <xliff:g id="n" example="Tom">%1$s</xliff:g>!</string>\n'
    '    <string name="d"><![CDATA[<i>Raw</i> text]]></string>\n    <string name="e">@string/a</string>\n'
    '    <string name="f">"  two  spaces "</string>\n    <string name="g">caf\\u00e9 \\@home</string>\n'
    '    <plurals name="p"><item quantity="one">%d day</item><item quantity="other">%d days</item></plurals>\n'
    '    <string-array name="l"><item>One</item><item>Two</item></string-array>\n    <color name="x">#fff</color>\n'
    "</resources>\n"
)
QT = (
    '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n<TS version="2.1">\n<context>\n    <name>Main</name>\n'
    '    <message>\n        <location filename="a.cpp" line="1"/>\n        <source>&amp;Open</source>\n'
    '        <comment>a menu</comment>\n        <translation type="unfinished"></translation>\n    </message>\n'
    '    <message numerus="yes"><source>%n file(s)</source>\n        <translation type="unfinished">\n'
    "            <numerusform></numerusform>\n            <numerusform></numerusform>\n    </translation></message>\n"
    "    <message><source>Done</source><translation>Fertig</translation></message>\n"
    '    <message><source>Old</source><translation type="vanished">Alt</translation></message>\n'
    '    <message><source>Look</source><translation type="unfinished">Schau</translation></message>\n'
    "</context>\n</TS>\n"
)
PLURALS = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<plist version="1.0"><dict><key>days</key><dict>'
    "<key>NSStringLocalizedFormatKey</key><string>%#@count@</string><key>count</key><dict>"
    "<key>NSStringFormatSpecTypeKey</key><string>NSStringPluralRuleType</string>"
    "<key>one</key><string>%d day &amp; night</string><key>other</key><string>%d days</string></dict>"
    "</dict></dict></plist>\n"
)
FILES = {
    "a.tmx": ("tmx", TMX),
    "strings.xml": ("android", ANDROID),
    "a.ts": ("qt", QT),
    "a.stringsdict": ("stringsdict", PLURALS),
}
TEXTS = {
    "tmx": ["Where is it?", "Two"],
    "android": [
        *("Don't stop\n now & then", "Hello dear %1$s!", "<i>Raw</i> text", "  two  spaces ", "café @home"),
        *("%d day", "%d days", "One", "Two"),
    ],
    "qt": ["&Open", "%n file(s)"],
    "stringsdict": ["%#@count@", "%d day & night", "%d days"],
}


@pytest.mark.parametrize("name", FILES)
def test_files_are_known_read_and_kept(name: str, tmp_path: Path) -> None:
    form, content = FILES[name]
    for text in (content, content.replace("\n", "\r\n")):
        path = saved(tmp_path, name, text)
        assert name_for(path) == form
        check_identity(by_name(form), path, GERMAN)
    assert texts(read(by_name(form), saved(tmp_path, name, content), GERMAN)) == TEXTS[form]


@pytest.mark.parametrize("name", FILES)
def test_what_is_translated_is_sound_and_reads_back(name: str, tmp_path: Path) -> None:
    form, path = by_name(FILES[name][0]), saved(tmp_path, name, FILES[name][1])
    output = saved(tmp_path, f"new-{name}", translate(form, path, options=GERMAN))
    ElementTree.parse(output)
    again = texts(read(form, output, GERMAN))
    if form.name in ("android", "stringsdict"):
        assert [sorted(text.upper().split()) for text in again] == [
            sorted(text.upper().split()) for text in TEXTS[form.name]
        ]
    else:
        assert again == []


def filled(name: str, tmp_path: Path, translations: dict[str, str]) -> str:
    form, path = by_name(FILES[name][0]), saved(tmp_path, name, FILES[name][1])
    segments = read(form, path, GERMAN)
    new = [Filled(one.id, (translations[one.text],) if one.text in translations else None) for one in segments]
    return write(form, path, new, GERMAN).decode()


def test_a_memory_gets_the_language_that_it_lacks(tmp_path: Path) -> None:
    assert '<tuv xml:lang="en"><seg>Two</seg></tuv><tuv xml:lang="de"><seg>Zwei</seg></tuv></tu>' in filled(
        "a.tmx", tmp_path, {"Two": "Zwei"}
    )
    with pytest.raises(UsageError, match="needs the target language"):
        read(by_name("tmx"), saved(tmp_path, "b.tmx", TMX))


def test_android_s_escapes(tmp_path: Path) -> None:
    new = "@'\"  <b> & \\n\n?"
    written = filled("strings.xml", tmp_path, {"%d day": new})
    assert """<item quantity="one">\\@\\'\\""  "&lt;b&gt; &amp; \\\\n\\n?</item>""" in written
    assert new in texts(read(by_name("android"), saved(tmp_path, "strings.xml", written)))


def test_qt_s_messages_stay_unfinished(tmp_path: Path) -> None:
    written = filled("a.ts", tmp_path, {"&Open": "&Auf", "%n file(s)": "%n Dateien"})
    assert '<translation type="unfinished">&amp;Auf</translation>' in written
    assert written.count("<numerusform>%n Dateien</numerusform>") == 2
    assert '<TS version="2.1" language="de">' in written
    [first, *_] = read(by_name("qt"), saved(tmp_path, "a.ts", QT))
    assert (first.accelerator, first.context) == ("&", "a menu")
    assert "Look" in texts(read(by_name("qt"), saved(tmp_path, "a.ts", QT), ReadOptions(fuzzy=True)))


def test_others_of_the_same_suffix_are_no_documents(tmp_path: Path) -> None:
    assert name_for(saved(tmp_path, "a.ts", "const a: number = 1;")) is None
    assert name_for(saved(tmp_path, "a.xml", "<note/>")) is None
    assert name_for(tmp_path / "missing.xml") is None
    with pytest.raises(DataError, match="is no Qt translation file"):
        read(by_name("qt"), saved(tmp_path, "a.ts", "<note/>"))
