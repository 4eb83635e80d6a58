"""Time: nanoseconds since the Unix epoch (UTC) as int64, and how samples map onto it."""

from __future__ import annotations

import time
from bisect import bisect_right
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

NS = 1_000_000_000


def now_ns() -> int:
    """The wall clock."""
    return time.time_ns()


def sample_to_ns(sample: int, fs_hz: float, start_ns: int = 0) -> int:
    """Time of a sample of a stream that began at `start_ns`."""
    return start_ns + round(sample * NS / fs_hz)


def text(t_ns: int) -> str:
    """ISO 8601 with milliseconds, for logs and people: `2026-03-01T12:00:00.250Z`."""
    stamp = datetime.fromtimestamp(t_ns / NS, UTC)
    return stamp.strftime("%Y-%m-%dT%H:%M:%S.") + f"{stamp.microsecond // 1000:03d}Z"


class Timeline:
    """Times of a live stream's samples, from the times that its frames carry.

    A device's oscillator is never quite at its nominal rate, so counting samples drifts away from
    the clock that the frames tell (100 ppm are 0.36 s an hour). Each frame therefore anchors its
    own first sample; samples between anchors are placed at the nominal rate.

    Anchors that are older than `keep` frames are forgotten: findings come at most seconds late.
    """

    def __init__(self, fs_hz: float, keep: int = 256) -> None:
        self._fs_hz = fs_hz
        self._keep = keep
        self._samples: list[int] = []
        self._times_ns: list[int] = []

    def anchor(self, sample: int, t_ns: int) -> None:
        """Say that `sample`, not before any sample anchored so far, was taken at `t_ns`."""
        self._samples.append(sample)
        self._times_ns.append(t_ns)
        if len(self._samples) > 2 * self._keep:
            del self._samples[: -self._keep]
            del self._times_ns[: -self._keep]

    def at(self, sample: int) -> int:
        """Time of a sample, ns."""
        if not self._samples:
            return sample_to_ns(sample, self._fs_hz)
        i = max(0, bisect_right(self._samples, sample) - 1)
        return self._times_ns[i] + round((sample - self._samples[i]) * NS / self._fs_hz)

    def times(self, samples: NDArray[np.int64]) -> NDArray[np.int64]:
        """Times of many samples, int64 [n]."""
        return np.fromiter((self.at(int(s)) for s in samples), np.int64, len(samples))
