"""Single lines, each waited for: with random weights from tokens to tokens, of a file from text to text."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import cycle

import numpy as np

from mtcli.bench.contest import Contest, Figure
from mtcli.bench.record.findings import Findings
from mtcli.bench.record.schema import BenchRow
from mtcli.bench.settings import BenchSettings
from mtcli.bench.workload.model import BenchModel
from mtcli.bench.workload.sentences import SourceSentences
from mtcli.decoding.lines import is_blank
from mtcli.decoding.translator import Translator

MOST_LINES, ENOUGH, TOY_MOST = 200, 100, 3  # the slowest hundredth of fewer than enough is no line


class _Beam:
    """A contestant that translates the next line whenever it is asked."""

    def __init__(self, model: BenchModel, sentences: SourceSentences, text: Sequence[str], beam: int) -> None:
        self.name = f"beam {beam}"
        self._calls: Iterator[Callable[[], object]]
        if text and model.loaded is not None:
            translator = Translator(model.loaded)
            self._calls = cycle([partial(translator.translate, [line], beam_size=beam) for line in text])
        else:
            decoder = model.pool(model.searched(sentences, beam), num_workers=1, max_slots=1)
            parts = map(sentences.alone, range(len(sentences.sources)))
            self._calls = cycle([partial(decoder.decode, part.sources, part.limits) for part in parts])

    def milliseconds(self) -> float:
        start = time.perf_counter()
        next(self._calls)()
        return 1e3 * (time.perf_counter() - start)


def measure_latency(
    settings: BenchSettings,
    model: BenchModel,
    sentences: SourceSentences,
    lines: Sequence[str],
    beams: Sequence[int],
    findings: Findings,
) -> None:
    """Decode lines, or the sentences where there are none, one by one, beams in turn, as long as there is time."""
    text = [line for line in lines if not is_blank(line)]
    contestants = [_Beam(model, sentences, text, beam) for beam in beams]
    contest = Contest(contestants, _Beam.milliseconds, better=min, left=settings.left)
    contest.warm_up(_Beam.milliseconds)
    contest.rounds(TOY_MOST if settings.toy else MOST_LINES)
    count = min((len(one.taken) for one in contest.series), default=0)
    if not count:
        findings.leave_out("translate: single lines")
    elif count < ENOUGH and not settings.toy:
        findings.leave_out(f"translate: more than {count} single lines: p99 is little else than the slowest of them")
    for one in contest.series:
        if one.taken:
            figures = {f"p{percent} (ms)": float(np.percentile(one.taken, percent)) for percent in (50, 95, 99)}
            once = {name: Figure.of([value]) for name, value in (figures | {"sentences": len(one.taken)}).items()}
            name = "single sentences"
            findings.add(BenchRow(section="translate", name=name, case=one.name, dtype=model.dtype, figures=once))
