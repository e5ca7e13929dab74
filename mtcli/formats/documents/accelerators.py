"""Keyboard shortcuts in the texts of an interface: `_File` and `&File` underline a letter."""

import re

_MOST_WORDS = 6  # of a menu's entry or a button; longer text that holds such a character has it for another reason
_MARKED = re.compile(r"([&_])(?=\w)")
_ENTITY = re.compile(r"&(?:#\d+|#x[0-9a-fA-F]+|[a-zA-Z]\w*);")


def accelerator_of(text: str) -> str:
    """The character that marks the letter of a shortcut, `&` or `_`; empty where it is not surely one."""
    marks = _MARKED.findall(text)
    if len(marks) != 1 or len(text.split()) > _MOST_WORDS or _ENTITY.search(text) or "://" in text or "%" in text:
        return ""
    mark: str = marks[0]
    if text.count(mark) != 1:
        return ""
    place = text.index(mark)
    before, after = text[:place], text[place + 1 :]
    if before and not before[-1].isspace() and not before.endswith(("(", "…")):
        return mark if _is_inside_word(before, after) else ""
    return mark if after[0].isalpha() or before.endswith("(") else ""


def _is_inside_word(before: str, after: str) -> bool:
    """Whether a mark splits one word, as in `E_xit`, and does not join two, as in `AT&T` or `file_name`."""
    word = before.split()[-1] if before.split() else ""
    return before[-1:].isalpha() and after[0].isalpha() and after[0].islower() and word[:1].isupper() and word.isalpha()
