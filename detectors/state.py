"""The state of one patient's analysis, as NumPy dtypes: one record a stage, nested.

A state is plain memory: saved with `tobytes`, restored with `frombuffer`, and a thousand patients
are an array of a thousand of them.
"""

from __future__ import annotations

import numpy as np

from detectors.beats import BEATS
from detectors.fibrillation import FIBRILLATION
from detectors.pwave import PRELUDE
from detectors.rhythm import RHYTHM
from detectors.shape import SHAPE
from dsp.filters import FRONT
from dsp.resample import RESAMPLE

MAGIC = b"TRHA"
VERSION = 8

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
        ("height", "f4"),  # of the feature at beats, slowly moving; 0 before the first
        ("mean", "f4"),  # of the feature, by second, slowly moving
        ("weight", "f4"),  # in the fusion of leads
        ("polarity", "f4"),  # -1 to 1: which way the largest deflection of beats has pointed
        ("signal", "f4", (RING,)),  # resampled, mV
        ("slope", "f4", (RING,)),  # of the QRS band, mV a 16 ms
        ("feature", "f4", (RING,)),  # its mean size over 80 ms
        ("absent", "u1", (RING,)),
        ("fib", FIBRILLATION),
        ("prelude", PRELUDE),
        ("shape", SHAPE),
    ],
    align=True,
)

PEAK = np.dtype(
    [
        ("at", "i8"),  # analysis sample
        ("height", "f4"),  # of the feature, mV a 16 ms
        ("sharp", "f4"),  # largest change of slope about it, mV a 16 ms
        ("score", "f4"),  # height, lowered when it is blunter than beats are
        ("fiducial", "f8"),  # of the R peak, analysis samples
        ("lead", "i4"),  # that tells it
    ],
    align=True,
)

QRS = np.dtype(
    [
        ("top", "f4"),  # highest feature of the rise under way
        ("top_at", "i8"),
        ("previous", "f4"),
        ("held", PEAK),  # best peak within the waiting time
        ("wait", "i4"),  # samples until it is judged
        ("last", PEAK),  # the last beat
        ("spare", PEAK),  # best peak since the last beat that was no beat
        ("heights", "f4", (PEAKS_KEPT,)),  # of the last beats
        ("sharps", "f4", (PEAKS_KEPT,)),
        ("noises", "f4", (PEAKS_KEPT,)),  # heights of the last peaks that were no beats
        ("n_beats", "i8"),
        ("n_noises", "i8"),
        ("height", "f4"),  # medians of the above
        ("sharp", "f4"),
        ("noise", "f4"),
        ("ceiling", "f4"),  # slowly falling maximum of the feature
        ("mean", "f4"),  # slowly moving mean of the feature
        ("steady", "i4"),  # peaks in a row at even intervals, while learning
        ("steady_at", "i8"),
        ("steady_gap", "i8"),
        ("rr", "f4", (RR_KEPT,)),  # s, the oldest is overwritten
        ("rr_median", "f4"),
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
        ("rhythm", RHYTHM),
        ("beats", BEATS),
    ],
    align=True,
)


def state_dtype(n_leads: int) -> np.dtype[np.void]:
    """The whole state of a patient with `n_leads` leads."""
    return np.dtype(
        [("head", HEAD), ("leads", LEAD, (n_leads,)), ("names", "S16", (n_leads,))], align=True
    )
