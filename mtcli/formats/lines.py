"""Formats with a segment a line: how each is read and written. docs/reference/formats.md has all combinations."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mtcli.formats.records import Record
from mtcli.translation import Translation

Parsed = tuple[str, tuple[str, ...] | None, Mapping[str, Any]]
"""A line's text, columns and fields, as in `Record`."""


@dataclass(frozen=True, kw_only=True)
class LineFormat:
    """Say how a kind of file is read and written.

    Attributes:
        parse: from a line without its ending to what it holds; raises ValueError, with a sentence, where it is not of
            this format. None for what is written alone.
        write: from a line's number (from 0 over all input), the line and its translation to what is written for it.
        write_flagged: the same with what checks find beside it; None where there is no room for that.
        lists_all: whether it has room for several translations of a line.
    """

    parse: Callable[[str], Parsed] | None = None
    write: Callable[[int, Record, Translation], str]
    write_flagged: Callable[[int, Record, Translation], str] | None = None
    lists_all: bool = True


_OWN_FIELDS = ("id", "source", "translation", "score", "n_best", "columns", "input")
_FLAG_FIELDS = ("findings", "repaired")
# Legal in JSON, but many a reader of lines takes them for the end of one.
_ESCAPED = {number: f"\\u{number:04x}" for number in (0x85, 0x2028, 0x2029)}
_MOSES_BAR = "&#124;"  # as Moses's own escape-special-chars.perl writes it
_BYTE_ORDER_MARK = "\ufeff"


def _parse_text(line: str) -> Parsed:
    return line, None, {}


def _parse_tsv(line: str) -> Parsed:
    first, *rest = line.split("\t")
    return first, tuple(rest), {}


def _parse_jsonl(line: str) -> Parsed:
    """A JSON object's `text` and its other fields; a blank line has an empty text and no fields."""
    if not (content := line.removeprefix(_BYTE_ORDER_MARK).strip()):
        return "", None, {}
    try:
        fields = json.loads(content, parse_constant=_refuse_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise ValueError(f'not valid JSON ({error}). Expected an object such as {{"text": "…"}}.') from None
    if not isinstance(fields, dict) or not isinstance(fields.get("text"), str):
        found = "an object without a string `text`" if isinstance(fields, dict) else f"{type(fields).__name__}"
        raise ValueError(f'{found}. Expected a JSON object such as {{"text": "…"}}.')
    return fields.pop("text"), None, fields


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _finite(literal: str) -> float:
    number = float(literal)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{literal} is out of range")
    return number


def _write_text(index: int, record: Record, translation: Translation) -> str:
    """The line with its text replaced: other columns stay, and so does its ending."""
    return "\t".join((translation.text, *(record.columns or ()))) + record.ending


def _write_tsv(index: int, record: Record, translation: Translation) -> str:
    rest = "".join(f"\t{column}" for column in record.columns or ())
    return "".join(
        f"{index}\t{rank}\t{candidate.score:.6f}\t{candidate.text}{rest}\n"
        for rank, candidate in enumerate(translation.n_best)
    )


def _write_flagged_tsv(index: int, record: Record, translation: Translation) -> str:
    """As `_write_tsv`, with the names of the checks that found something behind the text; they are of the best one."""
    rest = "".join(f"\t{column}" for column in record.columns or ())
    flags = ",".join(dict.fromkeys(one.check for one in translation.findings))
    return "".join(
        f"{index}\t{rank}\t{candidate.score:.6f}\t{candidate.text}\t{'' if rank else flags}{rest}\n"
        for rank, candidate in enumerate(translation.n_best)
    )


def _write_moses(index: int, record: Record, translation: Translation) -> str:
    return "".join(
        f"{index} ||| {candidate.text.replace('|||', 3 * _MOSES_BAR)} ||| F0= {candidate.log_prob:.6f} "
        f"||| {candidate.score:.6f}\n"
        for candidate in translation.n_best
    )


def _write_jsonl(index: int, record: Record, translation: Translation) -> str:
    """One object; fields of the input are kept beside ours, those with our names inside `input`."""
    return _json_line(_OWN_FIELDS, _json_of(index, translation), record)


def _write_flagged_jsonl(index: int, record: Record, translation: Translation) -> str:
    """As `_write_jsonl`, with what checks found, and how it was repaired."""
    content = _json_of(index, translation)
    content |= {"findings": [asdict(one) for one in translation.findings], "repaired": translation.repaired}
    return _json_line((*_OWN_FIELDS, *_FLAG_FIELDS), content, record)


def _json_of(index: int, translation: Translation) -> dict[str, Any]:
    best = translation.n_best[0]
    return {
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


def _json_line(own: Sequence[str], content: dict[str, Any], record: Record) -> str:
    if record.columns is not None:
        content["columns"] = record.columns
    content |= {name: value for name, value in record.fields.items() if name not in own}
    if clashing := {name: value for name, value in record.fields.items() if name in own}:
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


LINE_FORMATS: Mapping[str, LineFormat] = {
    "text": LineFormat(parse=_parse_text, write=_write_text, lists_all=False),
    "tsv": LineFormat(parse=_parse_tsv, write=_write_tsv, write_flagged=_write_flagged_tsv),
    "moses": LineFormat(write=_write_moses),
    "jsonl": LineFormat(parse=_parse_jsonl, write=_write_jsonl, write_flagged=_write_flagged_jsonl),
}
INPUT_FORMATS = tuple(name for name, form in LINE_FORMATS.items() if form.parse)
