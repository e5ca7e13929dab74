"""The results files of `python -m benchmarks.decoding`; rates are target tokens a second, times milliseconds.

`rounds` hold one figure a round, null where that setting did not run: after the first round only the best settings
of each kind go on. `ratio` is the median, over the rounds that both ran, of the figure divided by that of
the reference: mtcli in float32, as it is by default, with the same search.
"""

from typing import Any

from benchmarks.contest.records import Record, Result


class Model(Record):
    """The network that was decoded with; `vocabulary` is the target's."""

    name: str
    encoder_layers: int
    decoder_layers: int
    d_model: int
    ffn_dim: int
    heads: int
    norm: str
    vocabulary: int
    parameters: int


class Sources(Record):
    """What was decoded; lengths in tokens, end tokens included."""

    origin: str
    sentences: int
    median: float
    mean: float
    max: int


class Agreement(Record):
    """How close a contestant's model is to mtcli's in float32: the largest difference of the scores of mtcli's
    greedy outputs, and how many of the contestant's own greedy outputs are the same.
    """

    contestant: str
    sentences: int
    nats_a_token: float
    same_greedy: int


class Row(Record):
    """One contestant with one setting; `way` is that in words.

    `first` is how many of the first sentences it decoded, null for all.
    """

    contestant: str
    dtype: str
    search: str
    way: str
    settings: dict[str, Any]
    first: int | None = None


class Rate(Row):
    """Target tokens a second."""

    rounds: list[float | None]
    median: float
    min: float
    max: float
    ratio: float


class ScoredRate(Rate):
    """The same of a trained model.

    `mean_tokens` are the best hypothesis's, end token included; `same_text` counts outputs that are the reference's.
    """

    lines_per_second: float
    bleu: float
    mean_tokens: float
    same_text: int


class Percentiles(Record):
    """Milliseconds a sentence."""

    p50: float
    p95: float
    mean: float


class Latency(Row):
    """One sentence at a time; `median` holds the medians over the rounds, `ratio` is of p50."""

    rounds: list[Percentiles | None]
    median: Percentiles
    ratio: float


class Measured(Result):
    """What the results files of all questions say.

    `environment` are the variables that were set for all processes, `peer_environment` those for the peers alone.
    """

    environment: dict[str, str]
    peer_environment: dict[str, str]
    seed: int


class BaseResult(Measured):
    """`base`: random weights, forced lengths."""

    model: Model
    sources: Sources
    target_tokens: int
    agreement: list[Agreement]
    rows: list[Rate]


class TrainedResult(Measured):
    """`trained`: a trained model on a test set."""

    model: Model
    sources: Sources
    signature: str
    agreement: list[Agreement]
    rows: list[ScoredRate]


class LatencyPart(Record):
    """One model's latencies; `target_tokens` is a sentence's where it was forced."""

    model: Model
    sources: Sources
    target_tokens: int | None
    agreement: list[Agreement]
    rows: list[Latency]


class LatencyResult(Measured):
    """`latency`: one sentence at a time."""

    parts: list[LatencyPart]


class Share(Record):
    """Seconds of one group, and its part of the wall time."""

    group: str
    seconds: float
    share: float


class ProfilePart(Record):
    """Where one search's time went, on one thread, in seconds.

    `wall` is the median of runs that were not profiled, `profiled_wall` that of the run that was. The groups hold what
    passed inside PyTorch's operations, and in the last one the rest of `wall`: Python, and calling the operations.
    """

    model: Model
    sources: Sources
    search: str
    target_tokens: int
    wall: float
    profiled_wall: float
    groups: list[Share]


class ProfileResult(Measured):
    """`profile`: where the time goes."""

    parts: list[ProfilePart]
