"""Single lines, each waited for: with random weights from tokens to tokens, of a file from text to text."""

import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from mtcli.bench.asked import Asked
from mtcli.bench.records.record import Latency
from mtcli.bench.translation.checks import searched
from mtcli.bench.work.sentences import Sentences
from mtcli.bench.work.subject import Subject
from mtcli.decoding.engines.torch import Engines
from mtcli.decoding.lines import is_blank
from mtcli.decoding.pool import EnginePool
from mtcli.decoding.translator import Translator

MOST, ENOUGH = 200, 100  # lines; the slowest hundredth of fewer than that is no line
TOY_MOST = 3
WARM_UP = 2


def measure_latency(
    asked: Asked,
    subject: Subject,
    sentences: Sentences,
    lines: Sequence[str],
    beams: Sequence[int],
    left_out: list[str],
) -> tuple[Latency, ...]:
    """Lines one by one, beams in turn, as long as there is time.

    Args:
        asked: by whom the time is set.
        subject: the model.
        sentences: what to decode where there are no lines.
        lines: text to translate; those that are blank are left out.
        beams: to search with.
        left_out: gets a sentence where the time did not suffice.
    """
    if not beams:
        return ()
    calls = {beam: _calls(subject, sentences, [line for line in lines if not is_blank(line)], beam) for beam in beams}
    most = TOY_MOST if asked.toy else MOST
    taken = _in_turn(asked, calls, most)
    count = min(map(len, taken.values()))
    if not count:
        left_out.append("translate: single lines")
        return ()
    if count < min(most, ENOUGH):
        left_out.append(f"translate: more than {count} single lines: p99 is little else than the slowest of them")
    return tuple(_latency(beam, seconds) for beam, seconds in taken.items())


def _calls(subject: Subject, sentences: Sentences, lines: Sequence[str], beam: int) -> list[Callable[[], object]]:
    """One for each line."""
    if lines and subject.loaded is not None:
        translator = Translator(subject.loaded)
        return [partial(translator.translate, [line], beam_size=beam) for line in lines]
    decoder = EnginePool(Engines(subject.network, searched(subject, sentences, beam)), num_workers=1, max_slots=1)
    parts = [sentences.alone(place) for place in range(len(sentences.sources))]
    return [partial(decoder.decode, part.sources, part.limits) for part in parts]


def _in_turn(asked: Asked, calls: dict[int, list[Callable[[], object]]], most: int) -> dict[int, list[float]]:
    """Seconds of each call, of as many as the time suffices for, from the first again behind the last."""
    taken: dict[int, list[float]] = {beam: [] for beam in calls}
    slowest = 0.0
    for number in range(-WARM_UP, most):
        for beam, of_beam in calls.items():
            if asked.left() < slowest:
                return taken
            seconds = _seconds(of_beam[number % len(of_beam)])
            if number >= 0:
                slowest = max(slowest, seconds)
                taken[beam].append(seconds)
    return taken


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _latency(beam: int, seconds: Sequence[float]) -> Latency:
    p50, p95, p99 = (float(one) for one in np.percentile(seconds, [50, 95, 99]) * 1e3)
    return Latency(beam=beam, sentences=len(seconds), p50_ms=p50, p95_ms=p95, p99_ms=p99)
