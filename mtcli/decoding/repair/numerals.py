"""Numbers as another language writes them: 1,299.99 and 1.299,99."""

import re
from collections.abc import Callable

from mtcli.checking.languages import language_of

_SWAPPED = str.maketrans(",.", ".,")
_ENGLISH = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+")
_CONTINENTAL = re.compile(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?|\d+,\d+")


def numeral_writer(src: str | None, tgt: str | None) -> Callable[[str], str]:
    """Make what rewrites the numbers of one language for another; it leaves them where the languages do not differ."""
    ours, theirs = language_of(src).decimal, language_of(tgt).decimal
    form = _ENGLISH if ours == "." else _CONTINENTAL

    def rewritten(number: str) -> str:
        differ = ours and theirs and ours != theirs
        return number.translate(_SWAPPED) if differ and form.fullmatch(number) else number

    return rewritten
