"""Words that a model copies, to stand for what it must not touch: tried once for each model, and remembered.

A model copies what it has seen copied. Which shapes those are is its training's business, so that some are tried in
sentences, and those that come back in nearly all of them, once each, are used.
"""

import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from mtcli.errors import DataError
from mtcli.files import write_atomically

SHAPES = ("{{{}}}", "[{}]", "<{}>", "__{}__", "%{}", "${}", "#{}", "@{}", "X{}X", "({})")
"""How masks may look, with a number in them."""
_CARRIERS = {
    "en": ("Save {} now.", "The file {} was not found.", "Do you want to open {}?", "{} and {} are ready."),
    "de": ("Speichern Sie {} jetzt.", "Die Datei {} wurde nicht gefunden.", "{} öffnen?", "{} und {} sind fertig."),
    "fr": ("Enregistrez {}.", "Le fichier {} est introuvable.", "Voulez-vous ouvrir {} ?", "{} et {} sont prêts."),
    "es": ("Guarde {} ahora.", "No se encontró el archivo {}.", "¿Quiere abrir {}?", "{} y {} están listos."),
    "ko": ("지금 {} 저장하세요.", "파일 {} 찾을 수 없습니다.", "{} 열까요?", "{} {} 준비되었습니다."),
}
_ENOUGH = 0.75  # of the sentences
_MOST_SHAPES = 2


def mask(shape: str, number: int) -> str:
    """The mask of a shape with a number, from 0."""
    return shape.format(number + 1)


def probe(translate: Callable[[Sequence[str]], Sequence[str]], source_language: str = "") -> list[str]:
    """Find the shapes that a model copies, the best first; at most two, none if it copies none well.

    Args:
        translate: translates lines.
        source_language: code of the language that it reads; English where that is not known or not at hand.
    """
    carriers = _CARRIERS.get(source_language.split("-")[0].lower(), _CARRIERS["en"])
    masks = [[mask(shape, number) for number in range(carrier.count("{}"))] for shape in SHAPES for carrier in carriers]
    lines = [carrier.format(*words) for carrier, words in zip(carriers * len(SHAPES), masks, strict=True)]
    kept = [all(text.count(word) == 1 for word in words) for text, words in zip(translate(lines), masks, strict=True)]
    size = len(carriers)
    shares = {shape: sum(kept[place * size : (place + 1) * size]) / size for place, shape in enumerate(SHAPES)}
    good = [shape for shape in SHAPES if shares[shape] >= _ENOUGH]
    return sorted(good, key=lambda shape: -shares[shape])[:_MOST_SHAPES]


def remembered(fingerprint: str, find: Callable[[], list[str]]) -> list[str]:
    """The shapes that a model copies, found once and kept in the user's cache.

    Args:
        fingerprint: of the model's weights and of how it translates; what was found for another is not used.
        find: finds them.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mtcli"
    path = cache / f"masks-{fingerprint[:32]}.json"
    with suppress(OSError, ValueError, KeyError, TypeError):
        known = json.loads(path.read_text(encoding="utf-8"))
        if known["fingerprint"] == fingerprint and all(shape in SHAPES for shape in known["shapes"]):
            return list(known["shapes"])
    shapes = find()
    with suppress(OSError, DataError):
        cache.mkdir(parents=True, exist_ok=True)
        write_atomically(path, (json.dumps({"fingerprint": fingerprint, "shapes": shapes}) + "\n").encode())
    return shapes
