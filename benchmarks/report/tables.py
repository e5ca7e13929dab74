"""Markdown of results files, one function a kind; each takes a file's text.

Raises of all: ValidationError, the text is not what `benchmarks.contest.records` describes.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from benchmarks.contest.records import (
    Agreement,
    CorpusCost,
    Decoded,
    Decoding,
    FirstMinute,
    Growth,
    GrowthPoint,
    Profile,
    Profiled,
    Quality,
    Row,
    Shown,
    Startup,
    Timing,
    Trained,
    Training,
)
from benchmarks.report.blocks import about_model, about_text, block, circumstances, table, wrapped

R = TypeVar("R", bound=Row)

OURS = "mtcli"
_TUNED = ("batch", "inter_threads", "intra_threads")  # a user takes the fastest of these
_METRICS = {"bleu": "BLEU", "chrf": "chrF", "ter": "TER"}


def decoding_block(text: str, *, every_setting: bool = False) -> str:
    """Show the fastest setting of each decoder, number type and search, or every setting, a table a model."""
    result = Decoding.model_validate_json(text)
    lines: list[str] = []
    for part in result.parts:
        rows = part.rows if every_setting else best(part.rows)
        forced = f" Each takes exactly {part.target_tokens} decoding steps." if part.target_tokens else ""
        cut = " All got the same pieces, cut beforehand, except mtcli from lines to lines." if result.signature else ""
        about = f"{about_model(part.model)} {about_text(part.text)}{forced}{cut} {_agreement(part.agreement)}".rstrip()
        lines += [*_decoded(_ordered(rows), part.text.sentences), "", about, *_shortcomings(part.rows), ""]
    lines += [f"- BLEU: `{result.signature}`", ""] if result.signature else []
    return block(result, lines[:-1])


def _decoded(rows: Sequence[Decoded], sentences: int) -> list[str]:
    head, cells = ["decoder", "number type", "search", "settings"], [_rate_cells]
    if any(row.p95 is not None for row in rows):
        head, cells = [*head, "p50 (ms)", "p95 (ms)", "mean (ms)", "p50 of mtcli's"], [_latency_cells]
    else:
        head += ["target tokens/s", "range", "of mtcli"]
    if any(row.bleu is not None for row in rows):
        head, cells = [*head, "lines/s", "BLEU", "tokens a line", "same as mtcli's"], [*cells, _score_cells]
    return table(
        head,
        [
            [row.contestant, row.dtype, row.search, row.way, *(cell for make in cells for cell in make(row, sentences))]
            for row in rows
        ],
        words=4,
    )


def _rate_cells(row: Decoded, sentences: int) -> list[str]:
    return [f"{row.median:,.0f}", f"{row.min:,.0f} to {row.max:,.0f}", _ratio(row)]


def _latency_cells(row: Decoded, sentences: int) -> list[str]:
    return [f"{row.median:,.1f}", f"{row.p95:,.1f}", f"{row.mean:,.1f}", _ratio(row)]


def _score_cells(row: Decoded, sentences: int) -> list[str]:
    same = (row.same_text or 0) / sentences
    return [f"{row.lines_per_second:,.1f}", f"{row.bleu:.2f}", f"{row.mean_tokens:.1f}", f"{same:.1%}"]


def _ratio(row: Row) -> str:
    return "" if row.ratio is None else f"{row.ratio:.2f}"


def best(rows: Sequence[Decoded]) -> list[Decoded]:
    """Return, of rows that differ in batch and threads alone, the best of those measured most often, in their order.

    How many slots a GPU has is no such difference: it says how many sentences there are.
    """
    found: dict[tuple[object, ...], Decoded] = {}
    for row in rows:
        if row.median is None:
            continue
        own = [(key, value) for key, value in row.settings.items() if key not in _TUNED or row.contestant == OURS]
        kind = (row.contestant, row.dtype, row.search, *sorted(own))
        rival = found.get(kind)
        if rival is None or _rank(row) > _rank(rival):
            found[kind] = row
    return [row for row in rows if row in found.values()]


def _rank(row: Decoded) -> tuple[int, float]:
    """How often it was measured, and how fast it is."""
    median = row.median or 0.0
    return sum(figure is not None for figure in row.rounds), median if row.p95 is None else -median


def _ordered(rows: Sequence[Decoded]) -> list[Decoded]:
    """By search, then by decoder, each in the order of its first row; those without a figure are left out."""
    rows = [row for row in rows if row.median is not None]
    searches, decoders = [row.search for row in rows], [row.contestant for row in rows]
    return sorted(rows, key=lambda row: (searches.index(row.search), decoders.index(row.contestant)))


def _shortcomings(rows: Sequence[Row]) -> list[str]:
    """What a reader must not take for measured."""
    why = dict.fromkeys(f"{row.contestant}: {row.why}" for row in rows if row.why)
    left_out = sum(row.status == "left out" for row in rows)
    found = [f"- Without a figure: {'; '.join(why)}."] if why else []
    found += [f"- Left out for lack of time: {left_out} of {len(rows)}."] if left_out else []
    return ["", *found] if found else []


def _agreement(found: Sequence[Agreement]) -> str:
    """How well the peers hold mtcli's model, in a sentence; none where there were no peers."""
    if not found:
        return ""
    words = "; ".join(f"{one.contestant} {one.nats_a_token:.0e} and {one.same_greedy}" for one in found)
    return (
        "In float32 the scores agree with mtcli's. The largest difference in nats a token, and how many of the first "
        f"{found[0].sentences} greedy outputs are the same: {words}."
    )


def training_block(text: str) -> str:
    """Show rates and memory of each contestant, number type, number of cores and way."""
    result = Training.model_validate_json(text)
    head = ("trainer", "number type", "cores", "way", "target tokens/s", "range", "of mtcli", "memory (MiB)")
    lines = [
        *table(head, map(_trained, result.rows), words=4),
        "",
        *(f"- {line}" for line in best_against_best(result.rows)),
        *_shortcomings(result.rows),
        "",
        f"{about_model(result.model)} {about_text(result.text)} Batches of up to {result.batch_tokens:,} tokens on the "
        f"longer side; {result.steps} updates after {result.warm_up} that do not count. Every figure is a process of "
        f"its own; medians of {len(result.rows[0].rounds)} rounds. Memory is the most that was resident while it "
        "trained.",
    ]
    return block(result, lines)


def _trained(row: Trained) -> list[str]:
    who = [row.contestant, row.dtype, str(row.cores), row.way]
    if row.median is None:
        return [*who, row.status, "", "", ""]
    memory = "" if row.peak_mib is None else f"{row.peak_mib:,.0f}"
    return [*who, *(f"{row.median:,.0f}", f"{row.min:,.0f} to {row.max:,.0f}", _ratio(row), memory)]


def best_against_best(rows: Sequence[Trained]) -> list[str]:
    """Say how many times as fast mtcli's fastest number type is as each way of each peer at its own."""
    found = []
    for cores in dict.fromkeys(row.cores for row in rows):
        fastest: dict[tuple[str, str], tuple[float, str]] = {}
        for row in rows:
            if row.cores == cores and row.median is not None:
                who = (row.contestant, row.way)
                fastest[who] = max(fastest.get(who, (0.0, "")), (row.median, row.dtype))
        ours, dtype = fastest.get((OURS, ""), (0.0, ""))
        where = "1 core" if cores == 1 else f"{cores} cores"
        found += [
            f"On {where} mtcli at its fastest ({dtype}) trains {ours / rate:.1f} times as fast as "
            f"{name}{',' if ',' in name else ''} at its own ({', '.join(filter(None, (its, way)))})."
            for (name, way), (rate, its) in fastest.items()
            if ours and name != OURS
        ]
    return found


def profile_block(text: str) -> str:
    """Show where the time goes: a column for each model and way."""
    result = Profile.model_validate_json(text)
    several = len({part.way for part in result.parts}) > 1
    columns = [f"{part.model.name}, {part.way}" if several else part.model.name for part in result.parts]
    groups = [share.group for share in result.parts[0].groups]
    shares = [{share.group: share.share for share in part.groups} for part in result.parts]
    rates = [f"{part.target_tokens / part.wall:,.0f}" for part in result.parts]
    rows = [[group, *(f"{by[group]:.1%}" for by in shares)] for group in groups]
    lines = table(("part", *columns), [*rows, ["target tokens/s", *rates]])
    notes = [f"- {_profiled(part)}" for part in result.parts if part.way != "greedy"]
    return "\n".join([f"**{result.title}**", "", *lines, "", *notes, "", circumstances(result)])


def _profiled(part: Profiled) -> str:
    slower = part.profiled_wall / part.wall - 1
    slowed = f"slowed it down by {slower:.0%}" if slower >= 0.005 else "did not slow it down"
    batches = f" Batches of up to {part.batch_tokens:,} tokens, {part.way}." if part.batch_tokens else ""
    return (
        f"{part.model.name}: {about_model(part.model)} {about_text(part.text)}{batches} The profiler {slowed}; "
        "shares are of runs without it."
    )


def growth_block(text: str) -> str:
    """Show time and memory along an axis."""
    result = Growth.model_validate_json(text)
    rounds = max(len(point.runs) for point in result.points)
    each = "One run each." if rounds == 1 else f"Medians of up to {rounds} rounds, in turns."
    head = (result.axis, "lines", "source tokens a line", "target tokens/s", "time (s)", "memory at most (MiB)")
    note = (
        f"{result.fixed} Time holds starting and loading, the rate does not. Memory is what was resident in a process. "
        f"{each}"
    )
    return block(result, table(head, map(_grown, result.points), words=0), note=note)


def _grown(point: GrowthPoint) -> list[str]:
    rate, seconds, memory = (
        point.median(figure)
        for figure in (lambda run: run.tokens_per_second, lambda run: run.seconds, lambda run: run.peak_mib)
    )
    mean = point.source_tokens / point.lines
    return [f"{point.at:,}", f"{point.lines:,}", f"{mean:.1f}", f"{rate:,.0f}", f"{seconds:,.1f}", f"{memory:,.0f}"]


def corpus_block(text: str) -> str:
    """Show what preparing a large corpus costs."""
    result = CorpusCost.model_validate_json(text)
    costs = (("prepare the corpus", result.prepare), ("form an epoch's batches", result.epoch))
    rows = [[name, f"{cost.peak_mib:,}", f"{cost.seconds:,.1f}"] for name, cost in costs]
    several = f", the largest of {result.processes} others {result.prepare.worker_mib:,} MiB"
    note = (
        f"Random words, {result.tokens / 1e6:.0f} million tokens, {result.batches:,} batches. Memory is what was "
        f"resident in the process{several if result.processes > 1 else ''}."
    )
    title = f"{result.title}: {result.megabytes:,} MB of text, {result.pairs / 1e6:.1f} million pairs"
    return block(result, table(("to", "memory at most (MiB)", "time (s)"), rows), title=title, note=note)


def startup_block(text: str) -> str:
    """Show how fast the command line answers."""
    result = Startup.model_validate_json(text)

    def cells(timing: Timing) -> list[str]:
        return [f"{timing.median:.2f}", f"{timing.min:.2f} to {timing.max:.2f}", str(timing.runs)]

    rows = [
        ["`mtcli --help` (torch is not imported)", *cells(result.help)],
        ["one line through `mtcli translate`", *cells(result.translate)],
    ]
    note = (
        "Each run is a new process, with its files already in the disk cache; the model has "
        f"{result.parameters / 1e6:.2f} million parameters."
    )
    return block(result, table(("command", "median (s)", "range (s)", "runs"), rows), note=note)


def quality_block(text: str) -> str:
    """Show each model's scores on each of its test sets, and its training."""
    result = Quality.model_validate_json(text)
    scored = [(model, score) for model in result.models for score in model.scores]
    head = ("recipe", "test set", "direction", "lines", "beam", "BLEU", "chrF", "TER", "translated in (s)")
    rows = [
        [
            *(model.name, score.set, score.direction, f"{score.lines:,}", score.beam),
            *(f"{figure:.1f}" for figure in (score.bleu, score.chrf, score.ter, score.seconds)),
        ]
        for model, score in scored
    ]
    signatures = dict.fromkeys(pair for _, score in scored for pair in score.signatures.items())
    lines = [
        *table(head, rows, words=3),
        "",
        *(f"- {_METRICS.get(metric, metric)}: `{signature}`" for metric, signature in signatures),
        "",
        *(
            f"- {model.name}: {run.minutes:.1f} minutes, {run.steps:,} steps, {run.target_tokens / 1e6:.1f} million "
            f"target tokens at {run.target_tokens_per_second:,.0f} a second, {run.parameters / 1e6:.2f} million "
            "parameters."
            for model in result.models
            for run in (model.train,)
        ),
    ]
    return block(result, lines)


def recipes_block(texts: Sequence[str]) -> str:
    """Show all corpora's models in one table."""
    results = [Quality.model_validate_json(text) for text in texts]
    head = ("corpus", "recipe", "parameters", "trained (min)", "test set", "BLEU", "chrF")
    rows = [
        [
            *(result.title, model.name, f"{model.train.parameters / 1e6:.1f} M", f"{model.train.minutes:.0f}"),
            *(score.set, f"{score.bleu:.1f}", f"{score.chrf:.1f}"),
        ]
        for result in results
        for model in result.models
        for score in model.scores
    ]
    machines = dict.fromkeys(circumstances(result) for result in results)
    return "\n".join([*table(head, rows, words=2), "", *(f"- {machine}" for machine in machines)])


def install_block(text: str) -> str:
    """Show the installation."""
    shown = FirstMinute.model_validate_json(text).install
    return "\n".join(["```console", *transcript([shown]), "$ . .venv/bin/activate", "```"])


def tutorial_block(text: str) -> str:
    """Show the tutorial's commands and what they printed."""
    result = FirstMinute.model_validate_json(text)
    seconds = sum(shown.seconds for shown in result.tutorial)
    about = f"Together {seconds:.0f} seconds. {circumstances(result)}"
    return "\n".join(["```console", *transcript(result.tutorial), "```", "", about])


def transcript(shown: Sequence[Shown], wrap: Callable[[str], str] = wrapped) -> list[str]:
    """Return commands and what they printed, as lines of a terminal."""
    return [
        line
        for one in shown
        for line in (f"$ {wrap(one.command)}", *("..." if line is None else line for line in one.lines))
    ]
