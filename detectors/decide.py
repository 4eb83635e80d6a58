"""Steps 4 to 9 in line: peaks are held, judged, and told as beats."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from detectors import beats as classes
from detectors import fiducial, first, fusion, judge, trees
from detectors import qrs as q
from detectors.state import TENTH
from dsp.memory import KERNEL
from dsp.resample import ANALYSIS_HZ
from ecg.codes import BeatFlag, QualityCode

_USABLE = int(QualityCode.USABLE)
_SEARCH_BACK = int(BeatFlag.SEARCH_BACK)
_POOR_SIGNAL = int(BeatFlag.POOR_SIGNAL)
_LEARNING = int(BeatFlag.LEARNING)


@njit(**KERNEL)
def when(head, n):  # type: ignore[no-untyped-def]
    """Sample at the device's own rate, and its time in ns, of an analysis sample."""
    sample = round(n * head.fs_hz / ANALYSIS_HZ)
    # start is added as an integer: a float of nanoseconds since 1970 is not exact
    return sample, head.start_ns + round(sample * 1e9 / head.fs_hz)


@njit(**KERNEL)
def _write_beat(head, leads, n, peak, search_back, row):  # type: ignore[no-untyped-def]
    """Fill the row of a beat, unless its R peak belongs to the beat before; true when filled."""
    qrs, lead = head.qrs, peak.lead
    if peak.fiducial < qrs.last.fiducial + q.WAIT // 2:
        return False
    flags = _SEARCH_BACK if search_back else 0
    if qrs.n_beats < q.LEARNING_BEATS:
        flags |= _LEARNING
    if leads[lead].second.code != _USABLE:
        flags |= _POOR_SIGNAL
    row.confidence = 1.0 / (1.0 + math.exp(-peak.evidence))
    row.sample, row.t_ns = when(head, peak.fiducial)
    row.qrs_ms = math.nan
    row.flags = flags
    row.code, row.aami = classes.UNKNOWN, classes.UNKNOWN_CLASS
    row.lead = lead if leads.size == 1 else -1
    row.rr_s = q.keep_beat(qrs, peak)
    return True


@njit(**KERNEL)
def _is_better(qrs, leads, n, score):  # type: ignore[no-untyped-def]
    """Step 5. True when the peak that has ended is to be held in place of the one held so far.

    Of two that are about as good the one that is more like beats wins.
    """
    held = qrs.held
    if qrs.judge_at <= n:
        return True
    close = q.CLOSE * score > held.score and q.CLOSE * held.score > score
    if not close or qrs.n_beats < q.LEARNING_BEATS:
        return score > held.score
    own, other = fusion.likeness(leads, qrs.top_at, n), fusion.likeness(leads, held.at, n)
    return score * own > held.score * other


@njit(**KERNEL)
def _weigh(qrs, leads, n, judges):  # type: ignore[no-untyped-def]
    """Step 7. The held peak's log odds. Where the network doubts, the forest is asked."""
    judge.gather(qrs, leads, qrs.held, n)
    which = judge.ONE if leads.size == 1 else judge.SEVERAL
    odds = judge.evidence(qrs, judges.networks[which])
    if abs(odds) < judge.DOUBT:
        odds += trees.score(judges.doubt, qrs.facts)
    qrs.held.evidence = odds


@njit(**KERNEL)
def _is_beat(qrs, leads, n, judges):  # type: ignore[no-untyped-def]
    """Steps 6 and 7. Judge the held peak."""
    held = qrs.held
    if qrs.n_beats < q.LEARNING_BEATS:
        return first.is_beat(qrs, leads, n, judges.networks[judge.FIRST])
    overdue = n - qrs.last.at > q.OVERDUE * qrs.rr_median * ANALYSIS_HZ
    if held.height < (q.LOWEST_OVERDUE if overdue else q.LOWEST) * qrs.height:
        held.evidence = q.HOPELESS
        return False
    _weigh(qrs, leads, n, judges)
    judge.count(qrs)
    return held.evidence > 0.0 or judge.is_alike(qrs) or q.is_steady(qrs, judge.is_same(qrs))


@njit(**KERNEL)
def _accept(head, leads, n, row):  # type: ignore[no-untyped-def]
    """Step 9. The held peak is a beat: learn it, and fill its row; true when filled."""
    held = head.qrs.held
    fusion.timing_lead(leads, held)
    lead = leads[held.lead]
    held.fiducial = fiducial.place(lead, held.at, n)
    fusion.learn_leads(leads, held.at, n)
    fiducial.learn(lead, held.at, held.fiducial)
    return _write_beat(head, leads, n, held, False, row)


@njit(**KERNEL)
def _judge_early(head, leads, n, row, judges):  # type: ignore[no-untyped-def]
    """Step 5. A peak that clearly is a beat waits less for a better one."""
    qrs = head.qrs
    _weigh(qrs, leads, n, judges)
    if qrs.held.evidence < qrs.sure:
        return False
    judge.count(qrs)
    found = _accept(head, leads, n, row)
    qrs.held.score = np.float32(0.0)
    qrs.judge_at = n
    return found


@njit(**KERNEL)
def _judge(head, leads, n, row, judges):  # type: ignore[no-untyped-def]
    """Steps 6, 7 and 9. The held peak is a beat, whose row is filled, or it is none."""
    qrs, found = head.qrs, False
    held = qrs.held
    if _is_beat(qrs, leads, n, judges):
        found = _accept(head, leads, n, row)
    elif q.keep_noise(qrs):
        fusion.timing_lead(leads, qrs.spare)
        qrs.spare.fiducial = fiducial.place(leads[qrs.spare.lead], held.at, n)
    held.score = np.float32(0.0)
    return found


@njit(**KERNEL)
def _end_peak(head, leads, n, row, judges):  # type: ignore[no-untyped-def]
    """Step 5. Of peaks that are too close for two beats hold the best.

    A weak one gives way to a strong one only, and is judged before: true when it fills the row.
    """
    qrs, found = head.qrs, False
    waits = q.waits_for_a_strong_one(qrs, n)
    if qrs.judge_at > n and not waits and q.CLOSE * qrs.top <= qrs.held.score:
        qrs.top = np.float32(0.0)  # its score is its height at most: whatever it is, it loses
        return False
    sharp = fusion.sharpness_at(leads, qrs.top_at, n)
    score = q.score(qrs, sharp)
    strong = score >= q.WEAK * qrs.height or score >= q.CLEARLY * qrs.held.score
    if waits and not strong:
        found = _judge(head, leads, n, row, judges)
        qrs.judge_at = n
    if _is_better(qrs, leads, n, score):
        q.hold(qrs, n, score, sharp)
    qrs.top = np.float32(0.0)
    return found


@njit(**KERNEL)
def decide(head, leads, n, end, row, judges):  # type: ignore[no-untyped-def]
    """Steps 4 to 9. The first beat that the analysis samples from `n` to `end` make known.

    Most samples change nothing but the rise under way: `q.follow` passes over them. Gives the
    sample to go on from (`end` when all have been seen), and whether `row` was filled.
    judges : `detectors.weights.Judges`
    """
    qrs, found = head.qrs, False
    while n < end and not found:
        tenth = n - n % TENTH + TENTH
        last = min(end, tenth) - 1
        if qrs.judge_at >= n:
            last = min(last, qrs.judge_at)
        if qrs.early_at >= n:
            last = min(last, qrs.early_at)
        n, ended = q.follow(qrs, n, last)
        if n == qrs.early_at:
            found = _judge_early(head, leads, n, row, judges)
        elif n == qrs.judge_at:
            found = _judge(head, leads, n, row, judges)
        if ended:
            # what is judged at `n` waits for no strong one: one beat at most
            found |= _end_peak(head, leads, n, row, judges)
        n += 1
        if n == tenth:
            q.move_levels(qrs, n)
            if q.search_back_due(qrs, n):
                # a beat judged just now leaves no spare peak: there is one at most
                found |= _write_beat(head, leads, n, qrs.spare, True, row)
                qrs.spare.score = np.float32(0.0)
    return n, found
