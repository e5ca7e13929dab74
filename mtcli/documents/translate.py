"""A document's segments in, their translations out, in order and in bounded memory."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from mtcli import __version__
from mtcli.decoding.alignment import Aligner
from mtcli.decoding.options import TranslateOptions
from mtcli.decoding.translator import Translator, way_to_search
from mtcli.documents.asking import LineTranslator, Link, run
from mtcli.documents.masks import probe, remembered
from mtcli.documents.segments import Keeping, fill, groups
from mtcli.documents.units import Protection
from mtcli.errors import UsageError
from mtcli.files import content_hash
from mtcli.formats.documents.model import Filled, Segment
from mtcli.model_directory.model import StoredModel
from mtcli.translation import Translation

_WINDOW = 512  # segments that are translated together


@dataclass(frozen=True, kw_only=True)
class DocumentOptions:
    """Say how documents are translated, beside what holds for lines.

    Attributes:
        protect: regular expressions of what is to be kept as it is.

    Raises:
        UsageError: one is no regular expression.
    """

    protect: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.protection()

    def protection(self) -> Protection:
        """What is kept."""
        return Protection(tuple(map(_compiled, self.protect)))


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise UsageError(f"--protect {pattern}: no regular expression ({error}).") from None


class ModelLines:
    """Translate lines with a model, and link their words by its attention: a `LineTranslator`."""

    def __init__(self, translator: Translator, options: TranslateOptions) -> None:
        self._translator, self._options = translator, options
        self._aligner: Aligner | None = None

    def translate(self, lines: Sequence[str]) -> Sequence[Translation]:
        return self._translator.translate(list(lines), self._options)

    def links(self, translations: Sequence[Translation]) -> Sequence[Sequence[Link]]:
        self._aligner = self._aligner or Aligner(self._translator.backend)
        return self._aligner.links(translations)


def filled(segments: Iterable[Segment], translator: LineTranslator, keeping: Keeping) -> Iterator[list[Filled]]:
    """Translate segments in order; yields those together that were translated together.

    A group's translation depends on nothing but the group, so that a killed job may go on behind any.
    """
    for window in _windows(segments):
        yield from run([fill(group, keeping) for group in groups(window)], translator)


def _windows(segments: Iterable[Segment]) -> Iterator[list[Segment]]:
    """Segments, some hundred at a time, none parted from those that its text goes on in."""
    source = iter(segments)
    while window := list(islice(source, _WINDOW)):
        while window[-1].joins and (more := next(source, None)) is not None:
            window.append(more)
        yield window


def keeping_of(
    translator: Translator, options: TranslateOptions, documents: DocumentOptions, source_language: str = ""
) -> Keeping:
    """What to keep and how: tries which masks a model copies, once for the model and the way it translates.

    Args:
        source_language: code of the language it reads; empty if it is not known.
    """
    lines = ModelLines(translator, options)

    def shapes() -> list[str]:
        return probe(lambda carriers: [found.text for found in lines.translate(carriers)], source_language)

    fingerprint = _fingerprint(translator, options)
    return Keeping(documents.protection(), tuple(remembered(fingerprint, shapes) if fingerprint else shapes()))


def _fingerprint(translator: Translator, options: TranslateOptions) -> str:
    """A hash of a model and of how it translates; empty where the model is in memory alone."""
    if not isinstance(translator.model, StoredModel):
        return ""
    settings, search = way_to_search(translator.model, options, translator.options)
    choice = translator.backend.choice_for(search)
    parts = (
        content_hash(translator.model.weights_file),
        settings.model_dump_json(),
        f"{choice.name} {choice.device} {choice.dtype} {options.repair}",
        *choice.versions,
        __version__,
    )
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()
