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
