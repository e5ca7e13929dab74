"""What benchmarks/quality.py writes, and the block of Markdown made from it. Times in minutes and seconds, scores in
percent."""

from collections.abc import Sequence

from benchmarks.contest.records import Record, Result
from benchmarks.report.blocks import circumstances, console

_METRICS = {"bleu": "BLEU", "chrf": "chrF", "ter": "TER"}


class Train(Record):
    """A training run in numbers, data preparation excluded."""

    minutes: float
    steps: int
    target_tokens: int
    target_tokens_per_second: float
    parameters: int


class Score(Record):
    """One test set translated and scored; `seconds` is the translation's time."""

    set: str
    direction: str
    beam: int
    lines: int
    bleu: float
    chrf: float
    ter: float
    seconds: float
    signatures: dict[str, str]


class Trained(Record):
    """A model, the recipe that made it and its scores."""

    name: str
    train: Train
    scores: list[Score]


class Quality(Result):
    """Models trained on one corpus."""

    models: list[Trained]


def summary_block(texts: Sequence[str]) -> str:
    """One table of the quality results given as JSON: each model's scores on each of its test sets."""
    results = [Quality.model_validate_json(text) for text in texts]
    if not results:
        return "**Quality**: not measured yet."
    rows = [
        f"| {result.title} | {model.name} | {model.train.parameters / 1e6:.1f} M | {model.train.minutes:.0f} "
        f"| {score.set} | {score.bleu:.1f} | {score.chrf:.1f} |"
        for result in results
        for model in result.models
        for score in model.scores
    ]
    machines = dict.fromkeys(circumstances(result) for result in results)
    return "\n".join(
        [
            "| corpus | recipe | parameters | trained (min) | test set | BLEU | chrF |",
            "|---|---|--:|--:|---|--:|--:|",
            *rows,
            "",
            *(f"- {machine}" for machine in machines),
        ]
    )


def quality_block(text: str) -> str:
    """The block of a quality result given as JSON."""
    result = Quality.model_validate_json(text)
    signatures = dict.fromkeys(
        (metric, signature)
        for model in result.models
        for score in model.scores
        for metric, signature in score.signatures.items()
    )
    return "\n".join(
        [
            f"**{result.title}**",
            "",
            "| recipe | test set | direction | lines | beam | BLEU | chrF | TER | translated in (s) |",
            "|---|---|---|--:|--:|--:|--:|--:|--:|",
            *(_row(model, score) for model in result.models for score in model.scores),
            "",
            *(f"- {_METRICS.get(metric, metric)}: `{signature}`" for metric, signature in signatures),
            "",
            *(_training(model) for model in result.models),
            "",
            circumstances(result),
            "",
            *console(result.command),
        ]
    )


def _row(model: Trained, score: Score) -> str:
    return (
        f"| {model.name} | {score.set} | {score.direction} | {score.lines:,} | {score.beam} "
        f"| {score.bleu:.1f} | {score.chrf:.1f} | {score.ter:.1f} | {score.seconds:.1f} |"
    )


def _training(model: Trained) -> str:
    train = model.train
    return (
        f"- {model.name}: {train.minutes:.1f} minutes, {train.steps:,} steps, "
        f"{train.target_tokens / 1e6:.1f} million target tokens at {train.target_tokens_per_second:,.0f} a second, "
        f"{train.parameters / 1e6:.2f} million parameters."
    )
