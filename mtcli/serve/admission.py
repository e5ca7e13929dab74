"""How much is under way: lines beyond the bound are sent away, and all of them once the server ends."""

import asyncio
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from mtcli.serve.refusals import draining, too_busy

_REMEMBERED = 64  # requests that the speed is known by
_LONGEST_WAIT = 60  # seconds that a client is told to stay away, at most


class Admission:
    """Counts lines under way and lets so many in. For one event loop.

    Attributes:
        most: lines at once; a request of more is let in when nothing else is under way.
        under_way: lines now.
        requests: requests now.
        is_draining: whether nobody is let in any more.
    """

    def __init__(self, most: int) -> None:
        """Let so many lines in at once."""
        self.most = most
        self.under_way = self.requests = 0
        self.is_draining = False
        self._empty = asyncio.Event()
        self._empty.set()
        self._done: deque[tuple[float, int]] = deque(maxlen=_REMEMBERED)

    @contextmanager
    def admit(self, lines: int) -> Iterator[None]:
        """Count lines while the block runs.

        Raises:
            RefusalError: there is no room for them, or the server ends.
        """
        if self.is_draining:
            raise draining()
        if self.under_way and self.under_way + lines > self.most:
            raise too_busy(self._retry_after())
        self.under_way += lines
        self.requests += 1
        self._empty.clear()
        try:
            yield
        finally:
            self.under_way -= lines
            self.requests -= 1
            self._done.append((time.monotonic(), lines))
            if not self.requests:
                self._empty.set()

    def _retry_after(self) -> int:
        """Seconds that what is under way will take, by what was done of late."""
        lines = sum(count for _, count in self._done)
        if len(self._done) < 2 or not lines:
            return 1
        seconds = time.monotonic() - self._done[0][0]
        return max(1, min(_LONGEST_WAIT, round(self.under_way * seconds / lines)))

    async def drained(self, seconds: float) -> bool:
        """Let nobody in any more, and wait for those inside; whether all left within so many seconds."""
        self.is_draining = True
        try:
            async with asyncio.timeout(seconds):
                await self._empty.wait()
        except TimeoutError:
            return False
        return True
