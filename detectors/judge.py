"""Step 7: facts about a peak, and the log odds that it is a beat.

All facts are ratios: neither gain nor unit matters. They are weighed by a small network and, where
it doubts, by a forest, too; both have learnt from noisy and clean records
(`detectors/models/judge.md`).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from detectors import template
from detectors.fusion import weight_at
from detectors.state import FACTS, FUSED, HIDDEN
from dsp import ring
from dsp.lanes import dot8, sum_rows16
from dsp.logarithm import log2
from dsp.memory import KERNEL
from dsp.resample import ANALYSIS_HZ
from dsp.stretches import bends

TINY = np.float32(1e-9)
ALIKE = np.float32(0.4)  # octaves
ALIKE_LIKE = np.float32(0.96)  # correlation

DOUBT = np.float32(3.0)  # log odds of either sign: within them the forest is asked, too

BLUNTER = np.float32(0.25)  # octaves: a P wave is blunter for its height than a QRS complex
ROUGH_OVER = 40

# The weights lie in one array: what each unit takes of each fact, what it adds, what it counts,
# and what is added in the end.
ADDED = FACTS * HIDDEN
COUNTED = ADDED + HIDDEN
LAST = COUNTED + HIDDEN
N_WEIGHTS = LAST + 1

ONE, SEVERAL, FIRST = range(3)  # sets of weights: of one lead, of several, of first beats


@njit(**KERNEL)
def _log(x):  # type: ignore[no-untyped-def]
    return min(max(log2(x + TINY), np.float32(-5.0)), np.float32(4.0))


@njit(**KERNEL)
def level(qrs, first, last):  # type: ignore[no-untyped-def]
    """Mean of the fused feature, every third sample."""
    total, n = np.float32(0.0), 0
    for i in range(first, last + 1, 3):
        total += qrs.fused[i & (FUSED - 1)]
        n += 1
    return total / np.float32(max(n, 1))


@njit(**KERNEL)
def _spread(qrs):  # type: ignore[no-untyped-def]
    kept = min(qrs.n_rr, qrs.rr.size)
    if kept == 0:
        return np.float32(0.0)
    total = np.float32(0.0)
    for i in range(kept):
        total += abs(qrs.rr[i] - qrs.rr_median)
    return min(total / (np.float32(kept) * qrs.rr_median), np.float32(1.0))


@njit(**KERNEL)
def curvature(lead, at):  # type: ignore[no-untyped-def]
    """Mean curvature of the signal about a peak."""
    signal, mask = lead.signal, lead.signal.size - 1
    place = (at - ROUGH_OVER) & mask
    if 0 < place <= signal.size - ring.WINDOW:
        return bends(signal, place, ROUGH_OVER) / np.float32(ROUGH_OVER)
    total = np.float32(0.0)
    for i in range(at - ROUGH_OVER, at):
        total += abs(
            signal[(i + 1) & mask] - np.float32(2.0) * signal[i & mask] + signal[(i - 1) & mask]
        )
    return total / np.float32(ROUGH_OVER)


@njit(**KERNEL)
def _gather_leads(leads, peak, n, facts):  # type: ignore[no-untyped-def]
    """Facts 11 to 16: templates and heights, lead by lead."""
    at = peak.at
    weights = TINY
    mean, most, gain, rough = np.float32(0.0), np.float32(-1.0), np.float32(0.0), np.float32(0.0)
    low, high = np.float32(4.0), np.float32(-5.0)
    least, used, heaviest = np.float32(1.0), np.float32(0.0), np.float32(0.0)
    facts[20], facts[21] = np.float32(0.0), np.float32(0.0)
    for i in range(leads.size):
        lead = leads[i]
        weight = weight_at(lead, at)
        if weight == 0.0 or lead.height == 0.0:
            continue
        template.compare(lead, at, n)
        likeness, fit = lead.match.likeness, lead.match.gain
        share = lead.feature[at & (lead.feature.size - 1)] / lead.height
        mean += weight * likeness
        gain += weight * fit
        rough += weight * (curvature(lead, at) / lead.height)
        weights += weight
        if weight > heaviest:
            heaviest = weight
            facts[20], facts[21] = _log(share), likeness
        used += weight * lead.templates[lead.match.which].used
        most, least = max(most, likeness), min(least, likeness)
        low, high = min(low, _log(share)), max(high, _log(share))
    facts[11] = mean / weights
    facts[12] = most
    facts[13] = _log(max(gain / weights, TINY))
    facts[14] = low
    facts[15] = high
    facts[16] = _log(rough / weights)
    facts[18] = used / weights
    facts[19] = least
    facts[22] = heaviest / weights


@njit(**KERNEL)
def gather(qrs, leads, peak, n):  # type: ignore[no-untyped-def]
    """All facts about a peak, into `qrs.facts`."""
    facts, last = qrs.facts, qrs.last
    height = qrs.height + TINY
    facts[0] = _log(peak.height / height)
    facts[1] = _log(peak.sharp / (qrs.sharp + TINY))
    facts[2] = _log(peak.height / (last.height + TINY))
    facts[3] = _log(peak.sharp / (last.sharp + TINY))
    since_s = np.float32((peak.at - last.at) / ANALYSIS_HZ)
    facts[4] = min(_log(since_s), np.float32(3.0))
    facts[5] = min(since_s / qrs.rr_median, np.float32(3.0))
    facts[6] = _spread(qrs)
    last_rr_s = qrs.rr[(qrs.n_rr - 1) % qrs.rr.size] if qrs.n_rr > 0 else np.float32(1.0)
    facts[23] = min(_log(since_s / last_rr_s), np.float32(3.0))
    facts[7] = min(qrs.noise / height, np.float32(1.5))
    facts[8] = min(qrs.mean / height, np.float32(1.5))
    own = peak.height + TINY
    facts[9] = min(level(qrs, peak.at - 75, peak.at - 25) / own, np.float32(2.0))
    facts[10] = min(level(qrs, peak.at + 22, min(peak.at + 52, n)) / own, np.float32(2.0))
    _gather_leads(leads, peak, n, facts)
    facts[17] = log2(np.float32(qrs.n_between) + np.float32(1.0))


@njit(**KERNEL)
def count(qrs):  # type: ignore[no-untyped-def]
    """Note that the held peak has been judged by `qrs.facts`."""
    qrs.n_judged += 1
    qrs.judged_at = qrs.held.at


@njit(**KERNEL)
def evidence(qrs, weights):  # type: ignore[no-untyped-def]
    """Log odds that the peak of `qrs.facts` is a beat; weights : float32 [N_WEIGHTS]."""
    hidden = qrs.hidden
    sum_rows16(hidden, qrs.facts, FACTS, weights, 0, HIDDEN)
    for j in range(HIDDEN):
        hidden[j] = max(hidden[j] + weights[ADDED + j], np.float32(0.0))
    return weights[LAST] + dot8(hidden, 0, weights, COUNTED) + dot8(hidden, 8, weights, COUNTED + 8)


@njit(**KERNEL)
def is_alike(qrs):  # type: ignore[no-untyped-def]
    """True when the peak of `qrs.facts` is as high, as sharp and of the same shape as beats are.

    Whatever else is odd about it, the last beat before a pause is one.
    """
    facts = qrs.facts
    return abs(facts[0]) < ALIKE and abs(facts[1]) < ALIKE and facts[11] > ALIKE_LIKE


@njit(**KERNEL)
def is_same(qrs):  # type: ignore[no-untyped-def]
    """True when the peak of `qrs.facts` has the shape of beats, whatever its height."""
    facts = qrs.facts
    return facts[11] > ALIKE_LIKE and facts[1] > facts[0] - BLUNTER
