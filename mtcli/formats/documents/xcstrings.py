"""Xcode's string catalogues (.xcstrings): a language that an entry lacks is filled in, to be reviewed.

The source is the entry's text in the file's `sourceLanguage`, or its key. Plural forms are those of the target.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mtcli.errors import UsageError
from mtcli.files import display_name
from mtcli.formats.documents.json_text import Member, StringWriter, load, members
from mtcli.formats.documents.model import Content, ReadOptions, Segment, plain
from mtcli.formats.documents.plurals import rule_for
from mtcli.formats.documents.source_text import Slot, SourceText, TextFormat, edges, is_text

_NEW = ("new",)
_UNREVIEWED = ("new", "needs_review")
_EXPECTED = 'Expected such as: {"sourceLanguage": "en", "strings": {}, "version": "1.0"}.'


@dataclass(frozen=True, slots=True)
class _Leaf:
    """Hold one text of an entry.

    Attributes:
        path: names of the variations that lead to it, such as ("plural", "one").
        text: what is translated.
        target: the translation that is there; None where there is none.
        is_done: whether that is to stay.
    """

    path: tuple[str, ...]
    text: str
    target: str | None
    is_done: bool


def _slots(text: SourceText, options: ReadOptions) -> Iterator[Slot]:
    content = load(text)
    if not isinstance(content, dict) or not isinstance(content.get("strings"), dict):
        raise text.error(0, f"this is no string catalogue. {_EXPECTED}")
    source = str(content.get("sourceLanguage", "")) or options.source_language
    if not options.target_language or _code(options.target_language) == _code(source):
        raise UsageError(
            f"{display_name(text.path)} holds several languages, and its source is {source or 'not named'}. Give the "
            "language to fill in as the target."
        )
    layout = _Layout.of(text)
    strings = members(text.text, members(text.text, text.text.index("{"))["strings"].value)
    for key, member in strings.items():
        entry = content["strings"][key]
        if not isinstance(entry, dict):
            raise text.error(member.value, f"an entry is an object. {_EXPECTED}")
        found = _Entry(layout, key, member, entry, source, options)
        if found.leaves:
            yield found.slot()


def _code(language: str) -> str:
    return language.replace("_", "-").lower()


def _inner(node: Any, name: str) -> Mapping[str, Any]:
    """An object inside a node; empty where there is none."""
    found = node.get(name) if isinstance(node, Mapping) else None
    return found if isinstance(found, Mapping) else {}


class _Entry:
    """Fill one entry."""

    def __init__(
        self, layout: "_Layout", key: str, member: Member, entry: Mapping[str, Any], source: str, options: ReadOptions
    ) -> None:
        self._layout, self._key, self._member, self._entry = layout, key, member, entry
        localizations = entry.get("localizations")
        self._localizations: Mapping[str, Any] = localizations if isinstance(localizations, dict) else {}
        names = {_code(name): name for name in self._localizations}
        self._language = names.get(_code(options.target_language), options.target_language.replace("_", "-"))
        rule = rule_for(options.target_language)
        self._categories = rule.categories if rule else ()
        origin = self._localizations.get(names.get(_code(source), source)) or {"stringUnit": {"value": key}}
        self._states = _UNREVIEWED if options.fuzzy else _NEW
        self.leaves = list(self._leaves(origin, self._localizations.get(self._language), ()))

    def _leaves(self, origin: Any, target: Any, path: tuple[str, ...], is_done: bool = False) -> Iterator[_Leaf]:
        """The texts of a node; none where it has substitutions, whose numbers nobody here can tell apart."""
        if not isinstance(origin, dict) or "substitutions" in origin:
            return
        unit, found = origin.get("stringUnit"), _inner(target, "stringUnit")
        # What is there in another shape, such as a text where we would vary it, is a translation as well.
        is_done = is_done or (bool(target) and found.get("state", "") not in self._states)
        for kind, forms in _inner(origin, "variations").items():
            for form in self._forms(kind, forms) if isinstance(forms, dict) else ():
                origin_form = forms.get(form, forms.get("other", next(iter(forms.values()), None)))
                theirs = _inner(_inner(target, "variations"), kind)
                yield from self._leaves(origin_form, theirs.get(form), (*path, kind, form), is_done and not theirs)
        if isinstance(unit, dict) and isinstance(unit.get("value"), str) and is_text(unit["value"]):
            value = found.get("value")
            yield _Leaf(path, unit["value"], value if isinstance(value, str) else None, is_done)

    def _forms(self, kind: str, forms: Mapping[str, Any]) -> Sequence[str]:
        if kind != "plural" or not self._categories:
            return list(forms)
        order = ("zero", "one", "two", "few", "many", "other")
        zero = ("zero",) if "zero" in forms else ()  # which may be there for any language
        return sorted({*self._categories, "other", *zero}, key=order.index)

    def slot(self) -> Slot:
        """Where the language is, or where it is put."""
        text = self._layout.text.text
        segments = tuple(map(self._segment, self.leaves))
        entry = members(text, self._member.value)
        if (inner := entry.get("localizations")) is None or text[inner.value] != "{":
            place = self._member.value
            return Slot(*self._layout.gap(place, entry, "localizations"), segments, self._in_entry)
        languages = members(text, inner.value)
        if (found := languages.get(self._language)) is not None:
            return Slot(found.value, found.end, segments, lambda contents: self._written(contents, found.start))
        start, end = self._layout.gap(inner.value, languages, self._language)
        return Slot(start, end, segments, self._in_localizations)

    def _segment(self, leaf: _Leaf) -> Segment:
        is_kept = any(one.is_done for one in self.leaves) or self._entry.get("shouldTranslate") is False
        return Segment(
            id=self._key + (f"[{'.'.join(leaf.path[1::2])}]" if leaf.path else ""),
            content=(edges(leaf.text)[1],),
            translate=not is_kept,
            context=str(self._entry.get("comment", "")),
            target=(leaf.target,) if leaf.target else None,
        )

    def _node(self, contents: Sequence[Content | None]) -> dict[str, Any]:
        """The language's translations."""
        node: dict[str, Any] = {}
        for leaf, content in zip(self.leaves, contents, strict=True):
            inner = node
            for kind, form in zip(leaf.path[::2], leaf.path[1::2], strict=True):
                inner = inner.setdefault("variations", {}).setdefault(kind, {}).setdefault(form, {})
            before, core, after = edges(leaf.text)
            state = "new" if content is None else "needs_review"
            inner["stringUnit"] = {"state": state, "value": before + (plain(content) if content else core) + after}
        return node

    def _written(self, contents: Sequence[Content | None], place: int) -> str:
        return self._layout.written(self._node(contents), self._layout.depth(place))

    def _in_localizations(self, contents: Sequence[Content | None]) -> str:
        text = self._layout.text.text
        inner = members(text, self._member.value)["localizations"].value
        return self._layout.member(inner, self._language, self._node(contents))

    def _in_entry(self, contents: Sequence[Content | None]) -> str:
        node = {self._language: self._node(contents)}
        return self._layout.member(self._member.value, "localizations", node)


@dataclass(frozen=True)
class _Layout:
    """Write objects as a file does.

    Attributes:
        text: the file's.
        writer: of strings.
        unit: what a level is indented by; empty where all is on one line.
        colon: what stands between a key and its value.
    """

    text: SourceText
    writer: StringWriter
    unit: str
    colon: str

    @classmethod
    def of(cls, text: SourceText) -> "_Layout":
        """Find a file's way."""
        content = text.text
        start = content.find("\n") + 1
        unit = content[start : len(content) - len(content[start:].lstrip(" \t"))] if start else ""
        first = content.find('"', content.find('"') + 1) + 1
        colon = content[first : first + 2]
        return cls(text, StringWriter.of(content), unit, " : " if colon.startswith(" ") else ": ")

    def depth(self, place: int) -> str:
        """What the line of a place is indented by."""
        start = self.text.text.rfind("\n", 0, place) + 1
        line = self.text.text[start:place]
        return line[: len(line) - len(line.lstrip(" \t"))]

    def gap(self, brace: int, found: Mapping[str, Member], key: str) -> tuple[int, int]:
        """Where a member is put into an object: in the order of keys; an object without any is replaced inside."""
        before = [member.end for name, member in found.items() if name.lower() < key.lower()]
        if found:
            place = max(before, default=brace + 1)
            return place, place
        return brace + 1, self.text.text.index("}", brace)

    def member(self, brace: int, key: str, value: Any) -> str:
        """A member as it is put into the gap of an object, with its comma and line ends."""
        found = members(self.text.text, brace)
        outer = self.depth(brace)
        indent = outer + self.unit
        start, end = self.gap(brace, found, key)
        newline = self.text.newline if self.unit else ""
        line = f"{newline}{indent if newline else ''}{self.writer(key)}{self.colon}{self.written(value, indent)}"
        if start != end or not found:
            return line + (f"{newline}{outer}" if newline else "")
        return f",{line}" if start > brace + 1 else f"{line},"

    def written(self, value: Any, indent: str) -> str:
        """A value; the lines of an object are indented."""
        if not isinstance(value, dict):
            return self.writer(value)
        newline = self.text.newline if self.unit else ""
        inner = indent + self.unit if newline else ""
        lines = (
            f"{newline}{inner}{self.writer(key)}{self.colon}{self.written(one, inner)}" for key, one in value.items()
        )
        return "{" + ",".join(lines) + f"{newline}{indent if newline else ''}}}"


FORMAT = TextFormat(name="xcstrings", title="Xcode string catalogue", slots=_slots)
