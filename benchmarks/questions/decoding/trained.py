"""How fast, and how good, is a trained model on a test set?

All contestants get the same pieces, cut beforehand: decoding alone is timed. mtcli is timed from lines to lines as
well, where it also cuts and joins; its tokens are then those of its texts, cut again. mtcli and PyTorch bound each
output by its own source's length, Hugging Face and JoeyNMT a batch by its longest limit, CTranslate2 all by the
longest. All stop a beam once it holds as many finished hypotheses as it is wide, or by their own rules. Lengths count
the end token.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.contest.rounds import Series, run_rounds
from benchmarks.questions.decoding.cases import TrainedModel
from benchmarks.questions.decoding.contestants import Entry
from benchmarks.questions.decoding.records import ScoredRate, TrainedResult
from benchmarks.questions.decoding.session import (
    Plan,
    begin,
    decode_rate,
    head,
    rate,
    reference_of,
    started,
    versions_of,
)
from mtcli.data.tokenizer import Tokenizers
from mtcli.errors import DataError
from mtcli.evaluation.metrics import score_corpus
from mtcli.files import read_lines


def measure(plan: Plan, model: TrainedModel, ref: Path) -> TrainedResult:
    """Time and score every contestant and setting; `ref` holds the reference translations.

    Raises:
        MtcliError: the model or a file is missing or damaged, or source and reference have different numbers of lines.
    """
    references = list(read_lines(ref))[: model.limit]
    if len(model.lines()) != len(references):
        raise DataError(
            f"{model.src} has {len(model.lines())} lines and {ref} has {len(references)}; expected as many. "
            "Give a source and its reference."
        )
    answers: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder, started(plan) as workers:
        case = model.case(Path(folder))
        entries, agreement = begin(workers, plan, case, batches=True, lines=True)

        def tokens_a_second(entry: Entry) -> float:
            figure, answers[entry.name] = decode_rate(workers, entry)
            return figure

        series = run_rounds(entries, tokens_a_second, plan.rounds, all_settings=plan.all_settings)
        versions = versions_of(workers)
    tokenizers = model.tokenizers()
    outputs = {name: _texts(answer, tokenizers) for name, answer in answers.items()}
    return TrainedResult(
        **head(plan, f"{case.model.name} on {case.sources.origin}", versions),
        model=case.model,
        sources=case.sources,
        signature=score_corpus(references, references).signatures["bleu"],
        agreement=agreement,
        rows=[
            scored(
                one, reference_of(series, one.entry.beam), answers[one.entry.name]["num_tokens"], outputs, references
            )
            for one in series
        ],
    )


def _texts(answer: dict[str, Any], tokenizers: Tokenizers) -> list[str]:
    return answer["texts"] or [tokenizers.tgt.decode(output) for output in answer["outputs"]]


def scored(
    series: Series[Entry],
    reference: Series[Entry],
    num_tokens: int,
    outputs: dict[str, list[str]],
    references: Sequence[str],
) -> ScoredRate:
    """A row of the results: `outputs` are texts by the entries' names, `num_tokens` is the series's."""
    texts, wanted = outputs[series.entry.name], outputs[reference.entry.name]
    mean_tokens = num_tokens / len(texts)
    return ScoredRate(
        **rate(series, reference),
        lines_per_second=series.median / mean_tokens,
        bleu=score_corpus(texts, references).bleu,
        mean_tokens=mean_tokens,
        same_text=sum(mine == theirs for mine, theirs in zip(texts, wanted, strict=True)),
    )
