"""A long run of mixed requests: translations compared, others aborted, oversized or malformed; memory looked at."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.questions.serve_clients import Connection, resident_mib

KINDS = {"one": 60, "list": 20, "aborted": 10, "oversized": 4, "malformed": 6}  # parts of a hundred
LIMIT = 2000  # characters a text, as the server is started
LIST = 20
_MALFORMED = (b"{", b"[]", b'{"q": 3}', b'{"q": "a", "source": "zz", "target": "de"}', b"\xff\xfe", b"")
_TENTHS = 10


@dataclass
class Findings:
    """What came of the requests; see `benchmarks.questions.serve_results.Soak`."""

    answers: Counter[str] = field(default_factory=Counter)
    compared: int = 0
    wrong: int = 0
    lost: int = 0
    memory_mib: list[float] = field(default_factory=list)


class MixedRequests:
    """Clients that send requests of all kinds, at random but the same in each run."""

    def __init__(self, address: tuple[str, int], pid: int, expected: Mapping[str, str], seed: int = 1) -> None:
        """Ask a server for texts whose translations are known."""
        self._address, self._pid, self._expected = address, pid, expected
        self._lines, self._random = list(expected), random.Random(seed)
        self.findings = Findings()

    async def send(self, number: int, clients: int) -> None:
        """Send so many requests with so many clients."""
        kinds = self._random.choices(list(KINDS), list(KINDS.values()), k=number)
        waiting = iter(enumerate(kinds, start=1))
        await asyncio.gather(*(self._client(waiting, number) for _ in range(clients)))

    async def _client(self, waiting: "enumerate[str]", number: int) -> None:
        done = False
        while not done:
            async with Connection.to(*self._address) as connection:
                done = await self._until_broken(connection, waiting, number)

    async def _until_broken(self, connection: Connection, waiting: "enumerate[str]", number: int) -> bool:
        """Send over one connection until it is of no use any more; whether there is nothing left to send."""
        for place, kind in waiting:
            if place % max(1, number // _TENTHS) == 0:
                self.findings.memory_mib.append(resident_mib(self._pid))
            texts = self._random.sample(self._lines, LIST) if kind == "list" else [self._random.choice(self._lines)]
            await connection.send("/translate", self._body(kind, texts))
            if kind == "aborted":
                self.findings.answers["aborted"] += 1
                return False
            try:
                status, body = await connection.receive()
            except (OSError, EOFError):
                self.findings.lost += 1
                return False
            self.findings.answers[f"{kind}: {status}"] += 1
            if status == 200:
                self._compare(texts, body)
        return True

    def _body(self, kind: str, texts: Sequence[str]) -> bytes:
        if kind == "malformed":
            return self._random.choice(_MALFORMED)
        q = "a" * (LIMIT + 1) if kind == "oversized" else list(texts) if kind == "list" else texts[0]
        return json.dumps({"q": q, "source": "en", "target": "de"}).encode()

    def _compare(self, texts: Sequence[str], body: bytes) -> None:
        found = json.loads(body)["translatedText"]
        found = [found] if isinstance(found, str) else found
        self.findings.compared += 1
        self.findings.wrong += found != [self._expected[text] for text in texts]
