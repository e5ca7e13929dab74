"""`mtcli serve` in a process of its own, and plain requests to it."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from support.command import MTCLI
from support.patience import PATIENCE

_ADDRESS = re.compile(r"Serving .* on (http://\S+) ")


@dataclass
class Answer:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


class RunningServer:
    """A server that listens; its stderr goes to a file."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        """Wait until it says where it listens."""
        self.process, self._log = process, log
        self.url = self._address()

    def _address(self) -> str:
        while (found := _ADDRESS.search(self.log)) is None:
            assert self.process.poll() is None, self.log
            with self._log.open("rb"):
                os.sched_yield()
        return found[1]

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8")

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        assert parts.hostname and parts.port
        return parts.hostname, parts.port

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(*self.address, timeout=PATIENCE)

    def ask(self, method: str, path: str, body: bytes | str | None = None, headers: Mapping[str, str] = {}) -> Answer:
        """Send one request and read the answer."""
        connection = self.connection()
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            fields = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, fields, response.read())
        finally:
            connection.close()

    def post(self, path: str, content: Any, headers: Mapping[str, str] = {}) -> Answer:
        """Send JSON."""
        return self.ask("POST", path, json.dumps(content), {"Content-Type": "application/json", **headers})

    def translate(self, q: Any, **more: Any) -> Any:
        """`translatedText` of LibreTranslate's interface, English to German unless told otherwise."""
        answer = self.post("/translate", {"q": q, "source": "en", "target": "de", **more})
        assert answer.status == 200, answer.text
        return answer.json()["translatedText"]

    def wait_until_ready(self) -> None:
        while self.ask("GET", "/health").status != 200:
            assert self.process.poll() is None, self.log

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, and give the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


def gauge(server: RunningServer, name: str) -> float:
    """A number of `/metrics`."""
    found = re.search(rf"^{name}(?:{{[^}}]*}})? (\S+)$", server.ask("GET", "/metrics").text, re.MULTILINE)
    assert found, name
    return float(found[1])


@contextmanager
def running_server(
    directory: Path, *options: str | Path, env: Mapping[str, str] = {}, program: str | None = None
) -> Iterator[RunningServer]:
    """Serve while the block runs: by the command, on a free port unless told otherwise, or by a program of Python."""
    log = directory / "server.log"
    port = [] if "--port" in options else ["--port", "0"]
    command = [sys.executable, "-c", program] if program else [*MTCLI, "serve", *port, *map(str, options)]
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stream, env={**os.environ, **env}
        )
    try:
        yield RunningServer(process, log)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(PATIENCE)


def run_client(program: str, *arguments: str, env: Mapping[str, str] = {}) -> Any:
    """Run a client's few lines in a Python of their own; what they print, as JSON."""
    finished = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, **env},
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)
