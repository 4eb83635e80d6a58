"""What single channels show about an alarm: pulses, beats lead by lead, seconds of signal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

PULSE = np.dtype(
    [
        ("sample", "i8"),  # where the upstroke is at its half, at the device's own rate
        ("t_ns", "i8"),  # UTC
        ("interval_s", "f4"),  # to the pulse before; NaN when there is none
        ("height", "f4"),  # foot to top, unit of the channel
        ("top", "f4"),  # highest value, unit of the channel: systolic pressure, if it is one
        ("quality", "f4"),  # 0..1: likeness to the pulses before, in shape and height
        ("channel", "u1"),
    ],
    align=True,
)

LEAD_BEAT = np.dtype(
    [
        ("sample", "i8"),  # at the device's own rate
        ("t_ns", "i8"),  # UTC
        ("familiar", "f4"),  # -1..1: correlation with the usual beat of this lead
        ("alike", "f4", (4,)),  # with each of the four beats before; NaN when there is none
        ("companions", "i4"),  # beats of the same kind in the last 90 s, itself not counted
        ("slowness", "f4"),  # time that the steepest slope would take over the whole height, ms
        ("slower", "f4"),  # the same over that of the usual beat
        ("height", "f4"),  # over that of the usual beat
        ("lead", "u1"),
    ],
    align=True,
)
"""A beat as one lead shows it."""

LEAD_SECOND = np.dtype(
    [
        ("sample", "i8"),  # first sample of the second that the row speaks for
        ("t_ns", "i8"),
        ("stuck", "f4"),  # 0..1: share of samples that are the same as the one before
        ("leakage", "f4"),  # 0..1 of 4 s that end with this second: low for a plain oscillation
        ("period_s", "f4"),  # of that oscillation
        ("steepest", "f4"),  # slope, mV a 16 ms
        ("sqi", "f4"),
        ("code", "u1"),  # ecg.codes.QualityCode
        ("lead", "u1"),
    ],
    align=True,
)
"""What one lead was like during one second."""


@dataclass(frozen=True, slots=True, eq=False)
class LeadView:
    """What one ECG lead shows of the last seconds.

    Attributes
    ----------
    name : str
    beats : structured array, `LEAD_BEAT`
        As a QRS detector finds them in this lead alone.
    joint : structured array, `LEAD_BEAT`
        The same, and what this lead shows where only another one has a beat.
    searched : structured array, `LEAD_BEAT`
        Places that look like the usual beat of the lead, whatever their height.
    seconds : structured array, `LEAD_SECOND`
    usual_share : float
        Share of the beats of the last 90 s that were like the usual one; 0 when none is known.
    usual_slowness : float
        Of the usual beat, ms; NaN when none is known.
    """

    name: str
    beats: NDArray[Any]
    joint: NDArray[Any]
    searched: NDArray[Any]
    seconds: NDArray[Any]
    usual_share: float
    usual_slowness: float


@dataclass(frozen=True, slots=True, eq=False)
class PulseView:
    """What one pulse channel shows.

    Attributes
    ----------
    name : str
    pulses : structured array, `PULSE`
    seconds : structured array, `ecg.QUALITY`
    is_pressure : bool
        Heights are mmHg; otherwise they have no unit.
    """

    name: str
    pulses: NDArray[Any]
    seconds: NDArray[Any]
    is_pressure: bool
