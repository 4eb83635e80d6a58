"""The pulse signals among a device's leads: which they are, and their analysis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from alerts.activity import LIGHT_DELAY_S, PRESSURE_DELAY_S
from alerts.engine import Pulse
from archive.leads import is_pressure, is_pulse
from detectors.pulse import PulseAnalyzer
from ecg.clock import NS, Timeline
from ingest.sequence import Piece

MOST_CHANNELS = 8  # the analysis takes no more; a monitor has two or three


def split(leads: Sequence[str]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Which leads carry an ECG, and which a pulse.

    Those that carry a pulse are no business of the ECG's analysis. When no other would be left, all
    are taken for ECG: the names must be wrong then, and a signal that nobody looks at is worse than
    alarms that are.
    """
    pulse = tuple(i for i, name in enumerate(leads) if is_pulse(name))
    ecg = tuple(i for i in range(len(leads)) if i not in pulse)
    return (ecg, pulse[:MOST_CHANNELS]) if ecg else (tuple(range(len(leads))), ())


class PulseStream:
    """The pulses of one unbroken stretch of a device's signal."""

    def __init__(self, fs_hz: float, leads: tuple[int, ...], names: Sequence[str]) -> None:
        """`leads` are their places among the frame's leads, whose names are `names`."""
        self._leads = list(leads)
        self._delays_ns = [
            round((PRESSURE_DELAY_S if is_pressure(names[i]) else LIGHT_DELAY_S) * NS)
            for i in leads
        ]
        self._analyzer = PulseAnalyzer(fs_hz, len(leads))

    def take(self, piece: Piece, timeline: Timeline) -> list[Pulse]:
        """What a piece of the signal shows, an event a channel."""
        x = piece.frame.x_mv()[self._leads]  # its unit does not matter
        if piece.missing:
            gap = np.full((len(x), piece.missing), np.nan, np.float32)
            x = np.hstack([gap, x])
        found, _ = self._analyzer.push(x)
        found = np.sort(found, order="sample")
        times = timeline.times(found["sample"])
        through_ns = timeline.at(piece.sample + piece.frame.n_samples)
        return [
            Pulse(through_ns, times[own], found["quality"][own], channel, delay_ns)
            for channel, delay_ns in enumerate(self._delays_ns)
            for own in (found["channel"] == channel,)
        ]
