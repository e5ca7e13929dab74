"""The results of `mtcli bench`, as its JSON holds them. Needs no torch.

Rates are a second; every measured number is a `Figure` with its spread. Times say their unit in their names.
"""

import statistics
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

NOISY = 0.10  # a spread of more than this share of the median
FORMAT_VERSION: Literal[1] = 1

Status = Literal["right", "wrong", "cannot run", "out of memory", "left out"]


class Part(BaseModel):
    """A part of the record: exactly these keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Figure(Part):
    """What was measured several times.

    Attributes:
        median: of the repetitions.
        low, high: where a fifth lie below and above.
        repeats: how many.
    """

    median: float
    low: float
    high: float
    repeats: int = Field(ge=1)

    @classmethod
    def of(cls, samples: Sequence[float]) -> "Figure":
        """What came out each time; one at least."""
        ordered = sorted(samples)
        last = len(ordered) - 1
        low, high = ordered[round(0.2 * last)], ordered[round(0.8 * last)]
        return cls(median=statistics.median(ordered), low=low, high=high, repeats=len(ordered))

    @property
    def noisy(self) -> bool:
        """Whether it spreads too far to rest anything on."""
        return self.high - self.low > NOISY * self.median


class Device(Part):
    """What it ran on.

    Attributes:
        kind: cpu or cuda.
        name: of the GPU, else of the processor.
        cpu, cores, memory_gib: of the machine; the cores are those that the process may use.
        gpu_memory_gib, driver: of the GPU.
        threads: of PyTorch.
    """

    kind: Literal["cpu", "cuda"]
    name: str
    cpu: str
    cores: int
    memory_gib: float
    threads: int
    gpu_memory_gib: float | None = None
    driver: str | None = None


class Copied(Part):
    """A copy within the device's memory; the rate counts bytes read and bytes written."""

    bytes: int
    microseconds: Figure
    bytes_per_second: float


class Product(Part):
    """[m, k] @ [k, n]."""

    dtype: str
    m: int
    k: int
    n: int
    microseconds: Figure
    flops_per_second: float


class Launched(Part):
    """One of many calls of a kernel that does next to nothing."""

    what: str
    microseconds: Figure


class Ceilings(Part):
    """What the device can do at best.

    Attributes:
        bytes_per_second: the best copy among those larger than the caches.
        flops_per_second: the best product of each number type.
        launch_microseconds: the least of the launches: below it no step of one kernel can get.
    """

    copy_: tuple[Copied, ...] = Field(alias="copy")
    matmul: tuple[Product, ...]
    launch: tuple[Launched, ...]
    bytes_per_second: float
    flops_per_second: dict[str, float]
    launch_microseconds: float

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)


class Kernels(Part):
    """Every operation's kernels, the plain form and PyTorch's best; without Triton, what runs in its place.

    Attributes:
        operations: name to rows, see `mtcli.bench.record.rows`.
        ours: name of the contestant that mtcli would take on this device.
        broken: what broke the device, in a sentence; it ended this section and the run.
    """

    operations: dict[str, tuple[dict[str, Any], ...]]
    ours: str
    broken: str | None = None


class Phase(Part):
    """A part of the work, its share of the time, and how near its limit it is.

    Attributes:
        name: such as encoder, decoder, search, host; or forward, backward, optimizer.
        seconds: of the whole run, or of one update.
        share: of that time.
        bytes, flops: the fewest; 0 where nothing is counted.
        fraction: the least time at the measured ceilings over the time taken; None where nothing is counted.
    """

    name: str
    seconds: float
    share: float
    bytes: int = 0
    flops: int = 0
    fraction: float | None = None


class Check(Part):
    """What was compared before anything was timed."""

    what: str
    passed: bool
    detail: str


class Model(Part):
    """What was run: a preset with random weights, or a model directory."""

    name: str
    parameters: int
    vocabulary: int
    encoder_layers: int
    decoder_layers: int
    d_model: int
    random: bool


class Decoded(Part):
    """Sentences decoded at once, with one beam size.

    Attributes:
        beam: hypotheses of a sentence.
        slots: sentences decoded at once.
        sentences: decoded for one figure.
        src_tokens, tgt_tokens: of all these sentences, end tokens included.
        peak_gib: the most that was allocated on the GPU; on a CPU, the most that was resident.
        fraction: of the roofline: the least time that the work takes at the measured ceilings over the time taken.
    """

    beam: int
    slots: int
    status: Status
    why: str | None = None
    sentences: int = 0
    src_tokens: int = 0
    tgt_tokens: int = 0
    seconds: Figure | None = None
    tgt_tokens_per_second: Figure | None = None
    src_tokens_per_second: Figure | None = None
    sentences_per_second: Figure | None = None
    peak_gib: float | None = None
    bytes: int = 0
    flops: int = 0
    fraction: float | None = None
    phases: tuple[Phase, ...] = ()


class Latency(Part):
    """One sentence at a time, each waited for; milliseconds."""

    beam: int
    sentences: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


class Translate(Part):
    """Whole sentences decoded."""

    model: Model
    dtype: str
    sources: str  # in words: where the sentences or their lengths are from
    checks: tuple[Check, ...]
    rows: tuple[Decoded, ...]
    latency: tuple[Latency, ...]


class Trained(Part):
    """Updates of one model on batches of so many tokens.

    Attributes:
        way: how, in words.
        batch_tokens: on the longer side.
        src_tokens, tgt_tokens: of a batch, on average, end tokens included.
        flops: of an update.
        mfu: model FLOPs utilisation: operations a second over the best matrix product of the number type.
        peak_gib: as elsewhere.
    """

    way: str
    status: Status
    batch_tokens: int
    why: str | None = None
    src_tokens: float = 0.0
    tgt_tokens: float = 0.0
    step_ms: Figure | None = None
    tgt_tokens_per_second: Figure | None = None
    flops: int = 0
    flops_per_second: float | None = None
    mfu: float | None = None
    peak_gib: float | None = None
    phases: tuple[Phase, ...] = ()


class Train(Part):
    """Updates of a model."""

    model: Model
    dtype: str
    sources: str
    checks: tuple[Check, ...]
    rows: tuple[Trained, ...]


class Record(Part):
    """All of it.

    Attributes:
        command: how it was called.
        date: ISO 8601, UTC.
        seconds: that all took.
        seed: of everything random.
        left_out: what the time did not suffice for, in words.
        kernels, translate, train: None where not asked for.
    """

    format_version: Literal[1] = FORMAT_VERSION
    command: str
    date: str
    seconds: float
    seed: int
    device: Device
    versions: dict[str, str]
    left_out: tuple[str, ...] = ()
    ceilings: Ceilings
    kernels: Kernels | None = None
    translate: Translate | None = None
    train: Train | None = None
