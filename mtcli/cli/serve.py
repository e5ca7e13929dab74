"""`mtcli serve`."""

import importlib.util
import logging
from pathlib import Path
from typing import Annotated

import typer

from mtcli.cli.errors import TracebackOption, reports_errors
from mtcli.cli.options import (
    AttentionOption,
    BeamOption,
    DeviceOption,
    DtypeOption,
    EngineOption,
    GreedyOption,
    LengthPenaltyOption,
    NoRepairOption,
    QuietOption,
    SentencesOption,
    SetOption,
    beam_size,
    decoding_settings,
)
from mtcli.cli.startup import importing
from mtcli.cli.streams import say
from mtcli.errors import BackendUnavailableError
from mtcli.model_directory.box import IN_THE_BOX

NAME = "serve"
EXAMPLE = """\b
Examples:
  mtcli serve
  mtcli serve -m ko-en -m en-de=models/news --no-box --port 8080
  mtcli serve --host 0.0.0.0 --api-keys keys.txt --char-limit 5000 --batch-limit 50"""

_PACKAGES = ("starlette", "uvicorn", "python_multipart", "prometheus_client", "py3langid")


@reports_errors
def command(
    model: Annotated[
        list[str] | None,
        typer.Option(
            "-m", "--model", metavar="DIR", help="A model directory, or en-de=DIR where it does not say its languages."
        ),
    ] = None,
    no_box: Annotated[bool, typer.Option("--no-box", help="Do not serve the model in the box, en-de.")] = False,
    host: Annotated[str, typer.Option("--host", help="Address to listen on; 0.0.0.0 is all of them.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen on; 0 is any.")] = 5000,
    api_keys: Annotated[
        Path | None,
        typer.Option("--api-keys", metavar="FILE", help="Let in only who has a key of this file, one a line."),
    ] = None,
    char_limit: Annotated[int | None, typer.Option("--char-limit", min=1, help="Characters a text, at most.")] = None,
    batch_limit: Annotated[int | None, typer.Option("--batch-limit", min=1, help="Texts a request, at most.")] = None,
    queue: Annotated[
        int, typer.Option("--queue", min=1, help="Lines under way at once; who comes then gets 429 and comes again.")
    ] = 2048,
    timeout: Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds that an answer may take.")] = 120.0,
    file_limit: Annotated[int, typer.Option("--file-limit", min=1, help="Megabytes of a file, at most.")] = 16,
    cors: Annotated[
        list[str] | None,
        typer.Option("--cors", metavar="ORIGIN", help="Let pages of this origin ask, such as https://example.org."),
    ] = None,
    idle_unload: Annotated[
        float | None,
        typer.Option("--idle-unload", metavar="MINUTES", min=0.01, help="Unload a model that nobody used for so long."),
    ] = None,
    log_requests: Annotated[
        bool, typer.Option("--log-requests", help="Tell each request's path, status and time; never its text.")
    ] = False,
    log_text: Annotated[bool, typer.Option("--log-text", help="Tell texts too.")] = False,
    beam: BeamOption = None,
    greedy: GreedyOption = False,
    length_penalty: LengthPenaltyOption = None,
    sentences: SentencesOption = None,
    no_repair: NoRepairOption = False,
    assignments: SetOption = None,
    engine: EngineOption = "auto",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    attention: AttentionOption = "auto",
    quiet: QuietOption = False,
    traceback: TracebackOption = False,
) -> None:
    """Translate over HTTP, for the tools of a whole team, and on a page to look at.

    Speaks as LibreTranslate, DeepL (a part), OPUS-CAT and Apertium do. All requests share one pool of engines, and each
    gets the very translation that mtcli translate makes. SIGTERM and Ctrl-C let it finish what it has begun.
    """
    with importing():
        if missing := [name for name in _PACKAGES if importlib.util.find_spec(name) is None]:
            raise BackendUnavailableError(f"mtcli serve needs {missing[0]}: pip install 'mtcli-nmt[serve]'")
        from mtcli.decoding.options import ComputeOptions, TranslateOptions
        from mtcli.serve.server import serve
        from mtcli.serve.settings import Limits, NamedModel, ServeSettings

    named = [NamedModel.parse(text) for text in model or ()]
    box = [] if no_box else [NamedModel(IN_THE_BOX, may_yield=True)]
    settings = ServeSettings(
        models=[*named, *box],
        options=TranslateOptions(
            beam_size=beam_size(beam, greedy),
            length_penalty=length_penalty,
            sentences=sentences,
            repair=not no_repair,
            settings=decoding_settings(assignments),
        ),
        compute=ComputeOptions(engine=engine, device=device, dtype=dtype, attention=attention),
        limits=Limits(
            chars=char_limit, batch=batch_limit, queue=queue, seconds=timeout, file_bytes=file_limit * 1_000_000
        ),
        keys=api_keys,
        cors=cors or (),
        idle_minutes=idle_unload,
        log_requests=log_requests or log_text,
        log_text=log_text,
    )
    level = logging.ERROR if quiet else logging.INFO if settings.log_requests else logging.WARNING
    logging.basicConfig(level=level, format="%(asctime)s %(message)s")
    serve(settings, host, port, lambda sentence: say(sentence, quiet))
