"""Documents of offices, made as their programs make them, and what is asked of every format in an archive."""

import html
import io
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import docx
import docx.enum.text
import openpyxl
import openpyxl.cell.rich_text
import openpyxl.comments
import pptx
import pptx.util
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

SENTENCES = (
    "Where is the station?",
    "The dog & the cat < > \"'",
    "한국어 문장",
    "  spaces  around  ",
    "One. Two. Three.",
    "1,234",
    "Ü ß é",
    "a\u00a0b",
)


def _paragraph_of_runs(document: Any, seed: int) -> None:
    paragraph = document.add_paragraph(style="List Bullet" if seed % 3 == 0 else None)
    for number in range(seed % 5 + 1):
        run = paragraph.add_run(SENTENCES[(seed + number) % len(SENTENCES)] + " ")
        run.bold = (seed + number) % 2 == 0
        run.italic = (seed + number) % 3 == 0 or None
        if (seed + number) % 4 == 0:
            run.add_break()
        if (seed + number) % 7 == 0:
            run.add_tab()


def _with_extras(document: Any) -> None:
    """What python-docx has no words for: a link, a field, a deleted run, a split word, a text box."""
    body = document.element.body
    w = nsdecls("w")
    run = "<w:r><w:t xml:space='preserve'>{}</w:t></w:r>"
    field = "<w:r><w:fldChar w:fldCharType='{}'/></w:r>"
    for inner in (
        run.format("See ") + "<w:hyperlink w:anchor='x'>" + run.format("the page") + "</w:hyperlink>" + run.format("."),
        run.format("Page ") + field.format("begin") + "<w:r><w:instrText>PAGE</w:instrText></w:r>"
        + field.format("separate") + run.format("3") + field.format("end") + run.format(" of it"),
        run.format("kept ") + "<w:del w:id='1' w:author='a'><w:r><w:delText>gone</w:delText></w:r></w:del>"
        + "<w:ins w:id='2' w:author='a'>" + run.format("new words") + "</w:ins>",
        "<w:r w:rsidR='00A1'><w:t>Where is the sta</w:t></w:r><w:proofErr w:type='spellStart'/>"
        "<w:r w:rsidR='00A2'><w:rPr><w:lang w:val='en-US'/></w:rPr><w:t>tion?</w:t></w:r>",
        "<w:bookmarkStart w:id='5' w:name='b'/>" + run.format("marked words") + "<w:bookmarkEnd w:id='5'/>",
        run.format("box: ") + "<w:r><w:pict><v:shape xmlns:v='urn:schemas-microsoft-com:vml'><v:textbox><w:txbxContent>"
        "<w:p>" + run.format("inside the box") + "</w:p></w:txbxContent></v:textbox></v:shape></w:pict></w:r>",
        "<w:r><w:t>non</w:t><w:noBreakHyphen/><w:t>stop</w:t></w:r>",
    ):  # fmt: skip
        body.insert(0, parse_xml(f"<w:p {w}>{inner}</w:p>"))


def write_docx(path: Path, seed: int) -> Path:
    document = docx.Document()
    document.add_heading(f"Heading {seed}", level=seed % 3 + 1)
    for number in range(seed % 6 + 1):
        _paragraph_of_runs(document, seed + number)
    if seed % 2:
        table = document.add_table(rows=2, cols=2)
        for number, cell in enumerate(cell for row in table.rows for cell in row.cells):
            cell.text = SENTENCES[(seed + number) % len(SENTENCES)]
    if seed % 3 == 1:
        document.sections[0].header.paragraphs[0].text = "The header of it"
        document.sections[0].footer.paragraphs[0].text = "The footer of it"
    if seed % 4 < 2:
        _with_extras(document)
    document.save(str(path))
    return path


def write_pptx(path: Path, seed: int) -> Path:
    presentation = pptx.Presentation()
    for number in range(seed % 3 + 1):
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text = SENTENCES[(seed + number) % len(SENTENCES)]
        frame = slide.placeholders[1].text_frame
        frame.text = "First line\vsecond line"
        run = frame.add_paragraph().add_run()
        run.text, run.font.bold = "bold words", True
        frame.paragraphs[-1].add_run().text = " and plain ones"
        if seed % 2:
            slide.notes_slide.notes_text_frame.text = "Notes for the speaker"
            size = pptx.util.Inches(2)
            table = slide.shapes.add_table(1, 2, size, size, size, size).table
            table.cell(0, 0).text, table.cell(0, 1).text = "left", "right"
    presentation.save(str(path))
    return path


def write_xlsx(path: Path, seed: int) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Numbers and words"
    for row in range(seed % 5 + 2):
        sheet.append([SENTENCES[(seed + row) % len(SENTENCES)], row, f"=B{row + 1}*2", seed % 2 == 0])
    rich = openpyxl.cell.rich_text
    font = rich.InlineFont(b=True)
    sheet["F1"] = rich.CellRichText("plain ", rich.TextBlock(font, "bold words"), " and plain")
    sheet["A1"].comment = openpyxl.comments.Comment("A comment on it", "Tom")
    book.save(str(path))
    return path


_ODF = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "text", "draw", "style")
)


def _archive(path: Path, members: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content, zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED)
    return path


def write_odt(path: Path, seed: int) -> Path:
    paragraphs = [
        f"<text:h>{html.escape(SENTENCES[seed % 8])}</text:h>",
        '<text:p>I live in a <text:span text:style-name="T1">big house</text:span>.<text:line-break/>Next</text:p>',
        '<text:p>One<text:s text:c="3"/>two<text:tab/>three<text:bookmark text:name="b"/></text:p>',
        "<text:p>With a note<text:note><text:note-citation>1</text:note-citation><text:note-body>"
        "<text:p>Text of the note.</text:p></text:note-body></text:note> in it.</text:p>",
        "<text:p><draw:frame><draw:text-box><text:p>In a frame</text:p></draw:text-box></draw:frame></text:p>",
        '<text:p>See <text:a xlink:href="x">the  page</text:a>\n   now.</text:p>',
        "<text:p/>",
    ]
    body = "".join(paragraphs[(seed + number) % 7] for number in range(seed % 7 + 1))
    head = f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {_ODF} xmlns:xlink="x" xmlns:fo="f">'
    style = '<style:style><style:text-properties fo:language="en" fo:country="US"/></style:style>'
    return _archive(
        path,
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "content.xml": f"{head}<office:body>{body}</office:body></office:document-content>",
            "styles.xml": f"<office:document-styles {_ODF} xmlns:fo='f'>{style}</office:document-styles>",
        },
    )


def write_epub(path: Path, seed: int) -> Path:
    page = (
        '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en"><head><title>Page</title></head>'
        f"<body><h1>{html.escape(SENTENCES[seed % 8])}</h1><p>I live in a <b>big house</b>.</p></body></html>"
    )
    return _archive(
        path,
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": "<container/>",
            "book.opf": '<package xmlns:dc="d"><metadata><dc:title>My book</dc:title><dc:language>en</dc:language>'
            "</metadata></package>",
            "toc.ncx": "<ncx><navMap><navLabel><text>The beginning</text></navLabel></navMap></ncx>",
            **{f"page{number}.xhtml": page for number in range(seed % 3 + 1)},
        },
    )


WRITERS: dict[str, Callable[[Path, int], Path]] = {
    "docx": write_docx,
    "pptx": write_pptx,
    "xlsx": write_xlsx,
    "odt": write_odt,
    "epub": write_epub,
}


def repacked(path: Path, changes: dict[str, bytes | None], added: Sequence[tuple[str, bytes]] = ()) -> Path:
    """A copy of an archive with members changed or, where None is given, left out, and others added."""
    data = io.BytesIO()
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as after:
        for info in before.infolist():
            content = changes.get(info.filename, before.read(info.filename))
            if content is not None:
                after.writestr(info.filename, content)
        for name, content in added:
            after.writestr(name, content)
    copy = path.with_name(f"changed-{path.name}")
    copy.write_bytes(data.getvalue())
    return copy
