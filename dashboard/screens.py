"""Browsers that watch a ward, and what waits to be sent to each."""

from __future__ import annotations

import asyncio
import threading
from collections import deque

MAX_WAITING = 256
"""Chunks that wait for a slow browser: some 8 s of 8 beds at 4 chunks a second."""


class Screen:
    """One browser's connection: a queue that loses the oldest rather than wait or grow.

    A lost chunk shows as a gap in the trace, since the next one says where it belongs.

    Parameters
    ----------
    ward : str
    loop : asyncio.AbstractEventLoop
        Runs whoever awaits `take`; `offer` may be called from any thread.
    """

    def __init__(
        self, ward: str, loop: asyncio.AbstractEventLoop, max_waiting: int = MAX_WAITING
    ) -> None:
        self.ward = ward
        self.lost = 0
        self._loop = loop
        self._lock = threading.Lock()
        self._waiting: deque[bytes] = deque(maxlen=max_waiting)
        self._wake = asyncio.Event()

    def offer(self, payload: bytes) -> None:
        """Have a chunk sent, soon or never."""
        with self._lock:
            self.lost += len(self._waiting) == self._waiting.maxlen
            self._waiting.append(payload)
        self.wake()

    def wake(self) -> None:
        """Let `take` return, also with nothing: the state of the connection has changed."""
        # the loop is closed when the server ends while a message comes in
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake.set)

    async def take(self, timeout_s: float) -> list[bytes]:
        """All chunks that wait; nothing after `timeout_s` without any."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._wake.wait()
        except TimeoutError:
            return []
        self._wake.clear()
        with self._lock:
            taken = list(self._waiting)
            self._waiting.clear()
        return taken
