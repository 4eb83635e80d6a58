"""What `serve` has done, in figures: its report at the end."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ecg.clock import now_ns

# an hour of eight devices that send four frames a second
_KEEP = 120_000


@dataclass(slots=True)
class Figures:
    """Counts since the start, and the latencies of the last frames.

    A latency runs from the time of a frame's last sample by the device's clock, at which the
    device published it, until the frame was durable.
    """

    frames_received: int = 0
    frames_stored: int = 0
    beats: int = 0
    alarms: int = 0
    latencies_ms: deque[float] = field(default_factory=lambda: deque(maxlen=_KEEP))

    def stored(self, ends_ns: Iterable[int]) -> None:
        """Frames with these last times have become durable just now."""
        now = now_ns()
        for end_ns in ends_ns:
            self.frames_stored += 1
            self.latencies_ms.append((now - end_ns) / 1e6)

    def report(self, complaints: Mapping[str, int]) -> str:
        """One line of JSON."""
        latencies = sorted(self.latencies_ms)

        def quantile(q: float) -> float | None:
            return round(latencies[int(q * (len(latencies) - 1))], 1) if latencies else None

        return json.dumps(
            {
                "frames_received": self.frames_received,
                "frames_stored": self.frames_stored,
                "beats": self.beats,
                "alarms": self.alarms,
                "latency_p50_ms": quantile(0.50),
                "latency_p99_ms": quantile(0.99),
                "complaints": dict(complaints),
            }
        )
