"""Excel workbooks (Office Open XML, ECMA-376): texts of cells. Formulas, numbers and names of sheets stay."""

import re
from dataclasses import replace

from mtcli.formats.documents.office_text import Dialect, paragraphs
from mtcli.formats.documents.packages import PackageFormat

_SHEET = re.compile(r"xl/worksheets/sheet\d*\.xml")
SHARED = Dialect(paragraph="si", run="r", text="t", properties="rPr")
INLINE, COMMENTS = replace(SHARED, paragraph="is"), replace(SHARED, paragraph="text")


def _dialect(name: str) -> Dialect | None:
    if name == "xl/sharedStrings.xml":
        return SHARED
    if _SHEET.fullmatch(name):
        return INLINE
    return COMMENTS if re.fullmatch(r"xl/comments\d*\.xml", name) else None


FORMAT = PackageFormat(
    name="xlsx",
    title="Excel workbook",
    needed="xl/workbook.xml",
    is_read=lambda name: _dialect(name) is not None,
    take=lambda name, row: paragraphs(name, row, _dialect(name) or SHARED),
)
