"""The ASGI application: which path does what, and how every answer, good or bad, goes out."""

import asyncio
import logging
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mtcli.errors import MtcliError
from mtcli.serve.files import FileTranslations
from mtcli.serve.guards import BoundedBody, SecurityHeaders
from mtcli.serve.identification import Identifier
from mtcli.serve.interface import Call, ClientGoneError, Interface, Operation, Served
from mtcli.serve.keys import ApiKeys
from mtcli.serve.metrics import Metrics
from mtcli.serve.models import Models
from mtcli.serve.parameters import read_parameters
from mtcli.serve.refusals import RefusalError
from mtcli.serve.routes.apertium import APERTIUM
from mtcli.serve.routes.deepl import DEEPL
from mtcli.serve.routes.libretranslate import LIBRETRANSLATE
from mtcli.serve.routes.operations import OPERATIONS
from mtcli.serve.routes.opuscat import BASE, OPUS_CAT
from mtcli.serve.routes.page import PAGE
from mtcli.serve.routes.word_attention import WORD_ATTENTION
from mtcli.serve.service import TranslationService
from mtcli.serve.settings import ServeSettings
from mtcli.serve.spec import document

INTERFACES: Sequence[Interface] = (LIBRETRANSLATE, DEEPL, OPUS_CAT, APERTIUM, WORD_ATTENTION, OPERATIONS, PAGE)
Endpoint = Callable[[Request], Awaitable[Response]]
_TICK = 15.0  # seconds between looks for what nobody uses any more
_CLIENT_GONE = 499  # what nginx calls it
_UNTOLD = {"file", "api_key", "auth_key", "key", "tokenCode"}  # of a request, even where texts are told
_log = logging.getLogger(__name__)


def served_by(settings: ServeSettings) -> Served:
    """Put together what the operations work with; models are looked at, and not loaded.

    Raises:
        MtcliError: a model, a direction or the file of keys is not what it should be.
    """
    models = Models.open(settings.models, settings.compute)
    service = TranslationService(models, settings.options, settings.limits, Identifier())
    files = FileTranslations(service, settings.options, settings.limits)
    return Served(settings, service, ApiKeys.read(settings.keys), files, Metrics(service))


def application(served: Served) -> Starlette:
    """Make the ASGI application."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for interface in INTERFACES:
        for operation in interface.operations:
            endpoints = by_path.setdefault(_route_path(operation.path), {})
            endpoints[operation.method] = partial(_answer, served, interface, operation)
    routes = [Route(path, partial(_by_method, ends), methods=list(ends)) for path, ends in by_path.items()]
    described = document(INTERFACES)

    async def spec(request: Request) -> Response:
        return JSONResponse(described)

    limits = served.settings.limits
    middleware = [Middleware(SecurityHeaders), Middleware(_LowerCasePlugins)]
    if served.settings.cors:
        allowed = list(served.settings.cors)
        headers = ["Authorization", "Content-Type"]
        middleware.append(Middleware(CORSMiddleware, allow_origins=allowed, allow_methods=["*"], allow_headers=headers))
    middleware.append(Middleware(BoundedBody, limits=limits))
    return Starlette(
        routes=[*routes, Route("/spec", spec)],
        middleware=middleware,
        lifespan=partial(_lifespan, served),
        exception_handlers={HTTPException: _no_such_route},
    )


async def _by_method(endpoints: Mapping[str, Endpoint], request: Request) -> Response:
    return await endpoints["GET" if request.method == "HEAD" else request.method](request)


def _route_path(path: str) -> str:
    return path.lower() if path.startswith(BASE) else path


class _LowerCasePlugins:
    """Finds OPUS-CAT's paths however a plugin writes them."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].lower().startswith(BASE.lower()):
            scope = {**scope, "path": scope["path"].lower()}
        await self._app(scope, receive, send)


@asynccontextmanager
async def _lifespan(served: Served, app: Starlette) -> AsyncIterator[None]:
    served.files.open()
    tasks = [asyncio.create_task(_warm_up(served.service)), asyncio.create_task(_tidy(served))]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        served.files.close()


async def _warm_up(service: TranslationService) -> None:
    try:
        await service.models.warm_up()
        service.is_ready = True
        await asyncio.to_thread(service.identifier.load)
    except MtcliError as error:
        service.failure = str(error)
        _log.error("%s", error)


async def _tidy(served: Served) -> None:
    """Unload models and forget files whose time is over."""
    idle = served.settings.idle_minutes
    while True:
        await asyncio.sleep(_TICK if idle is None else min(_TICK, 60 * idle))
        served.files.forget_old()
        if idle is not None:
            served.service.models.unload_idle(60 * idle)


async def _answer(served: Served, interface: Interface, operation: Operation, request: Request) -> Response:
    """Answer one request; whatever it is, its client gets the interface's own form."""
    began = time.perf_counter()
    call: Call | None = None
    try:
        call = Call(served, request, await read_parameters(request, operation.takes))
        if operation.needs_key:
            served.keys.check(interface.key(call))
        response = await operation.handler(call)
    except RefusalError as refusal:
        response = _refused(interface, refusal)
    except (ClientGoneError, ClientDisconnect):
        response = Response(status_code=_CLIENT_GONE)
    except Exception as error:  # noqa: BLE001 (its client is told, whatever it is; its text may hold a client's)
        _log.error("%s failed: %s", operation.path, _place_of(error))
        response = _refused(interface, RefusalError(HTTPStatus.INTERNAL_SERVER_ERROR, "A bug in mtcli: see its log."))
    seconds = time.perf_counter() - began
    served.metrics.count(interface.name, response.status_code, seconds)
    if served.settings.log_requests:
        told = call.parameters.model_dump_json(exclude=_UNTOLD) if served.settings.log_text and call else ""
        _log.info("%s %s %d %.1f ms %s", request.method, operation.path, response.status_code, 1e3 * seconds, told)
    return response


def _refused(interface: Interface, refusal: RefusalError) -> Response:
    headers = {} if refusal.retry_after is None else {"Retry-After": str(refusal.retry_after)}
    return JSONResponse(interface.error(refusal), refusal.status, headers)


def _place_of(error: Exception) -> str:
    """An error's kind and the line that it is of, without its message."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {place.filename}:{place.lineno}"


async def _no_such_route(request: Request, error: Exception) -> Response:
    """Tell of a path that is none, or a method that a path does not have."""
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    return JSONResponse({"error": error.detail, "message": error.detail}, error.status_code, headers)
