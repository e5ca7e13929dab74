"""gettext catalogues (.po, .pot): what has no translation is filled and marked fuzzy.

All else keeps its bytes. The header gets the language and its plural forms where it lacks them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from mtcli.formats.documents.accelerators import accelerator_of
from mtcli.formats.documents.model import Content, ReadOptions, Segment, plain
from mtcli.formats.documents.plurals import PluralRule, rule_for, singular_form
from mtcli.formats.documents.po_entries import Entry, Field, entries, escape
from mtcli.formats.documents.source_text import Slot, SourceText, TextFormat, edges, edit, is_text
from mtcli.formats.documents.wrapping import is_unspaced, width_of

_COLUMNS = 79  # of gettext's own tools
_CHARSET = re.compile(rb"Content-Type:[^\"]*?charset=([\w.:-]+)", re.IGNORECASE)
_TEMPLATE_CHARSET = "CHARSET"
_DECLARED = re.compile(r"(?<=charset=)[\w.:-]+")
_NUM_FORMS = re.compile(r"nplurals\s*=\s*(\d{1,2})\s*;\s*plural\s*=\s*([^;]{1,900})")
_LANGUAGE_LINE = re.compile(r'"Language:[ \t]*(?=\\n|")')
_PLURAL_LINE = re.compile(r'"Plural-Forms:[ \t]*(nplurals=INTEGER[^"\\]*)?(?=\\n|")')
_FUZZY = re.compile(r"[ \t]*fuzzy[ \t]*(?:,|(?=\r?$))", re.MULTILINE)
_PIECES = re.compile(r" *[^ ]+ *| +")


def _declared(head: bytes) -> str | None:
    match = _CHARSET.search(head)
    name = match[1].decode("ascii", "replace") if match else ""
    return None if name in ("", _TEMPLATE_CHARSET) else name


def _redeclared(text: str) -> str:
    return _DECLARED.sub("UTF-8", text, count=1)


def _slots(text: SourceText, options: ReadOptions) -> Iterator[Slot]:
    """The entries that have a source, and what the header lacks."""
    rule = rule_for(options.target_language)
    forms: tuple[int, int | None] = _known_forms(rule)
    for number, entry in enumerate(entries(text), start=1):
        assert entry.source is not None
        if not entry.source.value and entry.context is None:
            header = entry.targets.get(0, entry.source)
            forms = _declared_forms(header.value) or forms
            yield from _header_edits(text, entry, options, rule)
        elif is_text(entry.source.value):
            yield _Filling(text, entry, forms, str(number), options).slot()


def _known_forms(rule: PluralRule | None) -> tuple[int, int | None]:
    """How many forms a rule has, and which is of one thing; 0 where nothing is known."""
    return (rule.num_forms, singular_form(rule.expression, rule.num_forms)) if rule else (0, 0)


def _declared_forms(header: str) -> tuple[int, int | None] | None:
    """The same of what a header says; None where it says nothing of use."""
    if not (match := _NUM_FORMS.search(header)) or not int(match[1]):
        return None
    try:
        return int(match[1]), singular_form(match[2].strip(), int(match[1]))
    except (ValueError, ZeroDivisionError):
        return int(match[1]), 0


class _Filling:
    """Fill one entry."""

    def __init__(
        self, text: SourceText, entry: Entry, forms: tuple[int, int | None], number: str, options: ReadOptions
    ) -> None:
        assert entry.source is not None
        self._text, self._entry, self._source, self._number = text, entry, entry.source, number
        self._is_fuzzy = "fuzzy" in entry.flags
        self._again = options.fuzzy and self._is_fuzzy
        present = [index for index, found in entry.targets.items() if found.value]
        known, self._singular = forms
        self._num_forms = max(known or len(entry.targets), max(present, default=0) + 1) if entry.plural else 1

    def slot(self) -> Slot:
        """Where its translations and its flag are."""
        entry = self._entry
        start = entry.message if entry.flag_place is None else entry.flag_place
        end = max(found.end for found in entry.targets.values())
        return Slot(start, end, tuple(map(self._segment, range(self._num_forms))), self._encoded)

    def _origin(self, form: int) -> str:
        """What a form is translated from."""
        plural = self._entry.plural
        return self._source.value if plural is None or form == self._singular else plural.value

    def _segment(self, form: int) -> Segment:
        entry = self._entry
        target = entry.targets[form].value if form in entry.targets else ""
        core = edges(self._origin(form))[1]
        notes = [entry.context.value if entry.context else "", entry.comments]
        return Segment(
            id=self._number if entry.plural is None else f"{self._number}[{form}]",
            content=(core,) if core else (),
            translate=bool(core) and (not target or self._again),
            context="\n".join(filter(None, notes)),
            accelerator=accelerator_of(core),
            syntax=frozenset(flag for flag in entry.flags if flag.endswith("-format") and not flag.startswith("no-")),
            target=(target,) if target else None,
        )

    def _encoded(self, contents: Sequence[Content | None]) -> str:
        entry, text = self._entry, self._text.text
        first = min(entry.targets.values(), key=lambda found: found.start)
        if self._is_fuzzy:
            head = text[entry.message if entry.flag_place is None else entry.flag_place : first.start]
        elif entry.flag_place is not None:
            head = f" fuzzy,{text[entry.flag_place : first.start]}"
        else:
            head = f"#, fuzzy{self._text.newline}{text[entry.message : first.start]}"
        lines = [self._written(form, content) for form, content in enumerate(contents)]
        return head + self._text.newline.join(lines)

    def _written(self, form: int, content: Content | None) -> str:
        keyword = "msgstr" if self._entry.plural is None else f"msgstr[{form}]"
        if content is not None:
            before, _, after = edges(self._origin(form))
            return _field(keyword, before + plain(content) + after, self._text.newline)
        if form in self._entry.targets:
            found: Field = self._entry.targets[form]
            return self._text.text[found.start : found.end]
        return f'{keyword} ""'


def _field(keyword: str, value: str, newline: str) -> str:
    """A keyword and its strings, as gettext's tools break them."""
    single = f'{keyword} "{escape(value)}"'
    if "\n" not in value[:-1] and width_of(single) <= _COLUMNS:
        return single
    lines = [f'{keyword} ""']
    for line in re.findall(r"[^\n]*\n|[^\n]+", value):
        lines += [f'"{piece}"' for piece in _broken(line)]
    return newline.join(lines)


def _broken(line: str) -> list[str]:
    """A line in pieces that fit between quotes, broken after spaces and between the characters of unspaced scripts."""
    pieces, used = [""], 0
    for word in _PIECES.findall(line) or [line]:
        parts = list(word) if any(map(is_unspaced, word)) else [word]
        for part in parts:
            written = escape(part)
            columns = width_of(written)
            if pieces[-1] and used + columns > _COLUMNS - 2:
                pieces.append("")
                used = 0
            pieces[-1] += written
            used += columns
    return pieces


def _header_edits(text: SourceText, entry: Entry, options: ReadOptions, rule: PluralRule | None) -> Iterator[Slot]:
    """What a header lacks: the language, its plural forms, the encoding."""
    if 0 not in entry.targets:
        return
    found = entry.targets[0]
    raw = text.text[found.start : found.end]
    is_template = f"charset={_TEMPLATE_CHARSET}" in raw
    if is_template:
        place = found.start + raw.index(f"charset={_TEMPLATE_CHARSET}") + len("charset=")
        yield edit(place, place + len(_TEMPLATE_CHARSET), "UTF-8")
        if entry.flag_place is not None and (flag := _FUZZY.match(text.text, entry.flag_place)):
            yield _without_flag(text, entry.flag_place, flag)
    wanted: Mapping[re.Pattern[str], str] = {
        _LANGUAGE_LINE: f'"Language: {options.target_language.replace("-", "_")}' if options.target_language else "",
        _PLURAL_LINE: f'"Plural-Forms: {rule.header}' if rule else "",
    }
    for pattern, line in wanted.items():
        name = line.partition(":")[0]
        if not line:
            continue
        if match := pattern.search(raw):
            yield edit(found.start + match.start(), found.start + match.end(), line)
        elif name and name[1:].lower() + ":" not in found.value.lower():
            yield edit(found.end, found.end, f'{text.newline}{line}\\n"')


def _without_flag(text: SourceText, place: int, flag: re.Match[str]) -> Slot:
    """The header's `fuzzy` goes, and its line where it says nothing else."""
    line_end = text.text.find("\n", place) + 1
    if text.text[flag.end() : line_end].strip():
        return edit(flag.start(), flag.end(), "")
    return edit(text.text.rfind("\n", 0, place) + 1, line_end, "")


FORMAT = TextFormat(name="po", title="gettext catalogue", slots=_slots, declared=_declared, redeclared=_redeclared)
