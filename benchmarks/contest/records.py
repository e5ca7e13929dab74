"""What the files in `results` hold. Rates are target tokens a second, end tokens included; `bench.json` is mtcli's own.

`rounds` hold one figure a round, null where that contestant did not run: behind the first round only the best settings
of each kind go on. `ratio` is the median, over the rounds that both ran, of the figure divided by the reference's:
mtcli in float32 (on a GPU in float16 or bfloat16) as it is by default.
"""

import statistics
from collections import Counter
from collections.abc import Hashable
from typing import Any

from pydantic import BaseModel, ConfigDict

TUNED = ("batch", "inter_threads", "intra_threads")  # a user takes the fastest of these


def in_cores(count: int) -> str:
    """Return a number of cores in words."""
    return "1 core" if count == 1 else f"{count} cores"


def tuned_kind(contestant: str, dtype: str, search: str, settings: dict[str, Any]) -> Hashable:
    """Return what is alike of ways to decode of which a user would take the best.

    How many slots mtcli has on a GPU is no such difference: it says how many sentences there are.
    """
    own = [(key, value) for key, value in settings.items() if key not in TUNED or contestant == "mtcli"]
    return contestant, dtype, search, *sorted(own)


class Record(BaseModel):
    """A part of a results file: exactly these keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Device(Record):
    """The machine; `cores` are those the process was allowed to use."""

    cpu: str
    cores: int
    memory_gib: float
    gpu: str | None = None
    driver: str | None = None

    def __str__(self) -> str:
        own = f"{self.cpu}, {in_cores(self.cores)}, {self.memory_gib:.0f} GiB"
        return f"{self.gpu}, driver {self.driver}; {own}" if self.gpu else own


class Result(Record):
    """What every results file says; a rehearsal's figures mean nothing, and no page shows them."""

    title: str
    command: list[str]
    device: Device
    versions: dict[str, str]
    date: str
    rehearsal: bool = False


class Model(Record):
    """A network; `vocabulary` is the target's."""

    name: str
    encoder_layers: int
    decoder_layers: int
    d_model: int
    ffn_dim: int
    heads: int
    norm: str
    vocabulary: int
    parameters: int


class Text(Record):
    """What was decoded or trained on; lengths in tokens, end tokens included."""

    origin: str
    sentences: int
    mean_src: float
    mean_tgt: float | None = None
    longest: int


class Row(Record):
    """One contestant with one way to do the work, `way` in words; one that did not get a figure says `why`."""

    contestant: str
    dtype: str
    way: str
    status: str
    why: str | None
    rounds: list[float | None]
    median: float | None
    min: float | None
    max: float | None
    ratio: float | None

    @property
    def failure(self) -> str:
        return f"{self.contestant}: {self.why}"


class Agreement(Record):
    """How close a contestant's model is to mtcli's in float32: the largest difference of the scores of mtcli's greedy
    outputs, and how many of the contestant's own greedy outputs are the same.
    """

    contestant: str
    sentences: int
    nats_a_token: float
    same_greedy: int


class Decoded(Row):
    """Figures are rates; where sentences were decoded one by one, medians of their milliseconds, with `p95` and `mean`.

    `first` is how many of the first sentences were decoded, null for all. `mean_tokens` are the best hypothesis's;
    `same_text` counts outputs that are the reference's.
    """

    search: str
    settings: dict[str, Any]
    first: int | None = None
    lines_per_second: float | None = None
    bleu: float | None = None
    mean_tokens: float | None = None
    same_text: int | None = None
    p95: float | None = None
    mean: float | None = None

    @property
    def kind(self) -> Hashable:
        return tuned_kind(self.contestant, self.dtype, self.search, self.settings)


class DecodedModel(Record):
    """One model's rows; `target_tokens` is a sentence's where it was forced."""

    model: Model
    text: Text
    target_tokens: int | None
    agreement: list[Agreement]
    rows: list[Decoded]


class Decoding(Result):
    """`decoding-base`, `decoding-imported`, `decoding-trained` (which has BLEU's `signature`), `decoding-latency`."""

    seed: int
    signature: str | None = None
    parts: list[DecodedModel]


class Trained(Row):
    """Figures are rates; `peak_mib` is what was resident in the largest process, the median over the rounds."""

    cores: int
    parameters: int | None
    peak_mib: float | None


class Training(Result):
    """`training-tiny`, `training-base`: `warm_up` and `steps` are updates, those that count not and those that do."""

    seed: int
    model: Model
    text: Text
    batch_tokens: int
    warm_up: int
    steps: int
    rows: list[Trained]


class Share(Record):
    """Seconds of one group of operations, and its part of the wall time."""

    group: str
    seconds: float
    share: float


class Profiled(Record):
    """Where one model's time went, on one thread: seconds of one run of the search, or of an update.

    `wall` is the median of runs that were not profiled, `profiled_wall` that of those that were. The groups hold what
    passed inside PyTorch's operations, and in the last one the rest of `wall`: Python, and calling the operations.
    """

    model: Model
    text: Text
    way: str
    batch_tokens: int | None = None
    target_tokens: float
    wall: float
    profiled_wall: float
    groups: list[Share]


class Profile(Result):
    """`decoding-profile` and `training-profile`."""

    seed: int
    parts: list[Profiled]


class GrowthRun(Record):
    """One round's figures.

    Attributes:
        seconds: from the start of the first process to the end of the last, loading included.
        tokens_per_second: target tokens over the seconds of translating, loading excluded, as mtcli counts them; of
            several processes, all their tokens over the longest time.
        peak_mib: the most that was resident in one process.
    """

    seconds: float
    tokens_per_second: float
    peak_mib: float


class GrowthPoint(Record):
    """What was translated at one place of the axis; tokens are of all lines, end tokens included."""

    at: int
    lines: int
    source_tokens: int
    target_tokens: int
    runs: list[GrowthRun]

    def median(self, figure: str) -> float:
        """Return the median of a figure of the runs, by its name; the upper one of two in the middle."""
        return float(statistics.median_high(getattr(run, figure) for run in self.runs))


class Growth(Result):
    """`growth-AXIS`: what grows and what stays the same, in words, and the points in order."""

    axis: str
    fixed: str
    points: list[GrowthPoint]


class Cost(Record):
    """What a process took; `peak_mib` is its largest resident memory, `worker_mib` that of the largest it started."""

    seconds: float
    peak_mib: int
    worker_mib: int


class CorpusCost(Result):
    """`corpus`: a corpus prepared and cut into batches."""

    megabytes: int
    pairs: int
    tokens: int
    processes: int
    prepare: Cost
    epoch: Cost
    batches: int


class Timing(Record):
    """Wall time of a command in seconds."""

    runs: int
    median: float
    min: float
    max: float


class Startup(Result):
    """`startup`: how fast the command line answers."""

    help: Timing
    translate: Timing
    parameters: int


class Run(Record):
    """A training run in numbers, data preparation excluded."""

    minutes: float
    steps: int
    target_tokens: int
    target_tokens_per_second: float
    parameters: int


class Score(Record):
    """One test set translated and scored, in percent; `seconds` is the translation's time."""

    set: str
    direction: str
    beam: int
    lines: int
    bleu: float
    chrf: float
    ter: float
    seconds: float
    signatures: dict[str, str]


class ScoredModel(Record):
    """A model, the recipe that made it and its scores."""

    name: str
    train: Run
    scores: list[Score]


class Quality(Result):
    """`quality-TASK`: models trained on one corpus."""

    models: list[ScoredModel]

    @property
    def signatures(self) -> list[tuple[str, str]]:
        """How its metrics were computed, each once."""
        scores = [score for model in self.models for score in model.scores]
        return list(dict.fromkeys(pair for score in scores for pair in score.signatures.items()))


class FoundFaults(Record):
    """One kind of fault, made in so many good translations, and what its check said of them and of the good ones."""

    direction: str
    fault: str
    check: str
    lines: int
    found: int
    false_alarms: int

    @property
    def recall(self) -> float:
        return self.found / self.lines

    @property
    def precision(self) -> float | None:
        flagged = self.found + self.false_alarms
        return self.found / flagged if flagged else None


class CheckedCorpus(Record):
    """Human translations checked: lines with a finding, by check; microseconds of one thread a line, source and target
    together of so many characters on average.
    """

    corpus: str
    direction: str
    lines: int
    characters: float
    flagged: int
    checks: dict[str, int]
    microseconds: float
    min: float
    max: float

    @property
    def most(self) -> str:
        """The check that flags most lines, and its share."""
        if not self.checks:
            return "none"
        name, count = max(self.checks.items(), key=lambda one: one[1])
        return f"{name} {count / self.lines:.1%}"


class TranslatingTime(Record):
    """How long the model in the box takes for a line, of `decoding-trained`."""

    dtype: str
    search: str
    cores: int
    text: str
    date: str
    microseconds: float


class Checks(Result):
    """`checks`: faults found, false alarms on human translations, and time."""

    faults: list[FoundFaults]
    corpora: list[CheckedCorpus]
    translating: list[TranslatingTime]

    @property
    def directions(self) -> list[str]:
        return list(dict.fromkeys(row.direction for row in self.faults))

    @property
    def tatoeba(self) -> CheckedCorpus:
        """Checked sentences of the kind that `translating` was measured on."""
        return next(row for row in self.corpora if row.corpus == "Tatoeba")

    def of(self, direction: str) -> dict[str, FoundFaults]:
        """The rows of one direction, by the fault's name."""
        return {row.fault: row for row in self.faults if row.direction == direction}


class RepairedCorpus(Record):
    """Translations of one corpus without repairs and with them.

    Lines by each check that finds a fault in them, and those with any; lines repaired, and how; BLEU where there are
    references; the whole time of translating, and one thread's time of looking for faults.
    """

    corpus: str
    lines: int
    faults_before: dict[str, int]
    faults_after: dict[str, int]
    faulty_before: int
    faulty_after: int
    repaired: int
    steps: dict[str, int]
    bleu_before: float | None
    bleu_after: float | None
    seconds_before: float
    seconds_after: float
    checking_seconds: float

    @property
    def checking_share(self) -> float:
        return self.checking_seconds / self.seconds_before


class Repairs(Result):
    """`repair`: faults, BLEU and time without repairs and with them, of the model in the box."""

    corpora: list[RepairedCorpus]
    beam: int

    @property
    def checks(self) -> list[str]:
        """Those that found something anywhere, most first."""
        counts = Counter[str]()
        for row in self.corpora:
            counts.update(row.faults_before)
        return [name for name, _ in counts.most_common()]

    @property
    def steps(self) -> list[str]:
        """Those that repaired something anywhere, most first."""
        counts = Counter[str]()
        for row in self.corpora:
            counts.update(row.steps)
        return [name for name, _ in counts.most_common()]


class Shown(Record):
    """A command and the lines it printed, on either stream; None stands where lines are left out."""

    command: str
    lines: list[str | None]
    seconds: float


class FirstMinute(Result):
    """`first-minute`: what a newcomer does first, and the tutorial; `install` was run on top of what was there."""

    install: Shown
    minute: list[Shown]
    tutorial: list[Shown]
