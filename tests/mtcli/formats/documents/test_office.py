"""Word, PowerPoint and Excel: what nobody translated keeps its bytes, what somebody did opens, with all codes there."""

import re
import zipfile
from collections import Counter
from contextlib import nullcontext as _nothing
from pathlib import Path

import docx
import openpyxl
import pptx
import pytest
from support.documents import check_identity, read, shout, texts, translate, write
from support.markup_documents import WRITERS, repacked, write_docx

from mtcli.errors import DataError
from mtcli.formats.documents.model import Content, Filled, ReadOptions, codes_of, plain
from mtcli.formats.documents.registry import by_name, name_for

SEEDS = range(15)


def form_of(suffix: str) -> str:
    return {"odt": "odf"}.get(suffix, suffix)


FILES = [(name, seed) for name in WRITERS for seed in SEEDS]


@pytest.mark.parametrize(("name", "seed"), FILES)
def test_a_file_that_is_not_translated_keeps_its_bytes(name: str, seed: int, tmp_path: Path) -> None:
    path = WRITERS[name](tmp_path / f"a.{name}", seed)
    assert name_for(path) == form_of(name)
    segments = check_identity(by_name(form_of(name)), path, ReadOptions(source_language="en", target_language="de"))
    assert any(text.strip() for text in texts(segments))


@pytest.mark.parametrize(("name", "seed"), FILES)
def test_a_translated_file_reads_back_as_it_was_filled(name: str, seed: int, tmp_path: Path) -> None:
    path, form = WRITERS[name](tmp_path / f"a.{name}", seed), by_name(form_of(name))
    output = tmp_path / f"b.{name}"
    output.write_bytes(translate(form, path, options=ReadOptions(target_language="de")))
    with zipfile.ZipFile(output) as written, zipfile.ZipFile(path) as before:
        assert written.testzip() is None
        assert written.namelist() == before.namelist()
    wanted, found = read(form, path), read(form, output)
    assert [one.id for one in wanted] == [one.id for one in found]
    for before_it, after in zip(wanted, found, strict=True):
        assert plain(after.content).split() == plain(shout(before_it.content)).split()
        assert kinds(after.content) == kinds(before_it.content)


def kinds(content: Content) -> Counter[tuple[str, str]]:
    """Codes by kind and source, the latter without text that is translated inside it."""
    return Counter(
        (code.kind.value, re.sub(r"(<(?:w:t|text:p)\b)[^>]*>[^<]*<", r"\1><", code.source))
        for code in codes_of(content)
    )


def test_programs_open_what_was_translated(tmp_path: Path) -> None:
    for name, writer in WRITERS.items():
        path = writer(tmp_path / f"a.{name}", 5)
        (tmp_path / f"b.{name}").write_bytes(translate(by_name(form_of(name)), path))
    document = docx.Document(str(tmp_path / "b.docx"))
    assert any("STATION?" in paragraph.text for paragraph in document.paragraphs)
    assert document.tables[0].cell(1, 0).text == "A\u00a0B"
    deck = pptx.Presentation(str(tmp_path / "b.pptx"))
    assert deck.slides[0].placeholders[1].text_frame.paragraphs[0].text == "LINE FIRST\vLINE SECOND"
    assert deck.slides[0].notes_slide.notes_text_frame.text == "SPEAKER THE FOR NOTES"
    sheet = openpyxl.load_workbook(tmp_path / "b.xlsx").active
    assert sheet.title == "Numbers and words"
    assert sheet["C1"].value == "=B1*2"
    assert sheet["F1"].value.split() == ["PLAIN", "WORDS", "BOLD", "PLAIN", "AND"]


def word(tmp_path: Path) -> tuple[Path, list[str]]:
    path = write_docx(tmp_path / "a.docx", 1)
    return path, texts(read(by_name("docx"), path))


def test_runs_that_look_alike_are_one_text(tmp_path: Path) -> None:
    _, found = word(tmp_path)
    assert "Where is the station?" in found
    assert "non\u2011stop" in found


def test_what_is_not_text_is_not_shown(tmp_path: Path) -> None:
    _, found = word(tmp_path)
    assert "kept new words" in found
    assert "Page  of it" in found, "a field's result is its program's"
    assert "inside the box" in found
    assert "The header of it" in found
    assert not any("gone" in text or "PAGE" in text for text in found)


def test_links_stay_around_their_words(tmp_path: Path) -> None:
    path, _ = word(tmp_path)
    form = by_name("docx")
    [segment] = [one for one in read(form, path) if one.text == "See the page."]
    opening, closing = codes_of(segment.content)
    new = ("Die ", opening, "Seite", closing, " ansehen.")
    filled = [Filled(one.id, new if one.id == segment.id else None) for one in read(form, path)]
    output = write(form, path, filled)
    (tmp_path / "b.docx").write_bytes(output)
    text = zipfile.ZipFile(tmp_path / "b.docx").read("word/document.xml").decode()
    assert re.search(
        r"Die </w:t></w:r><w:hyperlink w:anchor=.x.><w:r>(<w:rPr.*?)?<w:t>Seite</w:t></w:r></w:hyperlink>", text
    )


def test_the_language_is_set_where_something_was_translated(tmp_path: Path) -> None:
    path = write_docx(tmp_path / "a.docx", 2)
    output = tmp_path / "b.docx"
    output.write_bytes(translate(by_name("docx"), path, options=ReadOptions(target_language="de")))
    assert b'w:lang w:val="de-DE"' in zipfile.ZipFile(output).read("word/styles.xml")


def test_the_language_of_other_formats_is_set(tmp_path: Path) -> None:
    for suffix, member, wanted in (
        ("odt", "styles.xml", b'fo:language="de" fo:country="none"'),
        ("epub", "book.opf", b"<dc:language>de<"),
        ("epub", "page0.xhtml", b'xml:lang="de"'),
    ):
        path, output = WRITERS[suffix](tmp_path / f"a.{suffix}", 1), tmp_path / f"b.{suffix}"
        output.write_bytes(translate(by_name(form_of(suffix)), path, options=ReadOptions(target_language="de")))
        with zipfile.ZipFile(output) as archive:
            assert wanted in archive.read(member)
            first = archive.infolist()[0]
            assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)


BOMB = b"<a>" + b" " * 300_000_000 + b"</a>"
LAUGHS = (
    b'<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]>'
    b'<w:document xmlns:w="w"><w:p><w:r><w:t>&y;</w:t></w:r></w:p></w:document>'
)
OUTSIDE = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'


@pytest.mark.parametrize(
    ("changes", "added", "said"),
    [
        ({"word/document.xml": BOMB}, [], "grow beyond all measure"),
        ({"word/document.xml": LAUGHS}, [], "declares entities"),
        ({"word/document.xml": OUTSIDE}, [], "declares entities"),
        ({"word/document.xml": b"<a><b></a>"}, [], "no sound XML"),
        ({"word/document.xml": b"\xff\xfe<"}, [], "no sound XML"),
        ({"word/document.xml": b"<a>" * 3000 + b"</a>" * 3000}, [], "elements in one another"),
        ({"word/document.xml": None}, [], "lacks word/document.xml"),
        ({}, [("../../etc/passwd", b"x")], "outside of it"),
        ({}, [("C:\\x", b"x")], "outside of it"),
        ({}, [("word/document.xml", b"<a/>")], "members of one name"),
    ],
)
def test_hostile_files_are_a_sentence(
    changes: dict[str, bytes | None], added: list[tuple[str, bytes]], said: str, tmp_path: Path
) -> None:
    with pytest.warns(UserWarning, match="Duplicate") if said == "members of one name" else _nothing():
        path = repacked(write_docx(tmp_path / "a.docx", 0), changes, added)
    with pytest.raises(DataError, match=said):
        list(by_name("docx").read(path, ReadOptions()))


def test_what_is_no_archive_or_half_of_one(tmp_path: Path) -> None:
    path = write_docx(tmp_path / "a.docx", 0)
    for data in (b"", b"text", path.read_bytes()[:-100], path.read_bytes()[: len(path.read_bytes()) // 2]):
        (tmp_path / "b.docx").write_bytes(data)
        with pytest.raises(DataError, match=r"b\.docx is damaged"):
            list(by_name("docx").read(tmp_path / "b.docx", ReadOptions()))


def test_translations_of_another_file_are_refused(tmp_path: Path) -> None:
    path, form = write_docx(tmp_path / "a.docx", 3), by_name("docx")
    filled = [Filled(one.id, None) for one in read(form, path)]
    for wrong in (filled[1:], filled[:-1], [*filled, Filled("more", None)]):
        with pytest.raises(DataError, match="are not those of"):
            write(form, path, wrong)
