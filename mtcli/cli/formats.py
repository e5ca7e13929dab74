"""How translations are written: one module for `--format`."""

import json
from collections.abc import Callable

from mtcli.decoding.translator import Translation

Formatter = Callable[[int, Translation], str]


def _text(index: int, translation: Translation) -> str:
    return translation.text + "\n"


def _tsv(index: int, translation: Translation) -> str:
    return "".join(
        f"{index}\t{rank}\t{candidate.score:.6f}\t{candidate.text}\n"
        for rank, candidate in enumerate(translation.n_best)
    )


def _moses(index: int, translation: Translation) -> str:
    return "".join(
        f"{index} ||| {candidate.text} ||| F0= {candidate.log_prob:.6f} ||| {candidate.score:.6f}\n"
        for candidate in translation.n_best
    )


def _jsonl(index: int, translation: Translation) -> str:
    best = translation.n_best[0]
    record = {
        "id": index,
        "source": translation.source,
        "translation": best.text,
        "score": best.score,
        "n_best": [
            {
                "text": candidate.text,
                "score": candidate.score,
                "log_prob": candidate.log_prob,
                "num_tokens": candidate.num_tokens,
            }
            for candidate in translation.n_best
        ],
    }
    return json.dumps(record, ensure_ascii=False) + "\n"


FORMATS: dict[str, Formatter] = {"text": _text, "tsv": _tsv, "moses": _moses, "jsonl": _jsonl}
