"""The state of the pulse detector, as NumPy dtypes."""

from __future__ import annotations

import numpy as np

RING = 256  # analysis samples of history (1 s at 250 Hz); a power of two
KEPT = 8  # pulses
SHAPE = 20  # points of the shape of a pulse

CHANNEL = np.dtype(
    [
        ("held", "f4"),  # last input that was there: stands in for missing ones
        ("before", "f4"),  # the same, one input ago
        ("gap", "i4"),  # inputs missing in a row, up to now
        ("started", "i4"),
        ("sum_a", "f8"),
        ("sum_b", "f8"),
        ("sum_r", "f8"),
        ("raw", "f4", (RING,)),
        ("half", "f4", (RING,)),  # after the first average
        ("smooth", "f4", (RING,)),
        ("rise", "f4", (RING,)),
        ("slope_sum", "f4", (RING,)),
        ("absent", "u1", (RING,)),
        ("ceiling", "f4"),  # slowly falling maximum of the slope sum
        ("rising", "i4"),
        ("quiet", "i4"),  # the slope sum has been below its threshold since the last pulse
        ("top", "f4"),  # of the slope sum in the rise under way
        ("top_at", "i8"),
        ("pending", "i8"),  # half rise of a pulse that waits for its shape; 0: none
        ("last_at", "i8"),  # half rise of the last pulse
        ("n_pulses", "i8"),
        ("tops", "f4", (KEPT,)),  # slope sums of the last pulses
        ("usual", "f4"),  # their median
        ("heights", "f4", (KEPT,)),
        ("shape", "f4", (SHAPE,)),  # mean pulse, of mean 0 and power 1
        ("last", "f4", (SHAPE,)),  # the last pulse
        ("piece", "f4", (SHAPE,)),  # the pulse at hand
        ("missing", "i4"),  # of the running second
        ("repeats", "i4"),
        ("low", "f4"),
        ("high", "f4"),
    ],
    align=True,
)

HEAD = np.dtype(
    [
        ("n_channels", "i8"),
        ("fs_hz", "f8"),
        ("start_ns", "i8"),
        ("n_in", "i8"),  # inputs taken in
        ("n", "i8"),  # analysis samples made
    ],
    align=True,
)


def pulse_state(n_channels: int) -> np.dtype[np.void]:
    """The state of a patient with `n_channels` pulse channels."""
    return np.dtype([("head", HEAD), ("channels", CHANNEL, (n_channels,))], align=True)
