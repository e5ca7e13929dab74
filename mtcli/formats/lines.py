"""How translations are written: one function for each `--format`. docs/reference/formats.md has all combinations."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mtcli.formats.records import Record

if TYPE_CHECKING:
    from mtcli.decoding.translator import Translation

Formatter = Callable[[int, Record, "Translation"], str]
"""From a line's number (from 0 over all input), the line and its translation to what is written for it."""

_OWN_FIELDS = ("id", "source", "translation", "score", "n_best", "columns", "input")
# Legal in JSON, but many a reader of lines takes them for the end of one.
_ESCAPED = {number: f"\\u{number:04x}" for number in (0x85, 0x2028, 0x2029)}
_MOSES_BAR = "&#124;"  # as Moses's own escape-special-chars.perl writes it


def _text(index: int, record: Record, translation: "Translation") -> str:
    """The line with its text replaced: other columns stay, and so does its ending."""
    return "\t".join((translation.text, *(record.columns or ()))) + record.ending


def _tsv(index: int, record: Record, translation: "Translation") -> str:
    rest = "".join(f"\t{column}" for column in record.columns or ())
    return "".join(
        f"{index}\t{rank}\t{candidate.score:.6f}\t{candidate.text}{rest}\n"
        for rank, candidate in enumerate(translation.n_best)
    )


def _moses(index: int, record: Record, translation: "Translation") -> str:
    return "".join(
        f"{index} ||| {candidate.text.replace('|||', 3 * _MOSES_BAR)} ||| F0= {candidate.log_prob:.6f} "
        f"||| {candidate.score:.6f}\n"
        for candidate in translation.n_best
    )


def _jsonl(index: int, record: Record, translation: "Translation") -> str:
    """One object; fields of the input are kept beside ours, those with our names inside `input`."""
    best = translation.n_best[0]
    content: dict[str, Any] = {
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
    if record.columns is not None:
        content["columns"] = record.columns
    content |= {name: value for name, value in record.fields.items() if name not in _OWN_FIELDS}
    if clashing := {name: value for name, value in record.fields.items() if name in _OWN_FIELDS}:
        content["input"] = clashing
    line = json.dumps(content, ensure_ascii=False).translate(_ESCAPED)
    # Half a surrogate pair, which a field passed through may hold, can only be written as it came: escaped.
    return (line if _is_unicode(line) else json.dumps(content)) + "\n"


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


FORMATS: dict[str, Formatter] = {"text": _text, "tsv": _tsv, "moses": _moses, "jsonl": _jsonl}
