"""What the results files of the server's questions hold (`benchmarks/serve.py`, `benchmarks/questions/serve_*.py`)."""

from benchmarks.contest.records import Record, Result


class IdentificationRow(Record):
    """How often a library tells the language of the first words of a line.

    `texts` names the test set, `among` the languages that are possible; `right` is a share, 0 to 1, of `number` texts;
    `microseconds` are for a text.
    """

    library: str
    texts: str
    among: list[str]
    words: int
    number: int
    right: float
    microseconds: float


class Identification(Result):
    """serve-languages.json."""

    rows: list[IdentificationRow]


class ServedRow(Record):
    """Some clients that each send one request after the other.

    `size` texts are in a request; `ratio` is tokens a second divided by those of the same lines as a file; latencies
    are of a request, in milliseconds.
    """

    server: str
    clients: int
    size: int
    tokens_per_second: float
    ratio: float
    p50_ms: float
    p95_ms: float


class Throughput(Result):
    """serve-throughput-MODEL.json and serve-peer.json.

    `file_tokens_per_second` is `mtcli translate` of the same lines; `engine_ms` the median of a line alone, decoded in
    a process without a server; `wrong` counts answers of mtcli that differ from the file's.
    """

    model: str
    lines: int
    file_tokens_per_second: float
    engine_ms: float
    wrong: int
    rows: list[ServedRow]


class Soak(Result):
    """serve-soak.json.

    `answers` are by kind of request and status; of `compared` answers `wrong` differ from the file's, and `lost` never
    came. `memory_mib` is what was resident in the server at the end of each tenth of the requests.
    """

    requests: int
    clients: int
    answers: dict[str, int]
    compared: int
    wrong: int
    lost: int
    memory_mib: list[float]
