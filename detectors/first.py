"""Step 6: is a peak a beat while fewer than eight beats are known?

Nothing is known of the heart's beats yet, so a peak is measured against the signal about it and
against the peaks before it: noise seldom stands far out of itself and does not repeat its shape,
a QRS complex does both, however wide. All facts are ratios or times: neither gain nor unit matters.
They are weighed by a network as `detectors.judge` weighs those of later peaks; its weights were
learnt on cold starts (`detectors/models/first.md`).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from detectors import judge, template
from detectors import qrs as q
from detectors.fusion import weight_at
from detectors.state import FIRSTS, POINTS, SHIFTS, STEP, TENTH, TENTHS
from detectors.template import LIKES
from dsp import ring
from dsp.lanes import correlate16, largest16
from dsp.logarithm import log2
from dsp.memory import KERNEL, room
from dsp.resample import ANALYSIS_HZ
from dsp.ring import WINDOW

TINY = np.float32(1e-9)
ZERO = np.float32(0.0)
LOWEST = np.float32(0.08)  # of the ceiling: what is lower is not worth a judgement
KEPT = np.float32(0.25)  # of the ceiling: from this on a peak is kept to compare others with
APART = 40  # 160 ms: peaks that are closer are of one beat
LANES = 2 * template.SHIFT + 1


@njit(**KERNEL)
def is_beat(qrs, leads, n, weights):  # type: ignore[no-untyped-def]
    """Judge the held peak by its facts; weights : float32 [judge.N_WEIGHTS]."""
    held = qrs.held
    if held.height < max(LOWEST * qrs.ceiling, q.FLOOR):
        held.evidence = q.HOPELESS
        return False
    gather(qrs, leads, held, n)
    held.evidence = judge.evidence(qrs, weights)
    if held.height > KEPT * qrs.ceiling:
        _keep(qrs, leads, held)
    return held.evidence > ZERO


@njit(**KERNEL)
def gather(qrs, leads, peak, n):  # type: ignore[no-untyped-def]
    """All facts about a peak, into `qrs.facts`."""
    facts, own = qrs.facts, peak.height + TINY
    known = min(n // TENTH, TENTHS)
    facts[0] = _octaves(own / qrs.mean)
    facts[1] = _octaves(own / qrs.ceiling)
    facts[2] = _octaves(own / _ranked(qrs.tenths, known, known // 4))
    facts[3] = _octaves(own / _ranked(qrs.tops, known, known // 2))
    facts[4] = _share_above(qrs.tops, known, np.float32(0.5) * own)
    facts[5] = _share_above(qrs.tops, known, np.float32(0.25) * own)
    facts[6] = _octaves(peak.sharp / own)
    facts[7] = min(judge.level(qrs, peak.at - 75, peak.at - 25) / own, np.float32(2.0))
    facts[8] = min(judge.level(qrs, peak.at + 22, min(peak.at + 52, n)) / own, np.float32(2.0))
    facts[9] = _octaves(np.float32(n / ANALYSIS_HZ))
    _compare_with_last(qrs, peak, facts)
    _gather_leads(leads, peak, n, facts)
    _compare_with_kept(qrs, leads, peak, facts)
    judge.count(qrs)


@njit(**KERNEL)
def _octaves(ratio):  # type: ignore[no-untyped-def]
    return min(max(log2(np.float32(ratio) + TINY), np.float32(-6.0)), np.float32(8.0))


@njit(**KERNEL)
def _ranked(values, n, rank):  # type: ignore[no-untyped-def]
    """The value of a rank among the first `n`, and a little more than 0."""
    for i in range(n):
        below = 0
        for j in range(n):
            below += (values[j] < values[i]) | ((values[j] == values[i]) & (j < i))
        if below == rank:
            return values[i] + TINY
    return TINY


@njit(**KERNEL)
def _share_above(values, n, level):  # type: ignore[no-untyped-def]
    above = 0
    for i in range(n):
        above += values[i] > level
    return np.float32(above) / np.float32(max(n, 1))


@njit(**KERNEL)
def _compare_with_last(qrs, peak, facts):  # type: ignore[no-untyped-def]
    """Facts 10 to 14: against the last beat, as whose T wave it may come."""
    last = qrs.last
    facts[10] = np.float32(qrs.n_beats)
    since_s = np.float32((peak.at - last.at) / ANALYSIS_HZ)
    facts[11] = min(_octaves(since_s), np.float32(3.0))
    facts[12] = facts[13] = facts[14] = ZERO
    if qrs.n_beats > 0:
        facts[12] = _octaves(peak.height / (last.height + TINY))
        facts[13] = _octaves(peak.sharp / (last.sharp + TINY))
    if qrs.n_rr > 0:
        facts[14] = min(since_s / qrs.rr_median, np.float32(3.0))


@njit(**KERNEL)
def _gather_leads(leads, peak, n, facts):  # type: ignore[no-untyped-def]
    """Facts 15 and 16: likeness to the beats known, and curvature, by weight of the leads."""
    likeness, rough, weights = ZERO, ZERO, TINY
    for i in range(leads.size):
        lead = leads[i]
        template.compare(lead, peak.at, n)  # also finds where the lead's own feature peaks
        weight = weight_at(lead, peak.at)
        likeness += weight * lead.match.likeness
        rough += weight * judge.curvature(lead, peak.at)
        weights += weight
    facts[15] = likeness / weights
    facts[16] = _octaves(rough / (weights * (peak.height + TINY)))


@njit(**KERNEL)
def _compare_with_kept(qrs, leads, peak, facts):  # type: ignore[no-untyped-def]
    """Facts 17 to 23: the two earlier peaks that it is most like, and what lies in between."""
    first, second, best, next_best = -1, -1, ZERO, ZERO
    kept, likes = min(qrs.n_firsts, FIRSTS), room(FIRSTS)
    _likeness(leads, peak.at, kept, likes)
    for k in range(kept):
        if peak.at - qrs.first_at[k] < APART:
            continue
        like = likes[k]
        if like > best:
            first, second, best, next_best = k, first, like, best
        elif like > next_best:
            second, next_best = k, like
    facts[17], facts[18] = best, next_best
    facts[19] = facts[20] = facts[21] = facts[22] = facts[23] = ZERO
    if first < 0:
        return
    gap = peak.at - qrs.first_at[first]
    facts[19] = _octaves(np.float32(gap / ANALYSIS_HZ))
    facts[20] = np.float32(qrs.first_beat[first])
    if second >= 0:
        apart = abs(qrs.first_at[second] - qrs.first_at[first])
        other = min(apart, peak.at - qrs.first_at[second])  # it may lie on either side
        facts[21] = np.float32(min(abs(gap - other) / gap, 1.0))
    high, sharp = ZERO, ZERO
    for k in range(kept):
        if qrs.first_at[k] > qrs.first_at[first]:
            high, sharp = max(high, qrs.first_height[k]), max(sharp, qrs.first_sharp[k])
    facts[22] = min(high / (peak.height + TINY), np.float32(4.0))
    facts[23] = min(sharp / (peak.sharp + TINY), np.float32(4.0))


@njit(**KERNEL)
def _likeness(leads, at, n, likes):  # type: ignore[no-untyped-def]
    """How like each of `n` kept peaks one is in shape and size, 0 to 1, into `likes` [FIRSTS].

    Twice the product over the powers, by weight of the leads.
    """
    weights, window, like = TINY, room(WINDOW), room(LIKES)
    for k in range(n):
        likes[k] = ZERO
    for i in range(leads.size):
        lead = leads[i]
        ring.read(lead.slope, _begin(lead.match), window, WINDOW)
        weight = weight_at(lead, at) * lead.feature[lead.match.own & (lead.feature.size - 1)]
        weights += weight
        for k in range(n):
            power = lead.first_powers[k] + TINY
            correlate16(like, lead.firsts[k], POINTS, window, 0, STEP)
            best = largest16(like, 0, LANES)
            product = like[SHIFTS + best]
            if product > ZERO:
                other = product * product / max(like[best], TINY * TINY)
                likes[k] += weight * (np.float32(2.0) * product / (power + other))
    for k in range(n):
        likes[k] /= weights


@njit(**KERNEL)
def _begin(match):  # type: ignore[no-untyped-def]
    """The first slope that a peak is compared by."""
    return match.own - template.BEFORE - template.SHIFT


@njit(**KERNEL)
def _keep(qrs, leads, peak):  # type: ignore[no-untyped-def]
    """Keep a peak that has been judged, to compare others with."""
    k = qrs.n_firsts % FIRSTS
    qrs.n_firsts += 1
    qrs.first_at[k], qrs.first_height[k], qrs.first_sharp[k] = peak.at, peak.height, peak.sharp
    qrs.first_beat[k] = peak.evidence > ZERO
    for i in range(leads.size):
        lead = leads[i]
        power, begin, mask = ZERO, _begin(lead.match) + template.SHIFT, lead.slope.size - 1
        for j in range(POINTS):
            value = lead.slope[(begin + STEP * j) & mask]
            lead.firsts[k, j] = value
            power += value * value
        lead.first_powers[k] = power
