"""Beats out of the QRS feature: peaks, adaptive thresholds, T waves, search-back, the R peak.

After Pan & Tompkins 1985 ("A real-time QRS detection algorithm") and Hamilton 2002 ("Open source
ECG analysis"), with sharpness as a second measure. The steps are numbered as in docs/qrs.md. Times
are analysis samples of 4 ms, heights and slopes mV a 16 ms.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from detectors.state import PEAKS_KEPT, RR_KEPT, TENTH, TENTHS
from dsp import ring
from dsp.features import median
from dsp.filters import INTEGRAL, SLOPE
from dsp.memory import KERNEL, room
from dsp.resample import ANALYSIS_HZ
from dsp.stretches import tenth25

WAIT = 50  # 200 ms: ventricles seldom beat faster (Pan & Tompkins 1985)
FAST_WAIT = 43  # 172 ms, when they do, or when nothing is known yet: 300 a minute is possible
FAST_RR_S = 0.25
WEAK_WAIT = 65  # 260 ms: a weak peak may be the P wave of a beat to come
WEAK = np.float32(0.75)  # of the beats' height
EARLY = np.float32(0.5)  # of the beats' height: lower ones wait in any case
SURE = np.float32(4.0)  # log odds from which on a peak waits for 172 ms only
SURER = np.float32(6.0)  # and a weak one for 200 ms: a P wave may look like a beat
LONGEST_PEAK = 24  # 95 ms after its top a peak is over (Hamilton 2002)
FLOOR = np.float32(0.0008)  # a QRS of about 3 µV: less than converters tell
LEARNING_BEATS = 8
T_WINDOW = 90  # 360 ms after a beat there may be its T wave (Pan & Tompkins 1985)
SEARCH_AFTER = 1.5  # median RR intervals without a beat (Hamilton 2002)
STRANGE = 3  # even intervals in a row of peaks that were taken for none
STRANGE_SHARE = np.float32(0.3)  # of the beats' height, by score
LOST = 750  # 3 s without a beat: the height of beats may have fallen
UNEVEN = 0.12
LOWEST = np.float32(0.08)  # of the beats' height: what is lower is not worth a judgement
LOWEST_OVERDUE = np.float32(0.02)  # when a beat is overdue
OVERDUE = np.float32(1.25)  # median RR intervals
CLEARLY = np.float32(1.1)  # better
CLOSE = np.float32(2.5)  # scores within this ratio are about the same
HOPELESS = np.float32(-99.0)
CALLED_BACK = np.float32(-0.5)  # log odds above which a peak is called back
QUIET = np.float32(0.1)  # of the beats' height: a lower feature is no beat's
QUIET_LAG = 20  # 80 ms after an R peak the feature of its beat is higher than that
LONGEST_RR_S = 6.0  # more is a pause, not an interval of a rhythm
FALL = np.float32(TENTH / 500.0)  # a tenth of a second: 2 s
SHARP_FROM = INTEGRAL + SLOPE  # samples before a peak of the feature where its bends may lie
TENTH_LANES = 32  # in which the samples of a tenth of a second lie
_NEVER = -(10**9)


@njit(**KERNEL)
def begin(qrs):  # type: ignore[no-untyped-def]
    """A detector that has seen nothing."""
    qrs.last.at = qrs.judge_at = qrs.early_at = _NEVER
    qrs.last.fiducial = math.nan
    qrs.rr_median = np.float32(1.0)


@njit(**KERNEL)
def follow(qrs, n, last):  # type: ignore[no-untyped-def]
    """Step 4. Follow the fused feature from sample `n` to `last`, or to the end of a rise.

    Gives the sample where it stopped, and true when a rise has ended and `qrs.top` was its top.
    """
    fused, mask, ended = qrs.fused, qrs.fused.size - 1, False
    if qrs.top == 0.0:  # it falls, until a rise begins
        before = fused[(n - 1) & mask]
        while fused[n & mask] <= before:
            if n == last:
                return n, False
            before = fused[n & mask]
            n += 1
        qrs.top, qrs.top_at = fused[n & mask], n
    top, top_at = qrs.top, qrs.top_at
    half, longest = np.float32(0.5) * top, top_at + LONGEST_PEAK
    while True:
        feature = fused[n & mask]
        if feature > top:
            top, top_at, half, longest = feature, n, np.float32(0.5) * feature, n + LONGEST_PEAK
        elif feature < half or n > longest:
            ended = True
            break
        if n == last:
            break
        n += 1
    qrs.top, qrs.top_at = top, top_at
    return n, ended


@njit(**KERNEL)
def move_levels(qrs, end):  # type: ignore[no-untyped-def]
    """Step 6. Ceiling and mean of the feature, after the tenth of a second before `end`."""
    place = (end - TENTH) & (qrs.fused.size - 1)
    if place + TENTH_LANES <= qrs.fused.size:
        total, most = tenth25(qrs.fused, place)
    else:
        tenth = room(TENTH_LANES)
        ring.read(qrs.fused, place, tenth, TENTH)
        total, most = tenth25(tenth, 0)
    qrs.ceiling = max(most, qrs.ceiling * (np.float32(1.0) - FALL))
    # a mean from the first sample on, then one of 2 s
    rate = max(FALL, np.float32(TENTH / end))
    qrs.mean += rate * (total / np.float32(TENTH) - qrs.mean)
    if qrs.n_beats < LEARNING_BEATS:
        place = (end // TENTH - 1) % TENTHS
        qrs.tenths[place], qrs.tops[place] = total / np.float32(TENTH), most


@njit(**KERNEL)
def score(qrs, sharp):  # type: ignore[no-untyped-def]
    """Height of the peak that has ended, lowered when it is blunter than beats are."""
    if qrs.n_beats < LEARNING_BEATS:
        return qrs.top
    bluntness = qrs.top * qrs.sharp / (sharp * qrs.height + np.float32(1e-9))
    return np.float32(qrs.top / math.sqrt(max(np.float32(1.0), bluntness)))


@njit(**KERNEL)
def hold(qrs, n, score, sharp):  # type: ignore[no-untyped-def]
    """Step 5. Hold the peak that has ended until it is certain that no better one is close."""
    held = qrs.held
    held.at, held.height, held.sharp, held.score = qrs.top_at, qrs.top, sharp, score
    qrs.early_at = _NEVER
    if score < WEAK * qrs.height:
        qrs.judge_at = n + WEAK_WAIT
        if qrs.n_beats >= LEARNING_BEATS and score > EARLY * qrs.height:
            qrs.early_at, qrs.sure = n + WAIT, SURER
    elif qrs.n_beats < LEARNING_BEATS or qrs.rr_median < FAST_RR_S:
        qrs.judge_at = n + FAST_WAIT
    else:
        qrs.judge_at = n + WAIT
        qrs.early_at, qrs.sure = n + FAST_WAIT, SURE


@njit(**KERNEL)
def waits_for_a_strong_one(qrs, n):  # type: ignore[no-untyped-def]
    """True when the held peak has outlasted its rivals but may precede a beat to come."""
    return n < qrs.judge_at <= n + WEAK_WAIT - WAIT and qrs.n_beats >= LEARNING_BEATS


@njit(**KERNEL)
def count_steady(qrs, least):  # type: ignore[no-untyped-def]
    """Count high peaks at even intervals: noise does not come so, a rhythm does."""
    if qrs.held.score < least:
        return
    gap = qrs.held.at - qrs.steady_at
    even = abs(gap - qrs.steady_gap) <= UNEVEN * gap
    qrs.steady = qrs.steady + 1 if even else 0
    qrs.steady_at, qrs.steady_gap = qrs.held.at, gap


@njit(**KERNEL)
def is_steady(qrs, same):  # type: ignore[no-untyped-def]
    """Step 7. True when peaks judged to be none have come evenly, and no beat in between.

    A tachycardia out of the ventricles may be unlike all beats before, in shape and in height.
    Peaks of the same shape as beats (`same`) may be low, too, when no beat has come for long: an
    electrode or a gain has changed.
    """
    if qrs.steady_at < qrs.last.at:
        qrs.steady = 0
    lost = same and qrs.held.at - qrs.last.at > LOST
    count_steady(qrs, (LOWEST_OVERDUE if lost else STRANGE_SHARE) * qrs.height)
    return qrs.steady >= STRANGE and qrs.steady_at == qrs.held.at


@njit(**KERNEL)
def keep_noise(qrs):  # type: ignore[no-untyped-def]
    """Note the held peak as one that is no beat; true when it may be called back as the best."""
    qrs.noises[qrs.n_noises % PEAKS_KEPT] = qrs.held.height
    qrs.n_noises += 1
    qrs.n_between += 1
    qrs.noise = median(qrs.noises, min(qrs.n_noises, PEAKS_KEPT))
    if qrs.n_beats < LEARNING_BEATS or qrs.held.at - qrs.last.at < T_WINDOW:
        return False
    if qrs.spare.score > 0.0 and qrs.held.evidence <= qrs.spare.evidence:
        return False
    copy_peak(qrs.held, qrs.spare)
    return True


@njit(**KERNEL)
def is_quiet(qrs, n):  # type: ignore[no-untyped-def]
    """True when no beat before sample `n` is still to be told: nothing high enough is pending."""
    if qrs.n_beats < LEARNING_BEATS:
        return False
    least = QUIET * qrs.height
    is_held = qrs.judge_at >= n and qrs.held.height >= least
    may_be_called = qrs.spare.score > 0.0 and qrs.spare.evidence > CALLED_BACK
    is_low = qrs.top < least and qrs.fused[(n - 1) & (qrs.fused.size - 1)] < least
    return is_low and not is_held and not may_be_called


@njit(**KERNEL)
def copy_peak(source, target):  # type: ignore[no-untyped-def]
    """Set one peak to another."""
    target.at = source.at
    target.height = source.height
    target.sharp = source.sharp
    target.score = source.score
    target.fiducial = source.fiducial
    target.lead = source.lead
    target.evidence = source.evidence


@njit(**KERNEL)
def keep_beat(qrs, peak):  # type: ignore[no-untyped-def]
    """Note a beat; gives the interval before it, s, NaN for the first."""
    rr_s = np.float32((peak.fiducial - qrs.last.fiducial) / ANALYSIS_HZ)
    if rr_s > 0.0 and rr_s < LONGEST_RR_S:
        qrs.rr[qrs.n_rr % RR_KEPT] = rr_s
        qrs.n_rr += 1
        qrs.rr_median = median(qrs.rr, min(qrs.n_rr, RR_KEPT))
    place = qrs.n_beats % PEAKS_KEPT
    qrs.heights[place], qrs.sharps[place] = peak.height, peak.sharp
    qrs.n_beats += 1
    qrs.n_between = 0
    kept = min(qrs.n_beats, PEAKS_KEPT)
    qrs.height, qrs.sharp = median(qrs.heights, kept), median(qrs.sharps, kept)
    copy_peak(peak, qrs.last)
    qrs.spare.score = np.float32(0.0)
    return rr_s


@njit(**KERNEL)
def search_back_due(qrs, n):  # type: ignore[no-untyped-def]
    """Step 8. True when a beat is overdue and the best peak that was left out may be it."""
    if qrs.spare.score == 0.0 or qrs.n_beats < LEARNING_BEATS:
        return False
    if n - qrs.last.at < SEARCH_AFTER * qrs.rr_median * ANALYSIS_HZ + WAIT:
        return False
    return qrs.spare.evidence > CALLED_BACK
