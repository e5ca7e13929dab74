"""The results files of `python -m benchmarks.training`; rates are target tokens a second, end tokens included.

`rounds` hold one figure a round, null where that way did not run. `ratio` is the median, over the rounds that both
ran, of the figure divided by that of the reference: mtcli in float32 on as many cores. A contestant that failed has
no figures and says `why`.
"""

from benchmarks.contest.records import Record, Result
from benchmarks.questions.decoding.records import Model, Share


class Corpus(Record):
    """What was trained on; lengths in tokens, end tokens included."""

    origin: str
    pairs: int
    mean_src: float
    mean_tgt: float
    longest: int


class Row(Record):
    """One contestant with one way to train; `peak_mib` is the median over the rounds."""

    contestant: str
    dtype: str
    cores: int
    way: str
    parameters: int | None
    rounds: list[float | None]
    median: float | None
    min: float | None
    max: float | None
    ratio: float | None
    peak_mib: float | None
    why: str | None


class Trained(Result):
    """`tiny` and `base`: `warm_up` and `steps` are updates, those that did not count and those that did."""

    seed: int
    model: Model
    corpus: Corpus
    batch_tokens: int
    warm_up: int
    steps: int
    rows: list[Row]


class ProfilePart(Record):
    """Where the time of one model's updates went, in seconds an update.

    `wall` is the median of updates that were not profiled, `profiled_wall` that of those that were. The groups hold
    what passed inside PyTorch's operations, forward and backward, and in the last one the rest of `wall`.
    """

    model: Model
    corpus: Corpus
    dtype: str
    batch_tokens: int
    updates: int
    target_tokens: float
    wall: float
    profiled_wall: float
    groups: list[Share]


class ProfileResult(Result):
    """`profile`: where the time goes."""

    seed: int
    parts: list[ProfilePart]
