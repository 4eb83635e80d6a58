"""What the classifier of beats is told, by position in a vector of float32.

Everything is relative to the patient: intervals in those of the basic rhythm, shapes against the
patient's usual beat, so that heart rate, gain and place of the electrodes do not matter. Over leads
it is the mean by what each counts for, or, where named so, the lowest or highest of them.
"""

from __future__ import annotations

from enum import IntEnum


class F(IntEnum):
    """Position of each fact."""

    # the beat's place among the others: intervals
    PRE_REF = 0  # before it, in intervals of the basic rhythm
    POST_REF = 1  # behind it
    PRE_MED = 2  # before it, in medians of the last 16
    PRE_PREV = 3  # before it, over the interval before that one
    PREV_MED = 4  # that one, in medians
    POST_PRE = 5
    PAIR = 6  # before and behind together, in two medians: 1 with a full compensatory pause
    IRREGULAR = 7  # median change from interval to interval, in medians
    IRREGULAR_NN = 8  # the same of intervals between usual beats: high in atrial fibrillation
    RUN = 9  # binary logarithm of 1 + early beats in a row, up to this one
    ONSET = 10  # the first interval of that run, over the one before it
    RUN_P = 11  # mean of P_CORR in that run
    RUN_DIST = 12  # mean of DIST in that run
    # its QRS complex against the usual one
    DIST = 13  # power of the difference over the power of both, 0 to 2
    DIST_REL = 14  # binary logarithm of DIST over SCATTER
    SCATTER = 15  # upper quartile of DIST of beats that are not early
    CORR = 16  # correlation
    CORR_LOW = 17
    CORR_HIGH = 18
    FIRST_CORR = 19  # of what lies before the R peak
    FIRST_DIST = 20
    GAIN = 21  # binary logarithm of the ratio of amplitudes
    GAIN_HIGH = 22
    SPREAD_RATIO = 23  # ratio of widths (root mean square distance of the slopes)
    SPREAD_HIGH = 24
    SLOPE_RATIO = 25
    AREA_RATIO = 26
    WIDTH_MS = 27  # of the complex; told to the user, not to the classifier
    # its P and T waves
    P_CORR = 28  # correlation of what is before the complex with the usual
    P_CORR_HIGH = 29
    P_GAIN = 30  # size of the usual P wave in it
    P_REST = 31  # what is left without it, in amplitudes of the QRS complex
    P_REL = 32  # binary logarithm of that over the upper quartile of beats that are not early
    P_PATIENT = 33  # the usual P wave, in amplitudes of the QRS complex
    T_CORR = 34
    T_GAIN = 35
    # its kind, and its neighbours
    OWN_DIST = 36  # from the nearest kind
    KIND_DIST = 37  # that kind from the usual one
    KIND_SPREAD = 38  # ratio of their widths
    KIND_EARLY = 39  # mean of PRE_MED over that kind
    PREV_DIST = 40  # DIST of the beat before
    NEXT_DIST = 41  # and of the next one
    WITH_PREV = 42  # distance between it and the beat before
    WITH_NEXT = 43
    # how far all this can be trusted
    NOISE = 44  # bends before the complex, in its amplitudes
    P_SCATTER = 45  # upper quartile of P_REST of beats that are not early: muscle, motion
    BLIND = 46  # 1: the shape was not seen
    PACED = 47  # 1: a pacemaker made it


N_FACTS = len(F)
