"""Pulses in a pressure or light signal, as rows beside beats, quality and episodes."""

from __future__ import annotations

import numpy as np

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
        ("slowness", "f4"),  # time that the steepest slope would take over the whole height, ms
        ("slower", "f4"),  # the same over that of the usual beat
        ("height", "f4"),  # over that of the usual beat
        ("found", "u1"),  # `Found`
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
        ("span", "f4"),  # peak to peak, over the height of the usual beat
        ("sqi", "f4"),
        ("code", "u1"),  # ecg.codes.QualityCode
        ("lead", "u1"),
    ],
    align=True,
)
"""What one lead was like during one second."""
