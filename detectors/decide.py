"""Steps 4 to 9 in line: peaks are held, judged, and told as beats."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from detectors import fiducial, fusion, judge
from detectors import qrs as q
from detectors.state import FUSED
from dsp.resample import ANALYSIS_HZ
from ecg.codes import BeatFlag, QualityCode

_NORMAL = ord("N")
_USABLE = int(QualityCode.USABLE)
_SEARCH_BACK = int(BeatFlag.SEARCH_BACK)
_POOR_SIGNAL = int(BeatFlag.POOR_SIGNAL)
_LEARNING = int(BeatFlag.LEARNING)


@njit(cache=True, nogil=True)
def when(head, n):  # type: ignore[no-untyped-def]
    """Sample at the device's own rate, and its time in ns, of an analysis sample."""
    sample = round(n * head.fs_hz / ANALYSIS_HZ)
    # start is added as an integer: a float of nanoseconds since 1970 is not exact
    return sample, head.start_ns + round(sample * 1e9 / head.fs_hz)


@njit(cache=True, nogil=True)
def _write_beat(head, leads, n, peak, search_back, row):  # type: ignore[no-untyped-def]
    """Fill the row of a beat, unless its R peak belongs to the beat before; true when filled."""
    qrs, lead = head.qrs, peak.lead
    if peak.fiducial < qrs.last.fiducial + q.WAIT // 2:
        return False
    level = q.threshold(qrs, n)
    flags = _SEARCH_BACK if search_back else 0
    if qrs.n_beats < q.LEARNING_BEATS:
        flags |= _LEARNING
    if leads[lead].second.code != _USABLE:
        flags |= _POOR_SIGNAL
    row.confidence = peak.score / (peak.score + level)
    row.sample, row.t_ns = when(head, peak.fiducial)
    row.qrs_ms = math.nan
    row.flags = flags
    row.code = _NORMAL
    row.aami = _NORMAL
    row.lead = lead if leads.size == 1 else -1
    row.rr_s = q.keep_beat(qrs, peak)
    return True


@njit(cache=True, nogil=True)
def _is_better(qrs, leads, score):  # type: ignore[no-untyped-def]
    """Step 5. True when the peak that has ended is to be held in place of the one held so far.

    Of two that are about as good the one that is more like beats wins.
    """
    held = qrs.held
    if qrs.wait == 0:
        return True
    close = q.CLOSE * score > held.score and q.CLOSE * held.score > score
    if not close or qrs.n_beats < q.LEARNING_BEATS:
        return score > held.score
    return score * fusion.likeness(leads, qrs.top_at) > held.score * fusion.likeness(leads, held.at)


@njit(cache=True, nogil=True)
def _is_beat(qrs, leads, n):  # type: ignore[no-untyped-def]
    """Judge the held peak."""
    held = qrs.held
    if qrs.n_beats < q.LEARNING_BEATS:
        return q.is_beat(qrs, n)
    overdue = n - qrs.last.at > q.OVERDUE * qrs.rr_median * ANALYSIS_HZ
    if held.height < (q.LOWEST_OVERDUE if overdue else q.LOWEST) * qrs.height:
        held.evidence = q.HOPELESS
        return False
    judge.gather(qrs, leads, held, n)
    held.evidence = judge.evidence(qrs)
    if judge.N_HIDDEN == 1:
        return q.is_beat(qrs, n)
    return held.evidence > 0.0


@njit(cache=True, nogil=True)
def decide(head, leads, n, beats, n_beats):  # type: ignore[no-untyped-def]
    """Steps 4 to 9. Beats that this analysis sample makes known; gives the new count."""
    qrs = head.qrs
    fused = fusion.fuse(qrs, leads, n)
    qrs.fused[n & (FUSED - 1)] = fused
    ended = q.peak_ended(qrs, n, fused)
    due = False
    if qrs.wait > 0:
        qrs.wait -= 1
        due = qrs.wait == 0
    if due:
        held = qrs.held
        if _is_beat(qrs, leads, n):
            fusion.timing_lead(qrs, leads, held)
            lead = leads[held.lead]
            held.fiducial = fiducial.place(lead, held.at, n)
            fusion.learn_leads(leads, held.at)
            fiducial.learn(lead, held.at, held.fiducial)
            n_beats += _write_beat(head, leads, n, held, False, beats[n_beats])
        elif q.keep_noise(qrs):
            fusion.timing_lead(qrs, leads, qrs.spare)
            qrs.spare.fiducial = fiducial.place(leads[qrs.spare.lead], held.at, n)
        held.score = np.float32(0.0)
    if ended:
        sharp = fusion.sharpness_at(qrs, leads, qrs.top_at, n)
        score = q.score(qrs, sharp)
        if _is_better(qrs, leads, score):
            q.hold(qrs, score, sharp)
        qrs.top = np.float32(0.0)
    if q.search_back_due(qrs, n):
        n_beats += _write_beat(head, leads, n, qrs.spare, True, beats[n_beats])
        qrs.spare.score = np.float32(0.0)
    return n_beats
