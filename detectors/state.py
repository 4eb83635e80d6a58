"""The state of one patient's analysis, as NumPy dtypes: one record a stage, nested.

A state is plain memory: saved with `tobytes`, restored with `frombuffer`, and a thousand patients
are an array of a thousand of them.
"""

from __future__ import annotations

import numpy as np

from dsp.filters import FRONT
from dsp.resample import RESAMPLE

MAGIC = b"TRHA"
VERSION = 1

RING = 512  # samples of history a lead (2 s at 250 Hz); a power of two
RR_KEPT = 8
PEAKS_KEPT = 8

SECOND = np.dtype(
    [
        ("missing", "i4"),
        ("low", "f4"),
        ("high", "f4"),
        ("repeats", "i4"),
        ("jump", "f4"),
        ("rough", "f8"),
        ("last", "f4"),
        ("sqi", "f4"),
        ("code", "i4"),
    ],
    align=True,
)
"""What is gathered about a lead within the running second, and the verdict on the last one."""

LEAD = np.dtype(
    [
        ("resample", RESAMPLE),
        ("front", FRONT),
        ("second", SECOND),
        ("held_mv", "f4"),  # last sample that was there: stands in for missing ones
        ("offset_mv", "f4"),  # subtracted, so that the signal goes on smoothly after a gap
        ("gap", "i4"),  # inputs missing in a row, up to now
        ("started", "i4"),
        ("signal", "f4", (RING,)),  # resampled, mV
        ("feature", "f4", (RING,)),  # slope of the QRS band, mV
        ("absent", "u1", (RING,)),
    ],
    align=True,
)

QRS = np.dtype(
    [
        ("top", "f4"),  # highest feature of the peak under way
        ("top_at", "i8"),
        ("previous", "f4"),
        ("held", "f4"),  # highest peak within the waiting time
        ("held_at", "i8"),
        ("wait", "i4"),  # samples until the held peak is judged
        ("beats", "f4", (PEAKS_KEPT,)),
        ("n_beats", "i8"),
        ("noises", "f4", (PEAKS_KEPT,)),
        ("n_noises", "i8"),
        ("ceiling", "f4"),  # slowly falling maximum of the feature, for the first beats
        ("spare", "f4"),  # best peak since the last beat that was not taken
        ("spare_at", "i8"),
        ("spare_fiducial", "f8"),
        ("last_at", "i8"),
        ("last_slope", "f4"),
        ("last_fiducial", "f8"),  # analysis samples
        ("rr", "f4", (RR_KEPT,)),  # seconds, oldest overwritten
        ("n_rr", "i8"),
    ],
    align=True,
)

HEAD = np.dtype(
    [
        ("magic", "S4"),
        ("version", "u4"),
        ("n_leads", "u4"),
        ("fs_hz", "f8"),
        ("start_ns", "i8"),
        ("n_in", "i8"),  # inputs taken in
        ("n", "i8"),  # analysis samples made
        ("through", "i8"),  # device sample before which all beats are known
        ("finished", "u1"),
        ("qrs", QRS),
    ],
    align=True,
)


def state_dtype(n_leads: int) -> np.dtype[np.void]:
    """The whole state of a patient with `n_leads` leads."""
    return np.dtype(
        [("head", HEAD), ("leads", LEAD, (n_leads,)), ("names", "S16", (n_leads,))], align=True
    )
