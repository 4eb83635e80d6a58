"""Complaints about input: each is counted, and told once a minute a subject, not once a frame."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from ingest.sequence import Counts
from ingest.wire import frame_topic

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


DISORDER = {
    "lost": "frames are missing in the sequence",
    "duplicates": "frames came more than once",
    "late": "frames came after they had been given up",
    "restarts": "the device began anew",
    "pauses": "the device took no samples for a while",
    "clock_steps": "the device's clock does not fit the samples that it sent",
}
"""What can be odd about a sequence: the fields of `Counts` that are told."""


class Disorder:
    """Complains of what has become odd in the sequences of devices since it last looked."""

    def __init__(self, complaints: Complaints) -> None:
        self._complaints = complaints
        self._told: dict[str, Counts] = {}

    def tell(self, counts: Counts, device: str, now_ns: int) -> None:
        """Count and log what is new in a device's counts."""
        told = self._told.get(device, Counts())
        self._told[device] = replace(counts)
        for kind, reason in DISORDER.items():
            times = getattr(counts, kind) - getattr(told, kind)
            if times > 0:
                self._complaints.add(kind, frame_topic(device), reason, now_ns, times)
