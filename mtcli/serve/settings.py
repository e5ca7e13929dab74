"""What the server was told at its start."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mtcli.decoding.options import ComputeOptions, TranslateOptions
from mtcli.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bound what one request, and all of them together, may take.

    Attributes:
        chars: characters a text; None for no limit but that of the body.
        batch: texts a request; None for no limit.
        queue: lines under way at once, over all requests.
        body_bytes: of a request that is no file.
        file_bytes: of an uploaded file.
        body_seconds: that a request's body may take to arrive, and its headers too.
        seconds: that an answer may take.
        drain_seconds: that what is under way may take once the server is told to end.
        files: file translations at once.
        file_minutes: that a translated file is kept for its download, where there are not very many.
    """

    chars: int | None = None
    batch: int | None = None
    queue: int = 2048
    body_bytes: int = 1 << 21
    file_bytes: int = 1 << 24
    body_seconds: float = 30.0
    seconds: float = 120.0
    drain_seconds: float = 60.0
    files: int = 2
    file_minutes: float = 30.0


@dataclass(frozen=True, kw_only=True)
class ServeSettings:
    """Say what is served, and how.

    Attributes:
        models: model directories, each with its direction where the command names one.
        options, compute: how to translate, and on what.
        limits: what a request may take.
        keys: a file of API keys; None lets everybody in.
        cors: origins whose pages may ask from a browser.
        idle_minutes: after which a model that nobody uses leaves memory; None keeps it.
        log_requests: whether each request is told on stderr: its path and status, never its text.
        log_text: whether the texts are told too.
    """

    models: "Sequence[NamedModel]"
    options: TranslateOptions = field(default_factory=TranslateOptions)
    compute: ComputeOptions = field(default_factory=ComputeOptions)
    limits: Limits = field(default_factory=Limits)
    keys: Path | None = None
    cors: Sequence[str] = ()
    idle_minutes: float | None = None
    log_requests: bool = False
    log_text: bool = False


@dataclass(frozen=True)
class NamedModel:
    """A model directory as the command line names it.

    Attributes:
        directory: where it is.
        direction: source and target code; None leaves it to the model's card.
        may_yield: whether another model of the same direction takes its place.
    """

    directory: Path
    direction: tuple[str, str] | None = None
    may_yield: bool = False

    @classmethod
    def parse(cls, text: str) -> "NamedModel":
        """Read `DIR`, or `en-de=DIR`; where codes hold a hyphen themselves `pt-BR:zh-Hant=DIR`.

        Raises:
            UsageError: what stands before `=` is no direction.
        """
        from mtcli.serve.languages import is_code

        codes, equals, directory = text.partition("=")
        if not equals or "/" in codes or Path(text).exists():
            return cls(Path(text))
        parts = codes.split(":") if ":" in codes else codes.split("-")
        if len(parts) != 2 or not all(map(is_code, parts)) or not directory:
            raise UsageError(
                f"-m {text}: expected a model directory, or its direction before it: en-de=DIR, or pt-BR:en=DIR where "
                "a code holds a hyphen."
            )
        return cls(Path(directory), (parts[0], parts[1]))
