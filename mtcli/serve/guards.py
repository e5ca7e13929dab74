"""What stands before and behind every operation: bounds for what comes in, headers for what goes out."""

import asyncio
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mtcli.serve.refusals import RefusalError, too_large
from mtcli.serve.settings import Limits

_FILE_PATH = "/translate_file"
_FORM_AROUND_FILE = 1 << 16  # bytes of a form that are not the file's
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


class SecurityHeaders:
    """Adds headers that tell a browser to trust as little as possible, where an operation has not set them."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an application."""
        self._app = app
        self._headers = {name.lower().encode(): value.encode() for name, value in _HEADERS.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request with them."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                missing = [pair for pair in self._headers.items() if pair[0] not in present]
                message = {**message, "headers": [*message["headers"], *missing]}
            await send(message)

        await self._app(scope, receive, with_headers)


class BoundedBody:
    """Ends requests whose body is too large, or takes too long to come: reading it raises a refusal then."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        """Stand before an application."""
        self._app, self._limits = app, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http":
            receive = _Bounded(scope, receive, self._limits)
        await self._app(scope, receive, send)


class _Bounded:
    """One request's body on its way in."""

    def __init__(self, scope: Scope, receive: Receive, limits: Limits) -> None:
        is_file = scope["path"] == _FILE_PATH
        self._receive, self._seconds = receive, limits.body_seconds
        self._most = limits.file_bytes + _FORM_AROUND_FILE if is_file else limits.body_bytes
        self._size, self._is_whole = 0, False
        self._deadline = asyncio.get_running_loop().time() + limits.body_seconds
        self._declared = _content_length(scope)

    async def __call__(self) -> Message:
        if self._is_whole:
            return await self._receive()
        if self._declared > self._most:
            raise too_large("request", self._most)
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            raise RefusalError(
                HTTPStatus.REQUEST_TIMEOUT, f"The request did not arrive within {self._seconds:g} s."
            ) from None
        self._size += len(message.get("body", b""))
        if self._size > self._most:
            raise too_large("request", self._most)
        self._is_whole = not message.get("more_body", False)
        return message


def _content_length(scope: Scope) -> int:
    declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(declared) if declared.isdigit() else 0
