"""Markdown from the results files of `python -m benchmarks.decoding`, for benchmarks/report/pages.py: each takes a file's text.

Raises of all: ValidationError, the text is not what decoding/records.py describes.
"""

from collections.abc import Sequence
from typing import TypeVar

from benchmarks.questions.decoding.records import (
    Agreement,
    BaseResult,
    Latency,
    LatencyResult,
    Measured,
    Model,
    ProfilePart,
    ProfileResult,
    Rate,
    ScoredRate,
    Sources,
    TrainedResult,
)
from benchmarks.report.blocks import circumstances, console

AnyRow = TypeVar("AnyRow", Rate, ScoredRate, Latency)

_TUNED = ("batch", "inter_threads", "intra_threads")  # a user takes the fastest of these
_WHO = "| decoder | number type | search | settings |"
_WHO_LINE = "|---|---|---|---|"
_RATE = " target tokens/s | range | of mtcli |"
_RATE_LINE = "--:|--:|--:|"
_SCORE = " lines/s | BLEU | tokens a line | same as mtcli's |"
_SCORE_LINE = "--:|--:|--:|--:|"


def base_block(text: str) -> str:
    """Transformer-base: the fastest setting of each decoder, number type and search."""
    result = BaseResult.model_validate_json(text)
    return _block(result, _base_lines(result, best(result.rows)))


def base_settings_block(text: str) -> str:
    """Transformer-base: every setting."""
    result = BaseResult.model_validate_json(text)
    return _block(result, _base_lines(result, result.rows))


def _base_lines(result: BaseResult, rows: Sequence[Rate]) -> list[str]:
    tokens = result.target_tokens // result.sources.sentences
    return [
        _WHO + _RATE,
        _WHO_LINE + _RATE_LINE,
        *(f"{_who(row)}{_rate(row)}" for row in _ordered(rows)),
        "",
        f"{_model(result.model)} {_sources(result.sources)} Each sentence takes exactly {tokens} decoding steps. "
        f"{_agreement(result.agreement)}",
    ]


def trained_block(text: str) -> str:
    """A trained model: the fastest setting of each decoder, number type and search."""
    result = TrainedResult.model_validate_json(text)
    return _block(result, _trained_lines(result, best(result.rows)))


def trained_settings_block(text: str) -> str:
    """A trained model: every setting."""
    result = TrainedResult.model_validate_json(text)
    return _block(result, _trained_lines(result, result.rows))


def _trained_lines(result: TrainedResult, rows: Sequence[ScoredRate]) -> list[str]:
    lines = result.sources.sentences
    return [
        _WHO + _RATE + _SCORE,
        _WHO_LINE + _RATE_LINE + _SCORE_LINE,
        *(
            f"{_who(row)}{_rate(row)} {row.lines_per_second:,.1f} | {row.bleu:.2f} | {row.mean_tokens:.1f} "
            f"| {row.same_text / lines:.1%} |"
            for row in _ordered(rows)
        ),
        "",
        f"{_model(result.model)} {_sources(result.sources)} All got the same pieces, cut beforehand, except mtcli from "
        f"lines to lines. {_agreement(result.agreement)}",
        "",
        f"- BLEU: `{result.signature}`",
    ]


def latency_block(text: str) -> str:
    """One sentence at a time, each model in a table of its own."""
    result = LatencyResult.model_validate_json(text)
    lines: list[str] = []
    for part in result.parts:
        forced = f" Each takes exactly {part.target_tokens} decoding steps." if part.target_tokens else ""
        lines += [
            _WHO + " p50 (ms) | p95 (ms) | mean (ms) | p50 of mtcli's |",
            _WHO_LINE + "--:|--:|--:|--:|",
            *(_latency(row) for row in _ordered(best(part.rows, least=True))),
            "",
            f"{_model(part.model)} {_sources(part.sources)}{forced} {_agreement(part.agreement)}",
            "",
        ]
    return _block(result, lines[:-1])


def profile_block(text: str) -> str:
    """Where the time goes: a column for each model and search."""
    result = ProfileResult.model_validate_json(text)
    groups = [share.group for share in result.parts[0].groups]
    shares = [{share.group: share for share in part.groups} for part in result.parts]
    return _block(
        result,
        [
            "| part | " + " | ".join(f"{part.model.name}, {part.search}" for part in result.parts) + " |",
            "|---|" + "--:|" * len(result.parts),
            *(f"| {group} | " + " | ".join(f"{by[group].share:.1%}" for by in shares) + " |" for group in groups),
            "| target tokens/s | "
            + " | ".join(f"{part.target_tokens / part.wall:,.0f}" for part in result.parts)
            + " |",
            "",
            *(f"- {_profiled(part)}" for part in result.parts if part.search != "greedy"),
        ],
    )


def _profiled(part: ProfilePart) -> str:
    slower = part.profiled_wall / part.wall - 1
    return (
        f"{part.model.name}: {_model(part.model)} {_sources(part.sources)} "
        f"The profiler slowed it down by {slower:.0%}; shares are of a run without it."
    )


def best(rows: Sequence[AnyRow], *, least: bool = False) -> list[AnyRow]:
    """Of rows that differ in batch and threads alone, the best of those measured in all rounds, in the order given."""
    found: dict[tuple[object, ...], AnyRow] = {}
    for row in rows:
        rest = tuple(sorted((key, value) for key, value in row.settings.items() if key not in _TUNED))
        kind = (row.contestant, row.dtype, row.search, rest)
        rival = found.get(kind)
        if None not in row.rounds and (rival is None or (_figure(row) < _figure(rival)) == least):
            found[kind] = row
    return [row for row in rows if row in found.values()]


def _ordered(rows: Sequence[AnyRow]) -> list[AnyRow]:
    """By search, then by decoder, each in the order of its first row."""
    searches, decoders = ([getattr(row, name) for row in rows] for name in ("search", "contestant"))
    return sorted(rows, key=lambda row: (searches.index(row.search), decoders.index(row.contestant)))


def _figure(row: Rate | Latency) -> float:
    return row.median.p50 if isinstance(row, Latency) else row.median


def _who(row: Rate | Latency) -> str:
    return f"| {row.contestant} | {row.dtype} | {row.search} | {row.way} |"


def _rate(row: Rate) -> str:
    return f" {row.median:,.0f} | {row.min:,.0f} to {row.max:,.0f} | {row.ratio:.2f} |"


def _latency(row: Latency) -> str:
    return f"{_who(row)} {row.median.p50:,.1f} | {row.median.p95:,.1f} | {row.median.mean:,.1f} | {row.ratio:.2f} |"


def _model(model: Model) -> str:
    return (
        f"{model.encoder_layers}+{model.decoder_layers} layers of width {model.d_model}, {model.heads} heads, "
        f"feed-forward {model.ffn_dim:,}, {model.vocabulary:,} pieces, {model.parameters / 1e6:.1f} million parameters."
    )


def _sources(sources: Sources) -> str:
    return (
        f"{sources.sentences:,} sentences of {sources.mean:.1f} source tokens on average, {sources.max} at most "
        f"({sources.origin})."
    )


def _agreement(found: Sequence[Agreement]) -> str:
    """How well the peers hold mtcli's model, in a sentence; none where there were no peers."""
    if not found:
        return ""
    words = "; ".join(f"{one.contestant} {one.nats_a_token:.0e} and {one.same_greedy}" for one in found)
    return (
        "In float32 the scores agree with mtcli's. The largest difference in nats a token, and how many of the first "
        f"{found[0].sentences} greedy outputs are the same: {words}."
    )


def _block(result: Measured, lines: Sequence[str]) -> str:
    variables = [f"{name}={value}" for name, value in (result.environment | result.peer_environment).items()]
    set_to = f" With {', '.join(variables)}." if variables else ""
    return "\n".join(
        [f"**{result.title}**", "", *lines, "", f"{circumstances(result)}{set_to}", "", *console(result.command)]
    )
