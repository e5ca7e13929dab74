"""The process: a socket, an event loop, and an end in good order.

Told to stop by SIGTERM or Ctrl-C, the server finishes what it has begun and answers 503 to the rest; told so again, it
ends at once.
"""

import asyncio
import logging
import os
import socket
import sys
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from mtcli.errors import ExitCode, MtcliError
from mtcli.serve.application import application, served_by
from mtcli.serve.interface import Served
from mtcli.serve.settings import ServeSettings

_LARGEST_HEADERS = 1 << 16  # bytes; OmegaT sends its text there
_KEEP_ALIVE = 75  # seconds that an idle connection is kept: longer than most proxies reuse one
_LAST_ANSWERS = 5  # seconds for answers on their way out, once everything is translated
_BACKLOG = 2048
_SWITCH = 0.0005  # seconds after which a thread that decodes lets the event loop in


def serve(settings: ServeSettings, host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve until somebody ends it.

    Args:
        port: 0 takes any that is free.
        say: is told where it serves what, and that it ends.

    Raises:
        MtcliError: a model cannot be used, or the address is taken.
    """
    served = served_by(settings)
    sys.setswitchinterval(_SWITCH)
    with _listen(host, port) as listener:
        directions = ", ".join(model.name for model in served.service.models)
        say(f"Serving {directions} on {_address(listener)} (Ctrl-C ends it)")
        _Server(served, say).run(sockets=[listener])
        say("Ended: everything that was begun is answered.")


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        MtcliError: the address is none, or taken.
    """
    try:
        [(family, _, _, _, address), *_] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except (OSError, OverflowError) as error:
        number = getattr(error, "errno", None) or 0
        reason = os.strerror(number) if number > 0 else getattr(error, "strerror", None) or str(error)
        raise MtcliError(
            f"Cannot listen on {host} port {port}: {reason}. Choose another with --host and --port."
        ) from None


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Server(uvicorn.Server):
    """uvicorn's server, but for its end."""

    def __init__(self, served: Served, say: Callable[[str], None]) -> None:
        limits = served.settings.limits
        super().__init__(
            uvicorn.Config(
                application(served),
                http=partial(_Protocol, limits.body_seconds),  # type: ignore[arg-type]
                ws="none",
                log_config=None,
                log_level=logging.WARNING,
                access_log=False,
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE,
                timeout_graceful_shutdown=_LAST_ANSWERS,
                h11_max_incomplete_event_size=_LARGEST_HEADERS,
            )
        )
        self._served, self._say = served, say

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End when everything is answered; the second time at once, from wherever the process is."""
        if self.should_exit:
            os._exit(ExitCode.INTERRUPTED)
        self.should_exit = True

    async def main_loop(self) -> None:
        await super().main_loop()
        admission = self._served.service.admission
        if admission.requests:
            self._say(f"Finishing {admission.requests} requests; again Ctrl-C ends at once.")
        if not await admission.drained(self._served.settings.limits.drain_seconds):
            self._say(f"{admission.requests} requests took too long and are given up.")


class _Protocol(H11Protocol):
    """A connection that is closed where a request's headers take too long to come."""

    def __init__(self, seconds: float, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._seconds = seconds
        self._waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # Head and body go out in two writes: the second must not wait until the first is acknowledged
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._waiting = self.loop.call_later(self._seconds, transport.close)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        is_head_whole = self.conn.their_state is not h11.IDLE
        if is_head_whole and self._waiting is not None:
            self._stop_waiting()
        elif not is_head_whole and self._waiting is None:
            self._waiting = self.loop.call_later(self._seconds, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
