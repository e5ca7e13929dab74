"""Markdown from the results files of `python -m benchmarks.training`, for benchmarks/report/pages.py: each takes a file's text.

Raises of all: ValidationError, the text is not what training/records.py describes.
"""

from collections.abc import Sequence

from benchmarks.contest.records import Result
from benchmarks.questions.decoding.records import Model
from benchmarks.questions.training.entries import MTCLI
from benchmarks.questions.training.records import Corpus, ProfileResult, Row, Trained
from benchmarks.report.blocks import circumstances, console


def trained_block(text: str) -> str:
    """Rates and memory of each contestant, number type, number of cores and way."""
    result = Trained.model_validate_json(text)
    failed = [f"{row.contestant}, {row.dtype}, {_where(row.cores)}: {row.why}" for row in result.rows if row.why]
    return _block(
        result,
        [
            "| trainer | number type | cores | way | target tokens/s | range | of mtcli in float32 | memory (MiB) |",
            "|---|---|--:|---|--:|--:|--:|--:|",
            *(_row(row) for row in result.rows),
            "",
            *([f"- {line}" for line in best_against_best(result.rows)]),
            *([f"- Failed: {'; '.join(failed)}."] if failed else []),
            "",
            f"{_model(result.model)} {_corpus(result.corpus)} Batches of up to {result.batch_tokens:,} tokens on the "
            f"longer side; {result.steps} updates after {result.warm_up} that do not count. Every figure is a process "
            f"of its own; medians of {len(result.rows[0].rounds)} rounds. Memory is the most that was resident while "
            "it trained.",
        ],
    )


def best_against_best(rows: Sequence[Row]) -> list[str]:
    """How many times as fast mtcli's fastest number type is as each way of each peer at its own, in sentences."""
    found = []
    for cores in dict.fromkeys(row.cores for row in rows):
        fastest: dict[tuple[str, str], tuple[float, str]] = {}
        for row in rows:
            if row.cores == cores and row.median is not None:
                who = (row.contestant, row.way)
                fastest[who] = max(fastest.get(who, (0.0, "")), (row.median, row.dtype))
        ours, dtype = fastest.get((MTCLI, ""), (0.0, ""))
        found += [
            f"On {_where(cores)} mtcli at its fastest ({dtype}) trains {ours / rate:.1f} times as fast as "
            f"{_set_off(name)} at its own ({', '.join(filter(None, (its, way)))})."
            for (name, way), (rate, its) in fastest.items()
            if ours and name != MTCLI
        ]
    return found


def profile_block(text: str) -> str:
    """Where the time goes: a column for each model."""
    result = ProfileResult.model_validate_json(text)
    groups = [share.group for share in result.parts[0].groups]
    shares = [{share.group: share for share in part.groups} for part in result.parts]
    rates = " | ".join(f"{part.target_tokens / part.wall:,.0f}" for part in result.parts)
    return _block(
        result,
        [
            f"| part | {' | '.join(part.model.name for part in result.parts)} |",
            "|---|" + "--:|" * len(result.parts),
            *(f"| {group} | " + " | ".join(f"{by[group].share:.1%}" for by in shares) + " |" for group in groups),
            f"| target tokens/s | {rates} |",
            "",
            *(
                f"- {part.model.name}: {_model(part.model)} {_corpus(part.corpus)} Batches of up to "
                f"{part.batch_tokens:,} tokens, {part.dtype}. {_slowing(part.profiled_wall / part.wall - 1)} Shares "
                "are of updates without it."
                for part in result.parts
            ),
        ],
    )


def _row(row: Row) -> str:
    who = f"| {row.contestant} | {row.dtype} | {row.cores} | {row.way} |"
    if row.median is None:
        return f"{who} failed |  |  |  |"
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    memory = "" if row.peak_mib is None else f"{row.peak_mib:,.0f}"
    return f"{who} {row.median:,.0f} | {row.min:,.0f} to {row.max:,.0f} | {ratio} | {memory} |"


def _set_off(name: str) -> str:
    """A name that has a comma, as PyTorch, compiled, inside a sentence."""
    return f"{name}," if "," in name else name


def _where(cores: int) -> str:
    return "1 core" if cores == 1 else f"{cores} cores"


def _model(model: Model) -> str:
    return (
        f"{model.encoder_layers}+{model.decoder_layers} layers of width {model.d_model}, {model.heads} heads, "
        f"feed-forward {model.ffn_dim:,}, {model.vocabulary:,} pieces, {model.parameters / 1e6:.1f} million parameters."
    )


def _corpus(corpus: Corpus) -> str:
    return (
        f"{corpus.origin}: {corpus.pairs:,} pairs of {corpus.mean_src:.1f} source and {corpus.mean_tgt:.1f} target "
        "tokens on average."
    )


def _block(result: Result, lines: Sequence[str]) -> str:
    return "\n".join([f"**{result.title}**", "", *lines, "", circumstances(result), "", *console(result.command)])


def _slowing(share: float) -> str:
    return f"The profiler slowed it down by {share:.0%}." if share >= 0.005 else "The profiler did not slow it down."
