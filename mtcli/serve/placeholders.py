"""Placeholders that a client put into plain text and wants back: `[X12X]`, as Weblate writes them.

A text is translated whole. Only where a placeholder is lost on the way, or comes twice, what stands between them is
translated by itself.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from mtcli.serve.service import Translated, TranslationService

_PLACEHOLDER = re.compile(r"\[X\d+X\]")


@dataclass(frozen=True)
class AroundPlaceholders:
    """A text as what stands between its placeholders (`mtcli.serve.service.Marked`).

    Attributes:
        kept: what stands before each piece, and behind the last: placeholders, and the spaces beside them.
        texts: the pieces.
    """

    kept: Sequence[str]
    texts: Sequence[str]

    @classmethod
    def of(cls, text: str) -> Self:
        """Take a text apart."""
        kept, texts, before, place = [], [], "", 0
        for start, end in [*(found.span() for found in _PLACEHOLDER.finditer(text)), (len(text), len(text))]:
            piece = text[place:start]
            if bare := piece.strip():
                begin = piece.index(bare)
                kept.append(before + piece[:begin])
                texts.append(bare)
                before = piece[begin + len(bare) :]
            else:
                before += piece
            before += text[start:end]
            place = end
        return cls([*kept, before], texts)

    @property
    def unchanged(self) -> str:
        """The text as it came."""
        return self.filled(self.texts)

    def filled(self, translations: Sequence[str]) -> str:
        """The whole, with these in the place of `texts`."""
        *before, last = self.kept
        return "".join([*(kept + text for kept, text in zip(before, translations, strict=True)), last])


async def translate_around(
    service: TranslationService, texts: Sequence[str], source: str, target: str, *, n_best: int = 1
) -> list[Translated]:
    """Translate plain texts as the service does, but give their placeholders back, each as often as it came.

    Raises:
        RefusalError: as the service.
    """
    found = await service.translate(texts, source, target, n_best=n_best)
    broken = [place for place, text in enumerate(texts) if _placeholders(text) != _placeholders(found[place].text)]
    if broken:
        apart = [AroundPlaceholders.of(texts[place]) for place in broken]
        for place, mended in zip(broken, await service.translate_marked(apart, source, target), strict=True):
            found[place] = replace(found[place], candidates=(mended.text,), flags=mended.flags)
    return found


def _placeholders(text: str) -> list[str]:
    return sorted(_PLACEHOLDER.findall(text))
