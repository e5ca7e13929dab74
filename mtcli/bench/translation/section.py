"""Section `translate`: how fast mtcli decodes whole sentences here, and how near that is to what the device can do.

Random weights of a preset on sentences as long as news, each forced to the same number of target tokens; or a model
directory, on such sentences or on a file's lines, which are decoded freely. Ids go in and come out but for single lines
of a file, which are translated from text to text. What a beam's checks find wrong gets no time.
"""

from collections.abc import Callable, Sequence
from functools import cache

import torch

from mtcli.bench.contest import ContestantError
from mtcli.bench.record.findings import Findings
from mtcli.bench.record.schema import Workload
from mtcli.bench.settings import BenchSettings
from mtcli.bench.translation.checks import Checker
from mtcli.bench.translation.decoding import DecodingContestant
from mtcli.bench.translation.latency import MOST_LINES, measure_latency
from mtcli.bench.workload.contest import FEWEST_ROUNDS, WorkContest
from mtcli.bench.workload.model import BenchModel
from mtcli.bench.workload.sentences import SourceSentences, random_sentences, sentences_of
from mtcli.devices import decoding_dtype, resolve_device
from mtcli.files import read_lines

# Sentences at once, the most wanted number first, sentences for each of these slots, and the fewest for one figure.
ON_GPU, ON_CPU, TOY = ((64, 256, 1024, 16, 1), 4, 16), ((8, 32, 1, 128), 1, 2), ((2, 1), 1, 2)
TOY_OUTPUT = 6  # tokens
FOR_LATENCY = 0.2  # part of the time that is kept for single lines


def measure_translate(settings: BenchSettings, findings: Findings) -> None:
    """Measure as much as the time suffices for, most wanted first.

    Args:
        settings: what, on which device, for how long.
        findings: has the ceilings, and gets the rows.

    Raises:
        MtcliError: there is no such device, number type or preset, or the model or the input is missing or damaged.
    """
    settings.say("translate: making the model ready")
    left = settings.left()
    device = resolve_device(settings.torch_device)
    model = BenchModel.of(settings, device, decoding_dtype(settings.dtype or "auto", device))
    lines = list(read_lines(settings.input)) if settings.model and settings.input else []
    settings = settings.within(left)  # what came before measured nothing
    slots, refills, fewest = TOY if settings.toy else ON_GPU if settings.on_gpu else ON_CPU
    sentences = _sentences(settings, model, lines, max(refills * max(slots), fewest, MOST_LINES))
    beams = dict.fromkeys((model.decoding.beam_size, 1))
    workload = Workload(model=model.words, dtype=model.dtype, sentences=_where_from(settings, sentences))
    contestants = [
        DecodingContestant(model, sentences, beam, count, refills, fewest) for count in slots for beam in beams
    ]
    kept = FOR_LATENCY * max(settings.left(), 0.0)
    contest = WorkContest("translate", contestants, settings, findings, workload, kept)
    if settings.left() > 0:
        settings.say("translate: checking")
        check = cache(Checker(model, sentences).check)
        contest.check(lambda one: check(one.beam))
    runs_apart = 3 if settings.on_gpu else 1
    warm_up = _warm_up(contest, torch.cuda.memory_allocated() if settings.on_gpu else 0)
    contest.measure(warm_up, rounds_to_come=FEWEST_ROUNDS + runs_apart, runs_apart=runs_apart)
    right = dict.fromkeys(one.contestant.beam for one in contest.series if one.status == "right")
    measure_latency(settings, model, sentences, lines, list(right), findings)


def _warm_up(contest: WorkContest[DecodingContestant], network_bytes: int) -> Callable[[DecodingContestant], None]:
    def warm_up(one: DecodingContestant) -> None:
        for other in (known.contestant for known in contest.begun):
            # Only for fewer slots than the layout was asked about: to try more takes long
            if other.beam == one.beam and one.slots <= other.at_once == one.at_once:
                raise ContestantError(f"the layout makes it {other.name}", "left out")
        one.warm_up(network_bytes)

    return warm_up


def _sentences(settings: BenchSettings, model: BenchModel, lines: Sequence[str], count: int) -> SourceSentences:
    longest = TOY_OUTPUT if settings.toy else model.network.max_positions
    bounds = {"longest_source": model.network.config.max_length, "longest_output": longest}
    if not lines or model.loaded is None:
        return random_sentences(count, model.src, settings.seed, **bounds)
    return sentences_of(lines, model.loaded.tokenizers.src, model.decoding, **bounds)


def _where_from(settings: BenchSettings, sentences: SourceSentences) -> str:
    if not sentences.forced:
        name = settings.input.name if settings.input else ""
        return f"the first lines of {name}, equal ones once, decoded freely"
    return f"random tokens in sentences as long as news, {sentences.limits[0]} target tokens forced of each"
