"""What an interface is made of: operations, each with what it takes and gives, and a form for its errors.

The routes, their checks and the document of `GET /spec` all come from these, so that none says what another does not.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from mtcli.serve.files import FileTranslations
from mtcli.serve.keys import ApiKeys
from mtcli.serve.metrics import Metrics
from mtcli.serve.refusals import RefusalError
from mtcli.serve.service import TranslationService
from mtcli.serve.settings import ServeSettings

Result = TypeVar("Result")


@dataclass(frozen=True)
class Served:
    """What the operations work with."""

    settings: ServeSettings
    service: TranslationService
    keys: ApiKeys
    files: FileTranslations
    metrics: Metrics


class Nothing(BaseModel):
    """What an operation without parameters takes."""


@dataclass(frozen=True)
class Call:
    """One request to an operation.

    Attributes:
        served: what there is to work with.
        request: as it came.
        parameters: what it says, checked; of the kind that the operation declares.
    """

    served: Served
    request: Request
    parameters: Any

    async def while_connected(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Do some work for the client, and stop where it goes away.

        Raises:
            ClientGoneError: it went away; the work was cancelled.
        """
        task = asyncio.ensure_future(work)
        gone = asyncio.ensure_future(_disconnection(self.request))
        try:
            await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise ClientGoneError
            return task.result()
        finally:
            gone.cancel()
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)


class ClientGoneError(Exception):
    """Nobody waits for the answer any more."""


async def _disconnection(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One thing that an interface does.

    Attributes:
        method, path: how it is called; a path's parameters are in braces.
        summary: one sentence for the document.
        handler: does it.
        takes: its parameters.
        gives: what a good answer holds, by pydantic; None where that is no JSON.
        media_type: of a good answer.
        takes_file: whether its body is a form with a file.
        needs_key: whether an API key is asked for, where the server has some.
    """

    method: str
    path: str
    summary: str
    handler: Callable[[Call], Awaitable[Response]]
    takes: type[BaseModel] = Nothing
    gives: Any = None
    media_type: str = "application/json"
    takes_file: bool = False
    needs_key: bool = True


@dataclass(frozen=True, kw_only=True)
class Interface:
    """A family of operations that its clients know by one name.

    Attributes:
        name: for the document and the metrics.
        operations: what it does.
        error: an error's body, from its sentence and status.
        error_schema: that body's JSON schema.
        key: the API key of a call, as its clients send it.
    """

    name: str
    operations: tuple[Operation, ...]
    error: Callable[[RefusalError], Mapping[str, Any]]
    error_schema: Mapping[str, Any]
    key: Callable[[Call], str | None] = field(default=lambda call: bearer(call.request))


def bearer(request: Request) -> str | None:
    """The key of `Authorization: Bearer KEY`."""
    return authorization(request, "Bearer")


def authorization(request: Request, scheme: str) -> str | None:
    """The key of `Authorization: SCHEME KEY`."""
    given, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if given.lower() == scheme.lower() else None
