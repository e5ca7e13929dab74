"""Clients of a translation server, as light as they can be, and the server's process."""

import asyncio
import contextlib
import json
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.contest.machine import mtcli_words

_ADDRESS = re.compile(r"on http://([\d.]+):(\d+)")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_READY = 120.0  # seconds that a server may take until it answers


@dataclass
class Answers:
    """What came back: a request's texts with their translations, and the seconds that each request took."""

    texts: list[tuple[str, str]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


class Connection:
    """One client: it keeps its connection, and sends a request when the last is answered."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    @asynccontextmanager
    async def to(cls, host: str, port: int) -> AsyncIterator["Connection"]:
        """Connect while the block runs."""
        reader, writer = await asyncio.open_connection(host, port)
        try:
            yield cls(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def send(self, path: str, body: bytes) -> None:
        """Send JSON."""
        head = (
            f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        await self._writer.drain()

    async def receive(self) -> tuple[int, bytes]:
        """Status and body of the next answer.

        Raises:
            OSError, EOFError: the server went away.
        """
        head = await self._reader.readuntil(b"\r\n\r\n")
        found = _LENGTH.search(head)
        body = await self._reader.readexactly(int(found[1]) if found else 0)
        return int(head.split(b" ", 2)[1]), body

    async def translate(self, texts: str | Sequence[str]) -> Any:
        """Translations of texts from English to German, as the server gives them."""
        await self.send("/translate", json.dumps({"q": texts, "source": "en", "target": "de"}).encode())
        status, body = await self.receive()
        if status != 200:
            raise RuntimeError(f"status {status}: {body[:200]!r}")
        return json.loads(body)["translatedText"]


async def ask_all(address: tuple[str, int], requests: Sequence[Sequence[str]], clients: int) -> tuple[Answers, float]:
    """Let some clients send all requests, each the next one when it is free; the answers, and the seconds in all."""
    waiting, answers = iter(requests), Answers()

    async def client() -> None:
        async with Connection.to(*address) as connection:
            for texts in waiting:
                began = time.perf_counter()
                single = len(texts) == 1
                found = await connection.translate(texts[0] if single else texts)
                answers.seconds.append(time.perf_counter() - began)
                answers.texts += zip(texts, [found] if single else found, strict=True)

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    return answers, time.perf_counter() - began


@contextmanager
def server(command: Sequence[str]) -> Iterator[tuple[int, tuple[str, int]]]:
    """Run a server that says on stderr where it listens; its process's number and its address.

    Exits when it ends before it answers.
    """
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert process.stderr is not None
    try:
        said = ""
        while (found := _ADDRESS.search(said)) is None:
            if not (line := process.stderr.readline()):
                sys.exit(f"{command[0]} ended before it listened: {said}")
            said += line
        address = found[1], int(found[2])
        asyncio.run(_answering(address))
        yield process.pid, address
    finally:
        process.terminate()
        process.wait()


async def _answering(address: tuple[str, int]) -> None:
    """Wait until it translates."""
    async with asyncio.timeout(_READY):
        while True:
            with contextlib.suppress(OSError, RuntimeError, EOFError):
                async with Connection.to(*address) as connection:
                    await connection.translate("Hello.")
                    return
            await asyncio.sleep(0.1)


def mtcli_server(model: str | None, *options: str) -> list[str]:
    """The command that serves a model on any port."""
    chosen = ["-m", f"en-de={model}"] if model else []
    return [*mtcli_words(), "serve", "--port", "0", *chosen, *options]


def resident_mib(pid: int) -> float:
    """Memory of a process that is resident, in MiB."""
    found = re.search(r"^VmRSS:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found, "a Linux process"
    return int(found[1]) / 1024


def in_lists(lines: Sequence[str], size: int) -> list[Sequence[str]]:
    """The lines in requests of so many texts each."""
    return [lines[start : start + size] for start in range(0, len(lines), size)]
