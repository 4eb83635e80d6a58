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
from dsp.mains import LINES, MAINS
from dsp.resample import ANALYSIS_HZ, RESAMPLE

MAGIC = b"TRHA"
VERSION = 17

RING = 512  # samples of history a lead (2 s at 250 Hz); a power of two
SIGNAL_RING = 1024  # of the signal: a beat is looked at again when the next one is known
SECOND = int(ANALYSIS_HZ)
BLOCK = SECOND  # samples that the kernels take at once, at most
TENTH = SECOND // 10  # slow measures move once so many samples, and search-back looks
FUSED = 512  # samples of the fused feature that are kept; a power of two
RR_KEPT = 8
PEAKS_KEPT = 8
POINTS = 20  # of a template
STEP = 2  # samples between points: the slope holds nothing above 30 Hz
SHIFTS = 16  # of a template that are computed side by side; not all count
FIRSTS = 8  # high peaks that are kept while beats are not known yet
TENTHS = 32  # of a second, whose means and maxima are kept so long
TEMPLATES = 2  # of a lead: its usual beat and another one
FACTS = 24  # about a peak that is judged
HIDDEN = 16  # units of the network that weighs them

QUALITY = np.dtype(
    [
        ("missing", "i4"),
        ("low", "f4"),
        ("high", "f4"),
        ("repeats", "i4"),
        ("jump", "f4"),
        ("rough", "f4"),
        ("sqi", "f4"),
        ("code", "i4"),
    ],
    align=True,
)
"""What was measured about the last second of a lead, and the verdict on it."""

TEMPLATE = np.dtype(
    [
        ("wave", "f4", (POINTS,)),  # of the slope about a beat, mV a 16 ms
        ("power", "f4"),  # sum of its squares
        ("used", "f4"),  # share of the last beats that were like it
        ("offset", "f4"),  # samples from where it is aligned to the R peak
        ("way", "f4"),  # 1 or -1: where the R peak points
        ("astray", "f4"),  # share of the last beats whose largest deflection lay elsewhere
    ],
    align=True,
)

MATCH = np.dtype(
    [
        ("at", "i8"),  # peak that was compared, analysis sample
        ("own", "i8"),  # where the feature of the lead itself peaks
        ("likeness", "f4"),  # correlation with the template that it is most like
        ("gain", "f4"),
        ("shift", "i4"),  # samples
        ("which", "i4"),  # template
    ],
    align=True,
)

LEAD = np.dtype(
    [
        ("resample", RESAMPLE),
        ("mains", MAINS, (LINES,)),
        ("second", QUALITY),
        ("held_mv", "f4"),  # last sample that was there: stands in for missing ones
        ("offset_mv", "f4"),  # subtracted, so that the signal goes on smoothly after a gap
        ("steep_mv", "f4"),  # from one input to the next: more is no heart's doing
        ("away", "i4"),  # inputs in a row held back for it
        ("gap", "i4"),  # inputs missing in a row, up to now
        ("started", "i4"),
        ("height", "f4"),  # of the feature at beats, slowly moving; 0 before the first
        ("mean", "f4"),  # of the feature, by second, slowly moving
        ("weight", "f4"),  # in the fusion of leads
        ("scale", "f4"),  # by which its feature is multiplied there
        ("templates", TEMPLATE, (TEMPLATES,)),
        ("match", MATCH),  # of the peak that was judged last
        ("firsts", "f4", (FIRSTS, POINTS)),  # slopes about high peaks, while learning
        ("first_powers", "f4", (FIRSTS,)),  # sums of their squares
        ("polarity", "f4"),  # -1 to 1: which way the largest deflection of beats has pointed
        ("signal", "f4", (SIGNAL_RING,)),  # resampled, without hum, mV
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
        ("evidence", "f4"),  # log odds that it is a beat
    ],
    align=True,
)

QRS = np.dtype(
    [
        ("unit", "f4"),  # of the fused feature of several leads, mV a 16 ms
        ("fused", "f4", (FUSED,)),  # feature of all leads
        ("facts", "f4", (FACTS,)),  # about the peak that was judged last
        ("hidden", "f4", (HIDDEN,)),
        ("judged_at", "i8"),  # that peak
        ("n_judged", "i8"),
        ("n_between", "i4"),  # peaks since the last beat
        ("top", "f4"),  # highest feature of the rise under way
        ("top_at", "i8"),
        ("held", PEAK),  # best peak within the waiting time
        ("judge_at", "i8"),  # analysis sample at which it is judged; in the past when none is
        ("early_at", "i8"),  # at which it is a beat if that is clear already
        ("sure", "f4"),  # log odds from which on it is
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
        ("tenths", "f4", (TENTHS,)),  # its means over tenths of a second, while learning
        ("tops", "f4", (TENTHS,)),  # its maxima
        ("n_firsts", "i4"),  # high peaks met, of which the last are kept
        ("first_at", "i8", (FIRSTS,)),
        ("first_height", "f4", (FIRSTS,)),
        ("first_sharp", "f4", (FIRSTS,)),
        ("first_beat", "u1", (FIRSTS,)),  # whether each was taken for a beat
        ("steady", "i4"),  # peaks taken for none in a row, at even intervals
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
        ("quiet", "i8"),  # device sample before which no beat that is not known will be found
        ("finished", "u1"),
        ("only_qrs", "u1"),  # 1: no classes, no rhythms, no fibrillation
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
