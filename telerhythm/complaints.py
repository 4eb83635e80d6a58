"""Complaints about input: each is counted, and told once a minute a subject, not once a frame."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import structlog

INTERVAL_NS = 60_000_000_000


@dataclass(slots=True)
class Complaints:
    """What is wrong with what comes in.

    A device that sends nonsense sends it many times a second; a log that repeats it hides
    everything else and fills the disk.
    """

    log: Any = field(default_factory=structlog.get_logger)
    counts: Counter[str] = field(default_factory=Counter)
    _last_ns: dict[tuple[str, str], int] = field(default_factory=dict)
    _silent: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, kind: str, topic: str, reason: str, now_ns: int, times: int = 1) -> None:
        """Count a complaint; log it unless one of its kind about this topic was, within a minute.

        Parameters
        ----------
        kind : str
            For the count: `malformed`, `unknown_device`, `lost`, `clock_step` and so on.
        topic : str
            Where it came in.
        reason : str
            What is wrong, for people.
        now_ns : int
        times : int
            How many frames it is about.
        """
        self.counts[kind] += times
        about = (kind, topic)
        last_ns = self._last_ns.get(about)
        if last_ns is not None and 0 <= now_ns - last_ns < INTERVAL_NS:
            self._silent[about] += times
            return
        self._last_ns[about] = now_ns
        self.log.warning(
            kind, topic=topic, reason=reason, times=times, since_last=self._silent.pop(about, 0)
        )
