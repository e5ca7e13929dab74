"""How fast is Transformer-base? Random weights, sources as long as newstest2014's, 27 target tokens for each.

All contestants take exactly 27 decoder steps a sentence. mtcli's and PyTorch's last token is the end token, which they
may not write before; the other peers' last token is any but the end token, which they may not write at all. Both count
as 27.
"""

import tempfile
from pathlib import Path

from benchmarks.contest.rounds import run_rounds
from benchmarks.questions.decoding.cases import ImportedModel, RandomModel
from benchmarks.questions.decoding.records import BaseResult, Rate
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


def measure(plan: Plan, model: RandomModel | ImportedModel) -> BaseResult:
    """Time every contestant and setting.

    Raises:
        MtcliError: there is no such preset, the import failed, or there is no newstest2014 where it was expected.
    """
    with tempfile.TemporaryDirectory() as folder, started(plan) as workers:
        case = model.case(Path(folder))
        entries, agreement = begin(workers, plan, case, batches=True)
        series = run_rounds(
            entries, lambda entry: decode_rate(workers, entry)[0], plan.rounds, all_settings=plan.all_settings
        )
        versions = versions_of(workers)
    steps = case.work.limits[0]
    return BaseResult(
        **head(plan, f"{model.title}, {steps} target tokens a sentence", versions),
        model=case.model,
        sources=case.sources,
        target_tokens=sum(case.work.limits),
        agreement=agreement,
        rows=[Rate(**rate(one, reference_of(series, one.entry.beam))) for one in series],
    )
