"""Which language a text is in, among those that are served.

docs/guides/serve.md has the measurement that chose the library (benchmarks/questions/serve_languages.py).
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

_LONGEST = 2000  # characters that are looked at


@dataclass(frozen=True)
class Guess:
    """A language that a text may be in.

    Attributes:
        language: its canonical code.
        confidence: 0 to 1, among the languages that were possible.
    """

    language: str
    confidence: float


class Identifier:
    """Guesses languages with py3langid's model, which is loaded with the first text."""

    def __init__(self) -> None:
        """Prepare to guess; the model takes a second to load."""
        self._lock = threading.Lock()
        self._model: LanguageIdentifier | None = None
        self._among: tuple[str, ...] = ()
        self._every: frozenset[str] = frozenset()

    @property
    def is_loaded(self) -> bool:
        return self._model is not None

    def load(self) -> None:
        """Load the model, if it is not; in a thread where others must not wait for it."""
        with self._lock:
            self._loaded()

    def guess(self, text: str, among: Sequence[str]) -> list[Guess]:
        """Say how likely each of some languages is, the likeliest first.

        Args:
            among: canonical codes; one that the library does not know is possible, but never likely.
        """
        if len(among) < 2:
            return [Guess(code, 1.0) for code in among]
        with self._lock:
            model = self._loaded()
            by_general: dict[str, str] = {}
            for code in among:
                by_general.setdefault(_general(code), code)
            known = tuple(code for code in by_general if code in self._every)
            if known and self._among != known:
                model.set_languages(list(known))
                self._among = known
            ranked = model.rank(text[:_LONGEST]) if known else []
        found = [Guess(by_general[code], float(share)) for code, share in ranked]
        named = {guess.language for guess in found}
        return found + [Guess(code, 0.0) for code in among if code not in named]

    def _loaded(self) -> "LanguageIdentifier":
        if self._model is None:
            from py3langid.langid import MODEL_FILE, LanguageIdentifier

            self._model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
            self._every = frozenset(self._model.nb_classes)
        return self._model


def _general(code: str) -> str:
    """The library's code: without region and script."""
    return {"nb": "no"}.get(code.partition("-")[0], code.partition("-")[0])
