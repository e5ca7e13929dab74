"""JSON of an interface's texts (.json) and Flutter's (.arb): all strings that are values; keys stay.

Where every entry is an object with a `message`, as browser extensions have them, only that is translated.
"""

from collections.abc import Iterator
from typing import Any

from mtcli.formats.documents.json_text import StringWriter, Value, load, values
from mtcli.formats.documents.model import ReadOptions, Segment
from mtcli.formats.documents.source_text import Slot, SourceText, TextFormat, edges, edit, is_text, text_slot


def _slots(text: SourceText, options: ReadOptions) -> Iterator[Slot]:
    content = load(text)
    writer = StringWriter.of(text.text)
    messages_alone = _has_messages(content)
    for value in values(text.text):
        if messages_alone and (len(value.path) != 2 or value.path[1] != "message"):
            continue
        context = str(content.get(value.path[0], {}).get("description", "")) if messages_alone else ""
        if (slot := _slot(value, writer, context)) is not None:
            yield slot


def _has_messages(content: Any) -> bool:
    return (
        isinstance(content, dict)
        and bool(content)
        and all(isinstance(one, dict) and isinstance(one.get("message"), str) for one in content.values())
    )


def _slot(value: Value, writer: StringWriter, context: str = "", syntax: frozenset[str] = frozenset()) -> Slot | None:
    """A string's slot; None where it is none, or holds no text."""
    if value.text is None or not is_text(value.text):
        return None
    before, core, after = edges(value.text)
    segment = Segment(id=value.name, content=(core,), context=context, syntax=syntax)
    return text_slot(value.start, value.end, segment, lambda new: writer(before + new + after))


def _arb_slots(text: SourceText, options: ReadOptions) -> Iterator[Slot]:
    content = load(text)
    if not isinstance(content, dict):
        raise text.error(0, 'an .arb file is an object. Expected such as: {"@@locale": "en", "hello": "Hello"}.')
    writer = StringWriter.of(text.text)
    for value in values(text.text):
        if len(value.path) != 1 or value.text is None:
            continue
        key = value.path[0]
        if key == "@@locale" and options.target_language:
            yield edit(value.start, value.end, writer(options.target_language.replace("-", "_")))
        if key.startswith("@"):
            continue
        about = content.get(f"@{key}")
        context = str(about.get("description", "")) if isinstance(about, dict) else ""
        if (slot := _slot(value, writer, context, frozenset({"icu"}))) is not None:
            yield slot


FORMAT = TextFormat(name="json", title="JSON", slots=_slots)
ARB = TextFormat(name="arb", title="Application Resource Bundle", slots=_arb_slots)
