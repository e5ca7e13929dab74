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

MOST_LINES, ENOUGH = 200, 100  # the slowest hundredth of fewer than that is no line
TOY_MOST = 3


class _Beam:
    """A contestant that translates the next line whenever it is asked."""

    def __init__(self, beam: int, calls: Sequence[Callable[[], object]]) -> None:
        self.beam, self.name = beam, f"beam {beam}"
        self._next: Iterator[Callable[[], object]] = cycle(calls)

    def milliseconds(self) -> float:
        start = time.perf_counter()
        next(self._next)()
        return 1e3 * (time.perf_counter() - start)


def measure_latency(
    settings: BenchSettings,
    model: BenchModel,
    sentences: SourceSentences,
    lines: Sequence[str],
    beams: Sequence[int],
    findings: Findings,
) -> None:
    """Decode lines one by one, beams in turn, as long as there is time.

    Args:
        settings: by whom the time is set.
        model: what translates.
        sentences: what to decode where there are no lines.
        lines: text to translate; those that are blank are left out.
        beams: to search with.
        findings: gets the rows.
    """
    text = [line for line in lines if not is_blank(line)]
    contestants = [_Beam(beam, _calls(model, sentences, text, beam)) for beam in beams]
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
            percentiles = {f"p{percent} (ms)": float(np.percentile(one.taken, percent)) for percent in (50, 95, 99)}
            figures = {name: Figure.of([value]) for name, value in percentiles.items()}
            figures["sentences"] = Figure.of([len(one.taken)])
            name = "single sentences"
            findings.add(BenchRow(section="translate", name=name, case=one.name, dtype=model.dtype, figures=figures))


def _calls(
    model: BenchModel, sentences: SourceSentences, lines: Sequence[str], beam: int
) -> list[Callable[[], object]]:
    """One for each line."""
    if lines and model.loaded is not None:
        translator = Translator(model.loaded)
        return [partial(translator.translate, [line], beam_size=beam) for line in lines]
    decoder = model.pool(model.searched(sentences, beam), num_workers=1, max_slots=1)
    parts = [sentences.alone(place) for place in range(len(sentences.sources))]
    return [partial(decoder.decode, part.sources, part.limits) for part in parts]
