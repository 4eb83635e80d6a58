"""One thread's work: what is due at a time, and what other threads ask for."""

from __future__ import annotations

import heapq
import queue
import time
from collections.abc import Callable
from itertools import count

Call = Callable[[], None]


class Timetable:
    """Calls at their times and requests in their order, all made by whoever calls `work`.

    So what they work on needs no locks. Times are those of `time.monotonic`, and absolute: a call
    that is late makes no later one late.
    """

    def __init__(self) -> None:
        self._requests: queue.SimpleQueue[Call] = queue.SimpleQueue()
        self._calls: list[tuple[float, int, Call]] = []
        self._numbers = count()  # calls of the same time keep their order

    def ask(self, call: Call) -> None:
        """Have a call made soon; from any thread."""
        self._requests.put(call)

    def at(self, when_s: float, call: Call) -> None:
        """Have a call made at a time; from the working thread."""
        heapq.heappush(self._calls, (when_s, next(self._numbers), call))

    def work(self, until_s: float | None = None) -> None:
        """Wait for a request, a call that is due, or the time `until_s`; do what there is to do.

        Requests are not kept waiting by calls that are late: each gets its turn.
        """
        times = [t for t in (until_s, self._calls[0][0] if self._calls else None) if t is not None]
        timeout_s = max(0.0, min(times) - time.monotonic()) if times else None
        try:
            self._requests.get(timeout=timeout_s)()
        except queue.Empty:
            pass
        else:
            for _ in range(self._requests.qsize()):
                self._requests.get()()
        now_s = time.monotonic()
        for _ in range(len(self._calls)):
            if self._calls[0][0] > now_s:
                break
            heapq.heappop(self._calls)[2]()

    def clear(self) -> None:
        """Forget the calls that are not due yet; requests stay."""
        self._calls.clear()
