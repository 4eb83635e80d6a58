"""Pulses as mechanical evidence: what they say against an alarm of the ECG.

A pulse proves a heartbeat; no pulse proves nothing: cuffs, cold fingers and loose clips stop it,
too. So pulses can only speak against an alarm, and only good ones do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerts.kinds import AlarmKind
from alerts.rules import Limits, rate_bpm
from ecg.clock import NS

KEEP_NS = 30 * NS
GOOD = 0.6
"""Quality from which a pulse counts: likeness in shape and height to those before it."""
TRANSIT_NS = NS * 2 // 5
"""By so much more than the usual delay of its channel may a pulse of the last QRS be late: makers
of plethysmographs differ by 0.8 s among each other."""
USUAL_DELAY_NS = NS * 2 // 5
"""Of a channel of which nothing is known: 0.1 to 0.7 s."""
SILENCE_NS = 5 * NS
# A deficit of pulses is usual in fast atrial fibrillation, half as many as QRS are not: then each
# beat was counted twice. Nor are half as many QRS again.
DEFICIT = 0.65


@dataclass(frozen=True, slots=True, eq=False)
class Pulse:
    """Pulses that were found in one channel, a plethysmogram or a pressure; an event of the engine.

    Attributes
    ----------
    through_ns : int
        All pulses before it are known.
    beats_ns : int64 [n]
        Half of the upstroke of each.
    quality : float [n]
        0..1: likeness to the pulses before.
    channel : int
        Which of the channels: a heartbeat makes a pulse in each.
    delay_ns : int
        From the R peak to the pulse of its beat, about, in this channel.
    """

    through_ns: int
    beats_ns: NDArray[Any] = field(default_factory=lambda: np.empty(0, np.int64))
    quality: NDArray[Any] = field(default_factory=lambda: np.empty(0, np.float32))
    channel: int = 0
    delay_ns: int = USUAL_DELAY_NS


@dataclass(frozen=True, slots=True)
class Pulses:
    """The good pulses of the last 30 s, by channel, and by how much each channel is late."""

    through_ns: int = 0
    channels: tuple[tuple[int, ...], ...] = ()
    delays_ns: tuple[int, ...] = ()

    def taken(self, event: Pulse) -> Pulses:
        """With those of an event; one that is told again counts once."""
        if event.through_ns < self.through_ns - NS:
            return Pulses().taken(event)  # the clock was set back
        good = [
            t
            for t, q in zip(event.beats_ns.tolist(), event.quality.tolist(), strict=True)
            if q >= GOOD
        ]
        oldest_ns = event.through_ns - KEEP_NS
        channels = list(self.channels)
        channels += [()] * (event.channel + 1 - len(channels))
        delays_ns = [*self.delays_ns, *[USUAL_DELAY_NS] * (len(channels) - len(self.delays_ns))]
        delays_ns[event.channel] = event.delay_ns
        known = channels[event.channel]
        channels[event.channel] = tuple(sorted({*known, *good}))
        kept = tuple(tuple(t for t in beats if t >= oldest_ns) for beats in channels)
        return Pulses(event.through_ns, kept, tuple(delays_ns))

    def heartbeats(self, from_ns: int, to_ns: int) -> list[int]:
        """As `between`, in the heart's time: when the beats were that made the pulses."""
        found = (
            [t - delay for t in beats if from_ns <= t - delay <= to_ns]
            for beats, delay in zip(self.channels, self.delays_ns, strict=True)
        )
        return max(found, key=len, default=[])

    def between(self, from_ns: int, to_ns: int) -> list[int]:
        """Good pulses of a stretch, both ends included, of the channel that shows most."""
        found = ([t for t in beats if from_ns <= t <= to_ns] for beats in self.channels)
        return max(found, key=len, default=[])


def speaks_against(
    kind: AlarmKind, pulses: Pulses, window_ns: Sequence[int], now_ns: int, limits: Limits
) -> str | None:
    """What the pulses say against an alarm, in one sentence; None when nothing.

    Parameters
    ----------
    kind : AlarmKind
    pulses : Pulses
    window_ns : sequence of int
        The beats that the rule used; for a silence the last beat, for a waveform its onset.
    now_ns : int
        How far the signal is known.
    limits : Limits
    """
    if not any(pulses.channels) or not window_ns:
        return None
    if kind in _SILENT:
        since_ns = max(window_ns[-1] + TRANSIT_NS, now_ns - SILENCE_NS)
        found = pulses.heartbeats(since_ns, now_ns)
        if len(found) >= _SILENT[kind]:
            plural = "s" if len(found) > 1 else ""
            of_s = (now_ns - since_ns) / NS
            return f"{len(found)} pulse{plural} of beats in the last {of_s:.1f} s."
        return None
    if kind in _FAST or kind in _SLOW:
        return _by_rate(kind, pulses, window_ns, limits)
    return None


# pulses that must have been seen
_SILENT = {AlarmKind.ASYSTOLE: 2, AlarmKind.PAUSE: 1, AlarmKind.VENTRICULAR_FIBRILLATION: 3}
_FAST = {
    AlarmKind.EXTREME_TACHYCARDIA: "tachycardia_bpm",
    AlarmKind.VENTRICULAR_TACHYCARDIA: "vt_bpm",
    AlarmKind.HEART_RATE_HIGH: "high_bpm",
    AlarmKind.SVT: "svt_bpm",
}
_SLOW = {
    AlarmKind.EXTREME_BRADYCARDIA: "bradycardia_bpm",
    AlarmKind.HEART_RATE_LOW: "low_bpm",
}


def _by_rate(
    kind: AlarmKind, pulses: Pulses, window_ns: Sequence[int], limits: Limits
) -> str | None:
    found = pulses.heartbeats(window_ns[0], window_ns[-1] + TRANSIT_NS)
    if len(window_ns) < 2 or len(found) < 3:
        return None
    if found[-1] - found[0] < 0.7 * (window_ns[-1] - window_ns[0]):
        return None  # pulses of a part of it say nothing of the rest
    beats_bpm, pulses_bpm = rate_bpm(window_ns), rate_bpm(found)
    limit = getattr(limits, _FAST.get(kind) or _SLOW[kind])
    if kind in _FAST:
        is_contrary = pulses_bpm <= limit and pulses_bpm < DEFICIT * beats_bpm
    else:  # a second wave that is counted as a pulse comes unevenly
        gaps = [b - a for a, b in pairwise(found)]
        if max(gaps) > 1.5 * min(gaps):
            return None
        is_contrary = pulses_bpm >= limit and beats_bpm < DEFICIT * pulses_bpm
    if not is_contrary:
        return None
    return f"The pulse is {pulses_bpm:.0f}/min, the ECG seems to say {beats_bpm:.0f}/min."
