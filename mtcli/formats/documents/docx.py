"""Word documents (Office Open XML, ECMA-376): text, headers, footers, notes, comments, text boxes."""

import re

from mtcli.formats.documents.language_tags import region_of
from mtcli.formats.documents.office_text import Dialect, paragraphs
from mtcli.formats.documents.packages import PackageFormat

_READ = re.compile(r"word/(?:document|header\d*|footer\d*|footnotes|endnotes|comments)\.xml")
_LANGUAGE = re.compile(r'(<w:lang\b[^>]*?\sw:(?:val|eastAsia|bidi)=")([^"]*)(")')
_VALUE = re.compile(r'(<w:lang\b[^>]*?\sw:val=")[^"]*(")')
DIALECT = Dialect(
    paragraph="w:p",
    run="w:r",
    text="w:t",
    properties="w:rPr",
    paragraph_properties=frozenset({"w:pPr"}),
    breaks=frozenset({"w:br", "w:cr", "w:tab", "w:ptab"}),
    hyphens=(("w:noBreakHyphen", "\u2011"), ("w:softHyphen", "\u00ad")),
    around=frozenset(
        {"w:hyperlink", "w:ins", "w:moveTo", "w:smartTag", "w:sdt", "w:sdtContent", "w:fldSimple", "w:bdo"}
    ),
    left_out=frozenset({"w:del", "w:moveFrom"}),
)


def _relabelled(name: str, text: str, language: str) -> str:
    return _VALUE.sub(rf"\g<1>{region_of(language)}\g<2>", text)


FORMAT = PackageFormat(
    name="docx",
    title="Word document",
    needed="word/document.xml",
    is_read=lambda name: bool(_READ.fullmatch(name)),
    take=lambda name, row: paragraphs(name, row, DIALECT),
    relabelled=_relabelled,
    is_relabelled=lambda name: name == "word/styles.xml",
)
