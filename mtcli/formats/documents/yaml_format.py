"""YAML (.yml, .yaml): all values that are text. Keys, comments, anchors and what is no text stay.

Rails names a file's language in its first key: that becomes the target's.
"""

from collections.abc import Iterator

from mtcli.formats.documents.model import ReadOptions
from mtcli.formats.documents.source_text import Slot, SourceText, TextFormat, edit
from mtcli.formats.documents.yaml_scalars import is_plain_text, scalars, slot_of


def _slots(text: SourceText, options: ReadOptions) -> Iterator[Slot]:
    source, target = (name.replace("_", "-") for name in (options.source_language, options.target_language))
    for scalar in scalars(text, 0, len(text.text)):
        if not scalar.is_key:
            if (slot := slot_of(text, scalar)) is not None:
                yield slot
        elif (
            source
            and target
            and scalar.has_mapping
            and not scalar.path
            and scalar.value.replace("_", "-").lower() == source.lower()
        ):
            yield edit(scalar.start, scalar.end, _key(scalar.style, target))


def _key(style: str, language: str) -> str:
    """A key that is a language's code: that of Norwegian would be taken for a truth."""
    quote = style or ("" if is_plain_text(language) else '"')
    return f"{quote}{language}{quote}"


FORMAT = TextFormat(name="yaml", title="YAML", slots=_slots)
