"""PowerPoint presentations (Office Open XML, ECMA-376): slides, their tables and charts' titles, and notes."""

import re

from mtcli.formats.documents.language_tags import region_of
from mtcli.formats.documents.office_text import Dialect, paragraphs
from mtcli.formats.documents.packages import PackageFormat

_READ = re.compile(r"ppt/(?:slides/slide|notesSlides/notesSlide|charts/chart|diagrams/data|comments/comment)\d*\.xml")
_LANGUAGE = re.compile(r'(<a:(?:rPr|endParaRPr|defRPr)\b[^>]*?\slang=")[^"]*(")')
DIALECT = Dialect(
    paragraph="a:p",
    run="a:r",
    text="a:t",
    properties="a:rPr",
    paragraph_properties=frozenset({"a:pPr"}),
    breaks=frozenset({"a:br"}),
)

FORMAT = PackageFormat(
    name="pptx",
    title="PowerPoint presentation",
    needed="ppt/presentation.xml",
    is_read=lambda name: bool(_READ.fullmatch(name)),
    take=lambda name, row: paragraphs(name, row, DIALECT),
    relabelled=lambda name, text, language: _LANGUAGE.sub(rf"\g<1>{region_of(language)}\g<2>", text),
)
