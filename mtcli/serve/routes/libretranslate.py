"""LibreTranslate's interface: what Weblate, Mastodon and many others speak."""

import asyncio
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import UploadFile
from starlette.responses import FileResponse, JSONResponse, Response

from mtcli.serve.interface import Call, Interface, Operation, bearer
from mtcli.serve.languages import AUTO, name_of, written
from mtcli.serve.pages import HtmlPage
from mtcli.serve.placeholders import translate_around
from mtcli.serve.refusals import RefusalError, bad_request
from mtcli.serve.service import Translated


class LibreTranslateRequest(BaseModel):
    """`q` is a text, or in JSON a list of texts; `alternatives` is how many other translations are wanted."""

    q: str | list[str]
    source: str
    target: str
    format: str = Field(default="text", pattern="^(text|html)$")
    alternatives: int = Field(default=0, ge=0)
    api_key: str | None = None


class DetectedLanguage(BaseModel):
    confidence: float
    language: str


class LibreTranslateAnswer(BaseModel):
    """`pivot` names the language between, where no model translates directly.

    `flags`, there where checks find a translation at fault, names them: of a list of texts for each of them.
    """

    model_config = ConfigDict(extra="forbid")
    translatedText: str | list[str]  # noqa: N815 (the clients' name)
    detectedLanguage: DetectedLanguage | list[DetectedLanguage] | None = None  # noqa: N815
    alternatives: list[str] | list[list[str]] | None = None
    pivot: str | None = None
    flags: list[str] | list[list[str]] | None = None


class LanguageWithTargets(BaseModel):
    code: str
    name: str
    targets: list[str]


class DetectRequest(BaseModel):
    q: str | list[str]
    api_key: str | None = None


class SuggestRequest(BaseModel):
    q: str
    s: str
    source: str
    target: str
    api_key: str | None = None


class SuggestAnswer(BaseModel):
    success: bool


class FileRequest(BaseModel):
    """`wait=false` answers at once, with an address that tells how far the translation is."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    file: Any
    source: str
    target: str
    wait: bool = True
    api_key: str | None = None


class FileAnswer(BaseModel):
    translatedFileUrl: str | None = None  # noqa: N815
    progressUrl: str | None = None  # noqa: N815
    state: str = "done"
    share: float = 1.0
    error: str | None = None


class SettingsAnswer(BaseModel):
    charLimit: int  # noqa: N815
    frontendTimeout: int  # noqa: N815
    apiKeys: bool  # noqa: N815
    keyRequired: bool  # noqa: N815
    suggestions: bool
    filesTranslation: bool  # noqa: N815
    supportedFilesFormat: list[str]  # noqa: N815
    language: dict[str, dict[str, str]]


async def translate(call: Call) -> Response:
    """Translate a text, or a list in one go."""
    asked: LibreTranslateRequest = call.parameters
    texts = [asked.q] if isinstance(asked.q, str) else asked.q
    service = call.served.service
    if asked.format == "html":
        service.check_size(texts)
        work = service.translate_pages([HtmlPage.of(text) for text in texts], asked.source, asked.target)
    else:
        work = translate_around(service, texts, asked.source, asked.target, n_best=asked.alternatives + 1)
    found = await call.while_connected(work)
    single = isinstance(asked.q, str)
    content: dict[str, Any] = {"translatedText": found[0].text if single else [one.text for one in found]}
    if asked.source.strip().lower() == AUTO:
        detected = [_detected(one) for one in found]
        content["detectedLanguage"] = detected[0] if single else detected
    if asked.alternatives:
        others = [list(one.candidates[1:]) for one in found]
        content["alternatives"] = others[0] if single else others
    if pivots := [one.pivot for one in found if one.pivot]:
        content["pivot"] = written(pivots[0])
    if any(one.flags for one in found):
        flags = [list(one.flags) for one in found]
        content["flags"] = flags[0] if single else flags
    return JSONResponse(content)


def _detected(found: Translated) -> dict[str, Any]:
    assert found.detected is not None, "asked for"
    return {"confidence": _percent(found.detected.confidence), "language": written(found.source)}


def _percent(share: float) -> float:
    return round(100 * share, 1)


async def languages(call: Call) -> Response:
    """List what is translated into what."""
    models = call.served.service.models
    return JSONResponse(
        [
            {
                "code": written(code),
                "name": name_of(code),
                "targets": sorted({written(target) for target in (*models.targets(code), code)}),
            }
            for code in models.languages
        ]
    )


async def detect(call: Call) -> Response:
    """Guess the language of a text among those that are served."""
    asked: DetectRequest = call.parameters
    text = asked.q if isinstance(asked.q, str) else " ".join(asked.q)
    service = call.served.service
    service.check_size([text])
    guesses = await service.identify(text)
    return JSONResponse(
        [{"confidence": _percent(one.confidence), "language": written(one.language)} for one in guesses]
    )


async def suggest(call: Call) -> Response:
    """Take a suggestion for a better translation, which is not kept."""
    return JSONResponse({"success": False})


async def settings(call: Call) -> Response:
    """Tell a page what may be asked."""
    served = call.served
    models, limits = served.service.models, served.service.limits
    first = next(iter(models)).direction
    return JSONResponse(
        {
            "charLimit": -1 if limits.chars is None else limits.chars,
            "frontendTimeout": 500,
            "apiKeys": served.keys.are_needed,
            "keyRequired": served.keys.are_needed,
            "suggestions": False,
            "filesTranslation": True,
            "supportedFilesFormat": served.files.suffixes,
            "language": {
                side: {"code": written(code), "name": name_of(code)}
                for side, code in zip(("source", "target"), first, strict=True)
            },
        }
    )


async def translate_file(call: Call) -> Response:
    """Translate a file, and say where it is to be fetched."""
    asked: FileRequest = call.parameters
    if not isinstance(asked.file, UploadFile):
        raise bad_request("Invalid request: empty file")
    if not asked.file.filename:
        raise bad_request("Invalid request: the file has no name")
    source = asked.source
    files = call.served.files
    if source.strip().lower() == AUTO:
        beginning = (await asked.file.read(4000)).decode("utf-8", "replace")
        await asked.file.seek(0)
        source = (await call.served.service.identify(beginning))[0].language
    one = await files.begin(asked.file.filename, asked.file.file, source, asked.target)
    assert one.task is not None, "just begun"
    if not asked.wait:
        return JSONResponse(_file_answer(call, one), HTTPStatus.ACCEPTED)
    try:
        await call.while_connected(_wait(one.task))
    except BaseException:
        files.stop(one)
        raise
    if one.failure is not None:
        raise one.failure
    return JSONResponse({"translatedFileUrl": _url(call, one)})


async def _wait(task: "asyncio.Task[None]") -> None:
    await asyncio.shield(task)


async def file_progress(call: Call) -> Response:
    """Say how far the translation of a file is."""
    return JSONResponse(_file_answer(call, call.served.files.find(call.request.path_params["identity"])))


def _file_answer(call: Call, one: Any) -> dict[str, Any]:
    content: dict[str, Any] = {
        "state": one.state,
        "share": round(one.share, 3),
        "progressUrl": f"{call.request.base_url}file_progress/{one.id}",
    }
    if one.state == "done":
        content["translatedFileUrl"] = _url(call, one)
    if one.failure:
        content["error"] = one.failure.sentence
    return content


def _url(call: Call, one: Any) -> str:
    return f"{call.request.base_url}download_file/{one.id}.{quote(one.name)}"


async def download_file(call: Call) -> Response:
    """Fetch a translated file, by the address that was told."""
    identity, _, _ = call.request.path_params["name"].partition(".")
    one = call.served.files.find(identity)
    if one.failure is not None:
        raise one.failure
    if one.state != "done":
        raise RefusalError(HTTPStatus.CONFLICT, "The file is not translated yet.")
    path = call.served.files.path_of(one)
    return FileResponse(path, filename=one.name, media_type="application/octet-stream")


def key_of(call: Call) -> str | None:
    """`api_key` of the body or the query, or a bearer's token."""
    return getattr(call.parameters, "api_key", None) or bearer(call.request)


LIBRETRANSLATE = Interface(
    name="libretranslate",
    error=lambda refusal: {"error": refusal.sentence},
    error_schema={"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]},
    key=key_of,
    operations=(
        Operation(
            method="POST",
            path="/translate",
            summary="Translate a text, or a list of texts in one go.",
            handler=translate,
            takes=LibreTranslateRequest,
            gives=LibreTranslateAnswer,
        ),
        Operation(
            method="GET",
            path="/languages",
            summary="List the languages, and what each is translated into.",
            handler=languages,
            gives=list[LanguageWithTargets],
            needs_key=False,
        ),
        Operation(
            method="POST",
            path="/detect",
            summary="Guess the language of a text among those that are served.",
            handler=detect,
            takes=DetectRequest,
            gives=list[DetectedLanguage],
        ),
        Operation(
            method="POST",
            path="/translate_file",
            summary="Translate a file.",
            handler=translate_file,
            takes=FileRequest,
            gives=FileAnswer,
            takes_file=True,
        ),
        Operation(
            method="GET",
            path="/file_progress/{identity}",
            summary="Say how far the translation of a file is.",
            handler=file_progress,
            gives=FileAnswer,
            needs_key=False,
        ),
        Operation(
            method="GET",
            path="/download_file/{name}",
            summary="Fetch a translated file.",
            handler=download_file,
            media_type="application/octet-stream",
            needs_key=False,
        ),
        Operation(
            method="POST",
            path="/suggest",
            summary="Take a suggestion, which this server does not keep.",
            handler=suggest,
            takes=SuggestRequest,
            gives=SuggestAnswer,
        ),
        Operation(
            method="GET",
            path="/frontend/settings",
            summary="Tell a page what may be asked.",
            handler=settings,
            gives=SettingsAnswer,
            needs_key=False,
        ),
    ),
)
